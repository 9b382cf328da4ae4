"""The worker's way to write: tried again after a deadlock, and never holding a lock for ever while frozen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.context import WORKER
from mission_control_tui.model.database import Store
from mission_control_tui.model.transaction import Transaction

T = TypeVar("T")

TRIES = 4
FROZEN_SECONDS = 10
"""PostgreSQL ends a transaction in which a worker has said nothing for so long: it is frozen, and others wait."""
_TRY_AGAIN = frozenset({"40001", "40P01"})  # serialization failure, deadlock


async def transact(
    store: Store, account_id: int | None, work: Callable[[Transaction], Awaitable[T]]
) -> T:
    """Do `work` in one write transaction, and once more when the database broke a deadlock by refusing it."""
    for tries_left in range(TRIES - 1, -1, -1):
        try:
            async with store.write(WORKER, account_id) as tx:
                await limit_silence(tx.session)
                return await work(tx)
        except DBAPIError as error:
            if not tries_left or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
    raise AssertionError("unreachable")


@asynccontextmanager
async def unheard(store: Store) -> AsyncIterator[AsyncSession]:
    """A write that wakes nobody on PostgreSQL: for what only workers care about."""
    engine = store.engine.execution_options(mc_write=True)
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        await limit_silence(session)
        yield session


async def limit_silence(session: AsyncSession) -> None:
    """Let PostgreSQL end this transaction if its worker freezes in the middle of it."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(
            text("SELECT set_config('idle_in_transaction_session_timeout', :limit, true)"),
            {"limit": f"{FROZEN_SECONDS}s"},
        )
