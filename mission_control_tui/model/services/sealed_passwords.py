"""Sealed passwords in the store: kept until the back ends have them, then wiped."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import Table, bindparam, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import PasswordUse
from mission_control_tui.model.store import sealing
from mission_control_tui.model.store.any_of import any_of
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.store.transaction import Transaction

_LOCK = (
    select(SecretRow.id).where(any_of(SecretRow.id, "ids")).order_by(SecretRow.id).with_for_update()
)
_WANTED = select(AssignmentRow.secret_id).where(any_of(AssignmentRow.secret_id, "ids")).distinct()
_SECRETS = cast("Table", SecretRow.__table__)
_WIPE = (
    update(_SECRETS)
    .where(any_of(_SECRETS.c.id, "ids"))
    .values(sealed=None, wiped_at=bindparam("now"))
)
"""No session holds secrets as rows."""
_LEAVE = update(UserRow).where(any_of(UserRow.secret_id, "ids")).values(secret_id=None)


async def keep(tx: Transaction, account_id: int, password: str) -> int:
    """Seal `password` into the store and return the secret's id."""
    return (await keep_many(tx, account_id, [password]))[0]


async def keep_many(tx: Transaction, account_id: int, passwords: Sequence[str]) -> list[int]:
    """Seal many at once; return the secrets' ids in the order of `passwords`."""
    public = bytes(await tx.session.scalar(select(InstallationRow.public_key)) or b"")
    sealed = await asyncio.to_thread(
        lambda: [sealing.seal(public, password) for password in passwords]
    )
    rows = [
        {
            "account_id": account_id,
            "sealed": secret,
            "mark": secrets.token_hex(16),
            "created_at": tx.now,
            "wiped_at": None,
        }
        for secret in sealed
    ]
    # In whatever order they come back, each has its mark: so they are inserted many at a time.
    made = await tx.session.execute(insert(SecretRow).returning(SecretRow.mark, SecretRow.id), rows)
    ids = {str(mark): int(number) for mark, number in made}
    return [ids[str(row["mark"])] for row in rows]


async def wipe(tx: Transaction, secret_id: int | None) -> None:
    """Forget a sealed password that is no longer to be delivered, unless it has gone already."""
    if secret_id is not None:
        await tx.session.execute(
            update(SecretRow)
            .where(SecretRow.id == secret_id, SecretRow.wiped_at.is_(None))
            .values(sealed=None, wiped_at=tx.now)
        )


async def let_go(tx: Transaction, row: AssignmentRow, *, delivered: bool) -> None:
    """Let go of a password that the back end has, or needs no more; it is wiped when nobody else waits for it.

    A user's that no back end ever got is kept: the next service needs it.
    """
    await let_go_all(tx, [row], delivered=delivered)


async def let_go_all(tx: Transaction, rows: Iterable[AssignmentRow], *, delivered: bool) -> None:
    """Let go of the passwords of several services at once."""
    held: dict[int, str | None] = {}
    for row in rows:
        if row.secret_id is None:
            row.password_delivered = row.password_delivered and delivered
            continue
        held[row.secret_id] = row.user_id
        row.secret_id = None
        row.password_delivered = delivered
    if not held:
        return
    await tx.session.flush()
    ids = {"ids": sorted(held)}
    if not tx.is_sqlite:
        await tx.session.execute(_LOCK, ids)
    wanted = set(await tx.session.scalars(_WANTED, ids))
    done = [
        secret_id
        for secret_id, user_id in held.items()
        if secret_id not in wanted
        and (delivered or not await _is_undelivered(tx.session, user_id, secret_id))
    ]
    if not done:
        return
    await tx.session.execute(_WIPE, {"ids": done, "now": tx.now})
    await tx.session.execute(_LEAVE, {"ids": done})


async def _is_undelivered(session: AsyncSession, user_id: str | None, secret_id: int) -> bool:
    """Tell whether this is the user's own password, and none of the services that use it has it."""
    own = await session.scalar(
        select(exists().where(UserRow.id == user_id, UserRow.secret_id == secret_id))
    )
    if not own:
        return False
    catalogue = (await in_force(session)).catalogue
    using = [service.id for service in catalogue.services if service.password is PasswordUse.USER]
    return not await session.scalar(
        select(
            exists().where(
                AssignmentRow.user_id == user_id,
                AssignmentRow.service_id.in_(using),
                AssignmentRow.password_delivered,
            )
        )
    )
