"""What an operator looked at last: users and accounts, a bounded number of them, never in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

from sqlalchemy import Select, delete, func, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied
from mission_control_tui.model.search.results import FoundUser, load_users
from mission_control_tui.model.store.account_rows import load_accounts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.operators import RecentRow
from mission_control_tui.model.views import Account

KEPT = 50
"""Users, and accounts beside them, that are remembered of an operator; older ones are forgotten."""

ACCOUNT = ""
"""Stands in place of a user's id where the account itself was looked at."""


@dataclass(frozen=True, slots=True)
class Recent:
    """A user that was looked at, and when."""

    user: FoundUser
    at: datetime


async def remember(store: Store, caller: Caller, account_id: int, user_id: str = ACCOUNT) -> None:
    """Note that the caller looks at this user, or at the account, now. A read-only caller may, too.

    Nothing is written where it is the newest already. Raises Denied for somebody else's account.
    """
    if not caller.may_see(account_id):
        raise Denied("You may not work on this account.")
    of_kind = _newest(caller, users=user_id != ACCOUNT)
    async with store.read() as session:
        newest = (await session.execute(of_kind.limit(1))).first()
    if newest is not None and (newest.account_id, newest.user_id) == (account_id, user_id):
        return
    now = datetime.now(UTC)
    async with store.private() as session:
        make = import_module(f"sqlalchemy.dialects.{store.engine.dialect.name}").insert
        row = {"operator": caller.operator, "account_id": account_id, "user_id": user_id}
        await session.execute(
            make(RecentRow)
            .values(**row, at=now)
            .on_conflict_do_update(
                index_elements=["operator", "account_id", "user_id"], set_={"at": now}
            )
        )
        for old in (await session.execute(of_kind.offset(KEPT))).all():
            await session.execute(
                delete(RecentRow).where(
                    RecentRow.operator == caller.operator,
                    RecentRow.account_id == old.account_id,
                    RecentRow.user_id == old.user_id,
                )
            )


def _newest(caller: Caller, *, users: bool) -> Select[int, str, datetime]:
    kind = RecentRow.user_id != ACCOUNT if users else RecentRow.user_id == ACCOUNT
    return (
        select(RecentRow.account_id, RecentRow.user_id, RecentRow.at)
        .where(RecentRow.operator == caller.operator, kind)
        .order_by(RecentRow.at.desc(), RecentRow.account_id, RecentRow.user_id)
    )


async def recent_users(store: Store, caller: Caller, limit: int = 20) -> tuple[Recent, ...]:
    """Return whom the caller looked at, the newest first; who is gone or may not be seen any more is left out."""
    async with store.read() as session:
        rows = (await session.execute(_newest(caller, users=True))).all()
        seen = {row.user_id: row.at for row in rows if caller.may_see(row.account_id)}
        users = await load_users(session, list(seen)[:limit])
        # The user's own account counts, whatever the row says.
        return tuple(
            Recent(user, seen[user.user_id]) for user in users if caller.may_see(user.account.id)
        )


async def recent_accounts(store: Store, caller: Caller, limit: int = 20) -> tuple[Account, ...]:
    """Return the accounts that the caller worked on, the newest first: looked at, or one of their users."""
    async with store.read() as session:
        rows = await session.execute(
            select(RecentRow.account_id)
            .where(RecentRow.operator == caller.operator)
            .group_by(RecentRow.account_id)
            .order_by(func.max(RecentRow.at).desc(), RecentRow.account_id)
        )
        ids = [account_id for (account_id,) in rows if caller.may_see(account_id)][:limit]
        found = await load_accounts(session, ids)
        return tuple(found[account_id] for account_id in ids if account_id in found)
