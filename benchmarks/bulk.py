"""A bulk for 20,000 users: planned, started, and turned into wishes, while another process writes.

    python -m benchmarks.bulk [--users N] [--expand N] [--postgresql]

Prints how long each part takes, the longest that it holds the event loop (keys wait for it) and the database's lock for
writing, and the longest that another process waited for a write of its own. Exit status 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from benchmarks.databases import analysed, new_database
from benchmarks.holding import lock_watched, loop_watched
from benchmarks.sample_users import CALLER, fill, make_account
from benchmarks.users import say
from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning
from mission_control_tui.model.bulk.slices import breath, work_slice
from mission_control_tui.model.bulk.views import BulkAction
from mission_control_tui.model.operators import recents
from mission_control_tui.model.search import light_matrix
from mission_control_tui.model.services import seats
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams

HELD_MS = 50.0
"""What may hold the event loop at a time."""
LOCKED_MS = 100.0
"""How long one transaction may keep other writers of SQLite waiting."""
WAITED_MS = 250.0
"""How long another process may wait for its own write: it waits for one transaction, and for its turn to look again."""

EXCHANGE, LEVEL = "managed-exchange", "popx"
PAUSE_SECONDS = 0.02

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Case:
    """An action for all users."""

    action: BulkAction
    params: ActionParams


CASES = (
    Case("disable", ActionParams()),
    Case("provision", ActionParams(EXCHANGE, LEVEL)),
)


class Writer:
    """Another process that makes small writes all the time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def longest(self) -> float:
        """The longest wait, in seconds, since this was asked last."""
        assert self._process.stdin is not None  # noqa: S101 (both are pipes)
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        return float(await self._process.stdout.readline())


@asynccontextmanager
async def another_writer(where: str) -> AsyncIterator[Writer]:
    """A process that writes to the same database."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bulk", "--write"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MC_BENCHMARK_DATABASE": where},
    )
    writer = Writer(process)
    try:
        await writer.longest()
        yield writer
    finally:
        assert process.stdin is not None  # noqa: S101
        process.stdin.close()
        await process.wait()


async def write() -> None:
    """What the other process does: a write, a pause; each line that it reads is answered with the longest wait."""
    store = await Store.open(os.environ["MC_BENCHMARK_DATABASE"])
    users = await light_matrix.ids(AccountScope(store, CALLER, 1))
    asked = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    longest, number = 0.0, 0
    while True:
        begun = time.perf_counter()
        await recents.remember(store, CALLER, 1, users[number % 10])
        longest = max(longest, time.perf_counter() - begun)
        number += 1
        if asked.done():
            if not asked.result():
                break
            sys.stdout.write(f"{longest}\n")
            sys.stdout.flush()
            longest = 0.0
            asked = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        await asyncio.sleep(PAUSE_SECONDS)
    await store.close()


async def measured(
    what: str, store: Store, writer: Writer, work: Callable[[], Awaitable[T]]
) -> tuple[T, bool]:
    """Do it once; what came of it, and whether it kept its budgets."""
    await writer.longest()
    gc.collect()
    gc.freeze()  # as the console does once it is there
    begun, spent = time.perf_counter(), time.process_time()
    with lock_watched(store) as locked:
        async with loop_watched() as held:
            result = await work()
    took, spent = time.perf_counter() - begun, time.process_time() - spent
    waited = await writer.longest()
    say(f"{what}: {took:.2f} s, of which this process worked {spent:.2f} s")
    kept = verdict("longest hold of the event loop", held.seconds, HELD_MS)
    if store.is_sqlite:
        kept &= verdict("longest transaction that writes", locked.seconds, LOCKED_MS)
    else:  # it locks what it changes, and nobody else's rows
        say(f"         {locked.seconds * 1000:8.1f} ms         longest transaction that writes")
    kept &= verdict("longest wait of another writer", waited, WAITED_MS)
    return result, kept


def verdict(what: str, seconds: float, budget_ms: float) -> bool:
    """One line; whether the budget is kept."""
    good = seconds * 1000 <= budget_ms
    say(f"  {'kept  ' if good else 'BROKEN'} {seconds * 1000:8.1f} ms of {budget_ms:.0f}  {what}")
    return good


async def expand(store: Store, bulk_id: int, items: int) -> int:
    """Turn so many items into wishes, as the worker does; how many slices that took."""
    slices = 0
    while items > 0:
        begun = time.monotonic()
        done = await work_slice(store, bulk_id)
        slices += 1
        items -= done.items
        if done.last:
            break
        await asyncio.sleep(breath(time.monotonic() - begun))
    return slices


async def report(where: str, users: int, items: int) -> bool:
    """Build, measure, print; True when every budget is kept."""
    store = await Store.open(where)
    try:
        account = await make_account(store)
        await fill(store, account, users, users * 6 // 5)
        async with store.write(CALLER, account) as tx:
            await seats.add(tx, account, EXCHANGE, LEVEL, users)
        await analysed(store)
        ids = await light_matrix.ids(AccountScope(store, CALLER, account))
        kept = True
        async with another_writer(where) as writer:
            for case in CASES:
                given = (AccountScope(store, CALLER, account), ids, case.action, case.params)
                name = f"{case.action} of {len(ids):,}"
                _, good = await measured(
                    f"{name}, planned", store, writer, partial(planning.plan, *given)
                )
                kept &= good
                begun, good = await measured(
                    f"{name}, started", store, writer, partial(bulks.start, *given)
                )
                kept &= good
                bulk_id = begun.result.id
                slices, good = await measured(
                    f"{name}, {items:,} items turned into wishes",
                    *(store, writer),
                    partial(expand, store, bulk_id, items),
                )
                say(f"         in {slices} slices")
                kept &= good
        return kept
    finally:
        await store.close()


async def run(users: int, items: int, *, postgresql: bool) -> bool:
    """One database, filled and measured."""
    async with new_database(postgresql=postgresql) as where:
        return await report(where, users, items)


def main() -> int:
    """Run by `python -m benchmarks.bulk`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--expand", type=int, default=1_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.write:
        asyncio.run(write())
        return 0
    kept = asyncio.run(run(chosen.users, chosen.expand, postgresql=chosen.postgresql))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
