"""Find rows by what a person would type: codes, UPNs, aliases, usernames, numbers. Always within an account."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import func, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import Denied, InRecycleBin, NotFound, UsageError
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.folding import fold

_NEAREST = 3
"""Accounts that are named to who misspelt one."""

Numbered = TypeVar("Numbered", RequestRow, OrderRow, BulkRow, AuditRow)
_NUMBERED: dict[type[Base], tuple[str, str]] = {
    RequestRow: ("request", "requests list"),
    OrderRow: ("order", "orders list"),
    BulkRow: ("bulk", "bulk list"),
    AuditRow: ("audit row", "audit"),
}
"""What people know by its number in an account: what it is called, and the command that lists it."""
_AUDITED = {RequestRow: AuditRow.request_id, BulkRow: AuditRow.bulk_id}
"""What is deleted some time after it ended (`history/pruning.py`), and where the audit goes on naming it."""


async def account_row(session: AsyncSession, caller: Caller, key: int | str) -> AccountRow:
    """Return the account with this id or code. Raises NotFound or, for somebody else's, Denied."""
    condition = AccountRow.id == key if isinstance(key, int) else AccountRow.code == key.lower()
    row = await session.scalar(select(AccountRow).where(condition))
    if row is None:
        raise await _no_account(session, caller, key)
    if not caller.may_see(row.id):
        # As it was asked for: whoever gave a number does not learn the code.
        raise Denied(f"You may not work on account {harmless(str(key))}.")
    return row


async def locked_account_row(session: AsyncSession, account_id: int) -> AccountRow:
    """Return the account, locked against other changes of what it owns; users and requests go on meanwhile."""
    row = await session.scalar(
        select(AccountRow)
        .where(AccountRow.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    return row


async def _no_account(session: AsyncSession, caller: Caller, key: int | str) -> NotFound:
    """Return the error that says how many accounts there are, and which are called nearly so."""
    statement = select(AccountRow.code, AccountRow.name).order_by(AccountRow.code)
    if caller.accounts is not None:
        statement = statement.where(AccountRow.id.in_(caller.accounts))
    names = {row.code: row.name for row in await session.execute(statement)}
    what = f"There is no account {key!r}."
    if not names:
        return NotFound(what, hint="Run `mission-control init` first.")
    from difflib import get_close_matches

    typed = fold(str(key))
    alike = [code for code, name in names.items() if typed and typed in f"{code} {fold(name)}"]
    near = list(dict.fromkeys([*get_close_matches(typed, names, n=_NEAREST), *alike]))[:_NEAREST]
    if len(names) <= _NEAREST:
        near = list(names)
    named = ", ".join(f"{code} ({harmless(names[code])})" for code in near)
    few = named if len(names) <= _NEAREST else counted(len(names), "account")
    guess = f"Did you mean {named}? " if named and few != named else ""
    finds = "`mission-control account list --match TEXT` finds one by part of its name."
    return NotFound(what, hint=f"{guess}There {'is' if len(names) == 1 else 'are'} {few}. {finds}")


async def user_row(
    session: AsyncSession, account_id: int, key: str, *, lock: bool = False, binned: bool = False
) -> UserRow:
    """Return the user with this id, UPN, alias, former UPN or username. Raises NotFound with what to try.

    `binned` also finds users in the recycling bin; `lock` takes the row for this transaction.
    """
    folded = lookup_key(key)
    ids = union(
        select(UserRow.id).where(UserRow.id == folded, UserRow.account_id == account_id),
        select(UserRow.id).where(UserRow.username_key == folded, UserRow.account_id == account_id),
        select(func.coalesce(AddressRow.user_id, "")).where(
            AddressRow.key == folded, AddressRow.account_id == account_id
        ),
    )
    statement = select(UserRow).where(UserRow.id.in_(ids))
    if lock:
        statement = statement.with_for_update()
    rows = (await session.scalars(statement)).all()
    if len(rows) > 1:
        names = ", ".join(row.upn for row in rows)
        raise UsageError(f"{key!r} means more than one user: {names}.", hint="Give the UPN.")
    if not rows:
        raise NotFound(
            f"This account has no user {key!r}.",
            hint="`mission-control users list` finds by part of a name.",
        )
    if rows[0].in_bin and not binned:
        raise InRecycleBin(
            f"{rows[0].upn} is in the recycling bin.",
            hint=f"Bring it back first: {command_line('users', 'restore', rows[0].upn)}",
        )
    return rows[0]


async def domain_row(session: AsyncSession, account_id: int, name: str) -> DomainRow | None:
    """Return the account's domain of this name, if it has it."""
    return await session.scalar(
        select(DomainRow).where(
            DomainRow.account_id == account_id,
            DomainRow.name == name.casefold(),
            DomainRow.removed_at.is_(None),
        )
    )


async def numbered_row(
    session: AsyncSession, kind: type[Numbered], account_id: int, number: int, *, lock: bool = False
) -> Numbered:
    """Return what the account has under this number. Raises NotFound."""
    statement = select(kind).where(kind.id == number, kind.account_id == account_id)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        name, command = _NUMBERED[kind]
        if kind in _AUDITED and await _is_audited(session, account_id, _AUDITED[kind], number):
            raise NotFound(
                f"{name.capitalize()} {number} is no longer kept: it ended more than worker.keep_days ago.",
                hint=f"`mission-control audit --{name} {number}` says what it was; that stays.",
            )
        raise NotFound(
            f"This account has no {name} {number}.", hint=f"`mission-control {command}` shows them."
        )
    return row


async def _is_audited(
    session: AsyncSession, account_id: int, column: InstrumentedAttribute[int | None], number: int
) -> bool:
    found = select(AuditRow.id).where(AuditRow.account_id == account_id, column == number)
    return await session.scalar(found.limit(1)) is not None


async def assignment_row(
    session: AsyncSession, assignment_id: str, *, lock: bool = False
) -> AssignmentRow:
    """Return the assignment with this id, for code that already knows it is the account's."""
    statement = select(AssignmentRow).where(AssignmentRow.id == assignment_id)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound(f"There is no service instance {assignment_id}.")
    return row


async def bought_services(session: AsyncSession, account_id: int) -> set[str]:
    """Return ids of the services that the account owns seats of."""
    return set(
        await session.scalars(
            select(SeatPoolRow.service_id).where(
                SeatPoolRow.account_id == account_id, SeatPoolRow.owned > 0
            )
        )
    )
