"""All users of an account with every field and their aliases, as a file in the import's own format.

The same file imported again changes nobody, and imported into an empty account it makes the same users: passwords and
services are not in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.domains.address_registry import AddressKind
from mission_control_tui.model.people.fields import FIELDS, UserDetails
from mission_control_tui.model.people.values import text_of
from mission_control_tui.model.store.scope import AccountItem, AccountScope, Reach
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.user_rows import to_details
from mission_control_tui.model.text.spreadsheet_cells import protect

AT_ONCE = 500
HEADINGS = (*(field.label for field in FIELDS), "Aliases")


@dataclass(frozen=True, slots=True)
class ExportedUser:
    """Everything that a file states about one user."""

    details: UserDetails
    aliases: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells below HEADINGS; read_users reads them back exactly, and no spreadsheet evaluates them."""
        values = (text_of(getattr(self.details, field.name)) for field in FIELDS)
        return tuple(map(protect, (*values, "; ".join(self.aliases))))


async def export_users(scope: AccountScope) -> tuple[ExportedUser, ...]:
    """Return all users of the account by name, without those in the recycling bin."""
    exported: list[ExportedUser] = []
    async with scope.read() as (session, account_id):
        last: UserRow | None = None
        while rows := await _next(session, account_id, last):
            last = rows[-1][0]
            aliases = await _aliases(session, [row.id for row, _ in rows])
            exported += [
                ExportedUser(to_details(row, manager or ""), tuple(aliases.get(row.id, ())))
                for row, manager in rows
            ]
            session.expunge_all()
    return tuple(exported)


async def export_all_users(scope: Reach) -> tuple[AccountItem[ExportedUser], ...]:
    """Return the users of all accounts, by the accounts' codes and their names."""
    async with scope.reading() as (session, within):
        accounts = select(AccountRow.id).where(within(AccountRow.id)).order_by(AccountRow.code)
        ids = (await session.scalars(accounts)).all()
    found: list[AccountItem[ExportedUser]] = []
    for account_id in ids:
        users = await export_users(AccountScope(scope.store, scope.caller, account_id))
        found += [AccountItem(account_id, user) for user in users]
    return tuple(found)


def as_csv(users: Iterable[ExportedUser]) -> str:
    """Return the file."""
    return _file(HEADINGS, (user.cells for user in users))


def all_as_csv(users: Iterable[tuple[str, ExportedUser]]) -> str:
    """Return the file of all accounts, of which the first column is the account's code."""
    return _file(("Account", *HEADINGS), ((protect(code), *user.cells) for code, user in users))


def _file(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


async def _next(
    session: AsyncSession, account_id: int, last: UserRow | None
) -> list[tuple[UserRow, str | None]]:
    manager = aliased(UserRow)
    statement = (
        select(UserRow, manager.upn)
        .outerjoin(manager, manager.id == UserRow.manager_id)
        .where(UserRow.account_id == account_id, ~UserRow.in_bin)
        .order_by(UserRow.sort_key, UserRow.id)
        .limit(AT_ONCE)
    )
    if last is not None:
        after = (UserRow.sort_key == last.sort_key) & (UserRow.id > last.id)
        statement = statement.where(or_(UserRow.sort_key > last.sort_key, after))
    return [(row, upn) for row, upn in await session.execute(statement)]


async def _aliases(session: AsyncSession, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = await session.execute(
        select(AddressRow.user_id, AddressRow.address)
        .where(AddressRow.user_id.in_(ids), AddressRow.kind == AddressKind.ALIAS)
        .order_by(AddressRow.key)
    )
    for user_id, address in rows:
        found.setdefault(str(user_id), []).append(address)
    return found
