"""The worker's way to write: tried again after a deadlock, and quietly where nobody else needs to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


def worker_transaction(
    work: Callable[Concatenate[Transaction, P], Awaitable[T]],
) -> Callable[Concatenate[Store, P], Coroutine[Any, Any, T]]:
    """Return `work` for a store: one write transaction, and once more when a deadlock was broken by refusing it."""

    @wraps(work)
    async def done(store: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        async def once() -> T:
            async with store.write(WORKER) as tx:
                return await work(tx, *args, **kwargs)

        return await retry_on_conflict(once)

    return done


@asynccontextmanager
async def silent_write(store: Store) -> AsyncIterator[AsyncSession]:
    """Yield a write that wakes nobody on PostgreSQL: for what only workers care about."""
    async with store.session(writes=True) as session:
        yield session
        await session.commit()
