"""An import of a large file while another process writes, and how long that one waits beside an idle database.

    python -m benchmarks.imports [--rows N] [--giving N] [--postgresql]

Imports users alone, users who get a service, and updates that change every one of them. Prints rows a second, the
longest that the import holds the event loop and SQLite's lock for writing, and the longest wait of the other process
for a write of its own, beside its waits in the same run while nothing else happened.
Exit status 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass

from benchmarks.bulk import HELD_MS, LOCKED_MS, WAITED_MS, Writer, another_writer, verdict
from benchmarks.databases import analysed, new_database
from benchmarks.holding import lock_watched, loop_watched
from benchmarks.sample_users import CALLER, fill, make_account
from benchmarks.users import say
from mission_control_tui.model.onboarding.file_import import Passwords, run_import
from mission_control_tui.model.onboarding.files.read import read_users
from mission_control_tui.model.services import seats
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope

EXCHANGE, LEVEL, OTHER_LEVEL = "managed-exchange", "popx", "pc-web"
ROWS_A_SECOND = {"users": 400.0, "users with a service": 100.0, "updates": 100.0}
IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Case:
    """A file to import."""

    name: str
    rows: int
    text: str
    update: bool = False


def users(count: int, prefix: str, *, level: str = "", title: str = "") -> str:
    """A file of users, each managed by one of the first ten."""
    heading = "UPN,Display Name,First name,Last name,Title,Phone,Manager,Service,Level"
    lines = [
        f"{prefix}{n}@acme.example,Anna{n} Berg,Anna{n},Berg{n % 997},{title or f'Clerk {n % 13}'},"
        f"+61 2 5550 {n % 10_000:04d},"
        f"{f'{prefix}{n % 10}@acme.example' if n > 9 else ''},{EXCHANGE if level else ''},{level}"
        for n in range(count)
    ]
    return "\n".join([heading, *lines]) + "\n"


async def measured(case: Case, store: Store, account: int, writer: Writer, idle: float) -> bool:
    """Import it; whether every budget was kept."""
    scope = AccountScope(store, CALLER, account)
    file = await asyncio.to_thread(read_users, case.text.encode())
    await writer.longest()
    begun, spent = time.perf_counter(), time.process_time()
    with lock_watched(store) as locked:
        async with loop_watched() as held:
            outcome = await run_import(
                scope, file, update=case.update, passwords=Passwords.GENERATE
            )
    took, spent = time.perf_counter() - begun, time.process_time() - spent
    waited = await writer.longest()
    result, budget = outcome.result, ROWS_A_SECOND[case.name]
    speed = case.rows / spent
    say(f"{case.rows:,} {case.name}: {took:.1f} s, of which this process worked {spent:.1f} s")
    done = f"{len(result.created):,} created, {result.changed:,} changed, {len(result.refused):,} refused"
    say(f"         {done}, {case.rows / took:,.0f} rows a second")
    good = not result.refused and len(result.created) + result.changed == case.rows
    quick = speed >= budget
    word = "kept  " if quick else "BROKEN"
    say(f"  {word} {speed:8.0f} of {budget:.0f}  rows a second of the processor")
    good &= quick & verdict("longest hold of the event loop", held.seconds, HELD_MS)
    if store.is_sqlite:
        good &= verdict("longest transaction that writes", locked.seconds, LOCKED_MS)
    else:
        say(f"         {locked.seconds * 1000:8.1f} ms         longest transaction that writes")
    say(
        f"         {waited / idle:8.1f} times      the longest wait of another writer on an idle database"
    )
    return good & verdict("longest wait of another writer", waited, WAITED_MS)


async def report(where: str, rows: int, giving: int) -> bool:
    """Build, measure, print; True when every budget is kept."""
    store = await Store.open(where)
    try:
        account = await make_account(store)
        await fill(store, account, 100, 120)
        async with store.write(CALLER, account) as tx:
            for level in (LEVEL, OTHER_LEVEL):
                await seats.add(tx, account, EXCHANGE, level, 2 * giving)
        await analysed(store)
        kept = True
        async with another_writer(where) as writer:
            await writer.longest()
            await asyncio.sleep(IDLE_SECONDS)
            idle = await writer.longest()
            say(f"longest wait of a writer on an idle database: {idle * 1000:.1f} ms")
            for case in (
                Case("users", rows, users(rows, "u")),
                Case("users with a service", giving, users(giving, "g", level=LEVEL)),
                Case(
                    "updates",
                    giving,
                    users(giving, "g", level=OTHER_LEVEL, title="Head"),
                    update=True,
                ),
            ):
                kept &= await measured(case, store, account, writer, idle)
        return kept
    finally:
        await store.close()


async def run(rows: int, giving: int, *, postgresql: bool) -> bool:
    """One database, filled and measured."""
    async with new_database(postgresql=postgresql) as where:
        return await report(where, rows, giving)


def main() -> int:
    """Run by `python -m benchmarks.imports`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--giving", type=int, default=6_000)
    parser.add_argument("--postgresql", action="store_true")
    chosen = parser.parse_args()
    kept = asyncio.run(run(chosen.rows, chosen.giving, postgresql=chosen.postgresql))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
