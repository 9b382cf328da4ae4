"""One account of one store, for one caller: what functions that work on an account begin with.

Functions that only list begin with either of the two here: one account, or all that the caller may see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.transaction import Transaction, TryOut
from mission_control_tui.model.views import KeepPasswords

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class AccountItem(Generic[T]):
    """Something of one of several accounts, which does not say itself of which."""

    account_id: int
    item: T


@dataclass(frozen=True, slots=True)
class Within:
    """Which accounts a reading statement looks at: the one with this id, or without one `accounts`, None for all."""

    account_id: int | None
    accounts: frozenset[int] | None = None

    def __call__(self, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Return the condition for the column that holds a row's account."""
        if self.account_id is not None:
            return column == self.account_id
        return true() if self.accounts is None else column.in_(self.accounts)

    def each(self, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """As a call, for an index that begins with the account: each of them is looked for in it by itself."""
        if self.account_id is not None:
            return self(column)
        return column.in_(select(AccountRow.id).where(self(AccountRow.id)))

    def by_code(self, statement: Select[*Ts], column: InstrumentedAttribute[int]) -> Select[*Ts]:
        """Narrow a statement as a call does; what is of several accounts is in order by their codes first."""
        if self.account_id is not None:
            return statement.where(self(column))
        # The sum keeps SQLite from reading what is listed first and sorting it all.
        joined = statement.join(AccountRow, AccountRow.id + 0 == column)
        return joined.where(self(column)).order_by(AccountRow.code)

    @property
    def one(self) -> int:
        """The account's id, for what makes sense in one account only. Raises UsageError for all of them."""
        if self.account_id is None:
            raise UsageError(
                "A user is one of an account, and all accounts were asked for.",
                hint="Name the account: --account CODE. `mission-control find` finds users in all.",
            )
        return self.account_id


@dataclass(frozen=True, slots=True)
class AllAccounts:
    """Where and as whom, on every account that the caller may see; nothing can be changed through it."""

    store: Store
    caller: Caller

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[AsyncSession, Within]]:
        """Give a session that sees one consistent snapshot, and what narrows a statement to these accounts."""
        async with self.store.read() as session:
            yield session, Within(None, self.caller.accounts)


@dataclass(frozen=True, slots=True)
class AccountScope:
    """Where, as whom and on which account. `account` is an id or a code, looked up anew by each use.

    Every use raises NotFound where there is no such account, and Denied where it is not the caller's to see.
    """

    store: Store
    caller: Caller
    account: int | str
    keep: KeepPasswords | None = None
    """Gets the passwords that a change makes, before it is committed."""
    tried: TryOut | None = None
    """Gets a change that is only tried, before it is rolled back."""

    async def row(self, session: AsyncSession) -> AccountRow:
        """Return the account's row as this session sees it."""
        return await account_row(session, self.caller, self.account)

    async def account_id(self) -> int:
        """Return the account's id, read by itself."""
        async with self.read() as (_, account_id):
            return account_id

    @asynccontextmanager
    async def read(self) -> AsyncIterator[tuple[AsyncSession, int]]:
        """Give a session that sees one consistent snapshot and writes nothing, and the account's id."""
        async with self.store.read() as session:
            yield session, (await self.row(session)).id

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[AsyncSession, Within]]:
        """As `read`, with what narrows a statement to the account."""
        async with self.read() as (session, account_id):
            yield session, Within(account_id)

    @asynccontextmanager
    async def change(self, *, dry_run: bool = False) -> AsyncIterator[tuple[Transaction, int]]:
        """Give one write transaction in the account, and the account's id, which is read before.

        It commits at the end, or rolls back on a dry run or any error. Raises Denied for a read-only caller.
        """
        account_id = await self.account_id()
        async with self.store.write(
            self.caller, account_id, dry_run=dry_run, keep=self.keep, tried=self.tried
        ) as tx:
            yield tx, account_id


Reach: TypeAlias = AccountScope | AllAccounts
"""What a function that only lists may begin with."""
