"""How long the event loop is held at a time, and the database's lock for writing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event

from mission_control_tui.model.store.database import Store

TICK_SECONDS = 0.002


class Longest:
    """The longest of several times, in seconds, and what the thread of the loop worked in all."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.worked = 0.0

    def __repr__(self) -> str:
        return f"{self.seconds * 1000:.1f} of {self.worked * 1000:.0f} ms"

    def add(self, seconds: float) -> None:
        """One more time."""
        self.seconds = max(self.seconds, seconds)


@asynccontextmanager
async def loop_watched() -> AsyncIterator[Longest]:
    """Measure how long the event loop is held at a time meanwhile, and its thread's work in all."""
    longest = Longest()

    async def watch() -> None:
        while True:
            started, before = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            worked = time.thread_time() - before
            late = time.perf_counter() - started - TICK_SECONDS
            # What others took of this machine is no fault of ours: only what this thread worked counts.
            longest.add(min(worked, late))

    begun = time.thread_time()
    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    try:
        yield longest
    finally:
        await asyncio.sleep(0)
        task.cancel()
        longest.worked = time.thread_time() - begun


@contextmanager
def lock_watched(store: Store) -> Iterator[Longest]:
    """Measure how long this store's write transactions last meanwhile: so long SQLite keeps other writers waiting.

    What others took of the processor meanwhile is no fault of ours: only what this process worked counts.
    """
    longest = Longest()
    begun: dict[int, tuple[float, float]] = {}
    engine = store.engine.sync_engine

    def begins(connection: Any) -> None:
        if connection.get_execution_options().get("mc_write", False):
            begun[id(connection)] = time.perf_counter(), time.process_time()

    def ends(connection: Any) -> None:
        if (since := begun.pop(id(connection), None)) is not None:
            started, worked = since
            longest.add(min(time.perf_counter() - started, time.process_time() - worked))

    # A listener for the beginning that is added later runs after the one that takes the lock.
    event.listen(engine, "begin", begins)
    for name in ("commit", "rollback"):
        event.listen(engine, name, ends)
    try:
        yield longest
    finally:
        event.remove(engine, "begin", begins)
        for name in ("commit", "rollback"):
            event.remove(engine, name, ends)
