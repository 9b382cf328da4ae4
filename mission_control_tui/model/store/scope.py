"""One account of one store, for one caller: what functions that work on an account begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class AccountScope:
    """Where, as whom and on which account. `account` is an id or a code, looked up anew by each use.

    Every use raises NotFound where there is no such account, and Denied where it is not the caller's to see.
    """

    store: Store
    caller: Caller
    account: int | str

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
    async def change(self, *, dry_run: bool = False) -> AsyncIterator[tuple[Transaction, int]]:
        """Give one write transaction in the account, and the account's id, which is read before.

        It commits at the end, or rolls back on a dry run or any error. Raises Denied for a read-only caller.
        """
        account_id = await self.account_id()
        async with self.store.write(self.caller, account_id, dry_run=dry_run) as tx:
            yield tx, account_id
