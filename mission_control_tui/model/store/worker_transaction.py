"""The worker's way to write: tried again after a deadlock, and quietly where nobody else needs to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.transaction import Transaction

T = TypeVar("T")


async def worker_transaction(
    store: Store, account_id: int | None, work: Callable[[Transaction], Awaitable[T]]
) -> T:
    """Do `work` in one write transaction, and once more when the database broke a deadlock by refusing it."""

    async def once() -> T:
        async with store.write(WORKER, account_id) as tx:
            return await work(tx)

    return await retry_on_conflict(once)


@asynccontextmanager
async def silent_write(store: Store) -> AsyncIterator[AsyncSession]:
    """Yield a write that wakes nobody on PostgreSQL: for what only workers care about."""
    engine = store.engine.execution_options(mc_write=True)
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        yield session
