"""100,000 users: finding as one types, a page anywhere in the order, counts by light; and an import of 10,000.

    python -m benchmarks.users [--users N] [--services N] [--import-rows N] [--no-plans]

Builds a SQLite database in a temporary directory, prints each figure with its budget and verdict, and the plans of the
queries. Exit status 1 when a budget is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, event, insert

from benchmarks.sample_users import CALLER, DOMAIN, fill, make_account, people
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.domains import address_registry
from mission_control_tui.model.onboarding.file_import import Passwords, run_import
from mission_control_tui.model.onboarding.files.formats import MICROSOFT_365
from mission_control_tui.model.onboarding.files.read import read_users
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.people.values import text_of
from mission_control_tui.model.search import user_list
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    SecretRow,
    UserRow,
)
from mission_control_tui.model.users import queries as users

BUDGET_MS = 20.0
IMPORT_RATIO = 30.0
IMPORT_AIM = 10.0
REPEATS = 9
TURNS = 8
IMPORTED = (SecretRow, UserRow, AddressRow, SearchTermRow, SearchTextRow, AuditRow)

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Case:
    """Something to be measured; without a budget it is only shown."""

    name: str
    call: Call
    budget_ms: float | None = BUDGET_MS


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: object
    ) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", note)


async def plan_of(store: Store, statement: str, parameters: Any) -> list[str]:
    """How SQLite carries the statement out."""
    async with store.engine.connect() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [str(list(row)[3]) for row in rows]


def cases(store: Store, account: int, count: int) -> list[Case]:
    """Everything that an operator waits for while looking for somebody."""

    def page(offset: int = 0, **wanted: Any) -> Call:
        return lambda: user_list.page(
            AccountScope(store, CALLER, account), UserFilter(**wanted), offset=offset
        )

    some = f"james.smith@{DOMAIN}"
    made = [
        Case("page at the start", page()),
        Case(f"page at {count // 2:,}", page(offset=count // 2)),
        Case(f"page at {count - 50 - count // 1000:,}", page(offset=count - 50 - count // 1000)),
        Case("disabled users only", page(disabled=True)),
        Case("users with a red light", page(lights=frozenset({Light.RED}))),
        Case("users with a green light", page(lights=frozenset({Light.GREEN}))),
        Case("the recycling bin", page(in_bin=True)),
        Case("the account at a glance", lambda: show(AccountScope(store, CALLER, account))),
        Case(
            "is this UPN free? (taken)",
            lambda: address_registry.upn_status(AccountScope(store, CALLER, account), some),
        ),
        Case(
            "is this UPN free? (free)",
            lambda: address_registry.upn_status(AccountScope(store, CALLER, account), "x" + some),
        ),
        Case("one user by UPN", lambda: users.details(AccountScope(store, CALLER, account), some)),
    ]
    typed = (
        "j",
        "m",
        "s",
        "z",
        "ja",
        "smi",
        "james",
        "zoë",
        "o'br",
        "james.smith",
        some,
        "+61 2 9000 0",
        "02 9000 0001",
    )
    made += [Case(f"find {query!r}", page(text=query)) for query in (*typed, "nobody-at-all")]
    made += [
        Case("find 'james smith'", page(text="james smith")),
        Case("find 'j s' (half and a quarter of all)", page(text="j s"), None),
        Case("find 'zoë quinnham'", page(text="zoë quinnham")),
        Case("find 'j', red only", page(text="j", lights=frozenset({Light.RED}))),
        Case("find 'j', page at 5,000", page(text="j", offset=5000), None),
        Case("find '61' (everybody)", page(text="61"), None),
        Case("green, page at half", page(lights=frozenset({Light.GREEN}), offset=count // 2), None),
    ]
    return made


async def timed(call: Call) -> float:
    """Milliseconds, the median of several calls after one that warms up."""
    await call()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def beside(one: Call, other: Call) -> tuple[float, float]:
    """Milliseconds of both, the quickest of several turns: what else runs here makes each slower, and none quicker."""
    quickest = [math.inf, math.inf]
    for turn in range(TURNS):
        for place, call in enumerate((one, other)):
            start = time.perf_counter()
            await call()
            if turn:  # the first one warms up
                taken = (time.perf_counter() - start) * 1000
                quickest[place] = min(quickest[place], taken)
    return quickest[0], quickest[1]


def say(line: str = "") -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")


async def report(path: Path, count: int, services: int, *, plans: bool) -> bool:
    """Build, measure, print; True when every budget is kept."""
    start = time.perf_counter()
    store = await Store.open(path)
    try:
        account = await make_account(store)
        await fill(store, account, count, services)
        took = time.perf_counter() - start
        say(f"{count:,} users and {services:,} services, built in {took:.0f} s\n")
        kept = True
        shown: set[str] = set()
        for case in cases(store, account, count):
            taken = await timed(case.call)
            good = case.budget_ms is None or taken <= case.budget_ms
            kept = kept and good
            verdict = "      " if case.budget_ms is None else "kept  " if good else "BROKEN"
            budget = "" if case.budget_ms is None else f"of {case.budget_ms:.0f} ms"
            say(f"{verdict} {taken:8.2f} ms {budget:9} {case.name}")
            if plans:
                with statements(store) as seen:
                    await case.call()
                for statement, parameters in seen:
                    if statement not in shown:
                        shown.add(statement)
                        for line in await plan_of(store, statement, parameters):
                            say(f"              {line}")
        return kept
    finally:
        await store.close()


async def import_report(directory: Path, count: int) -> bool:
    """Import a file of `count` users, and insert the very same rows with SQLAlchemy Core; True within the ratio."""
    file_bytes = m365_file(count)
    store = await Store.open(directory / "import.db")
    other = await Store.open(directory / "core.db")
    try:
        account = await make_account(store)
        await make_account(other)
        start = time.perf_counter()
        file = read_users(file_bytes)
        read = time.perf_counter() - start
        outcome = await run_import(
            AccountScope(store, CALLER, account), file, passwords=Passwords.GENERATE
        )
        imported = time.perf_counter() - start
        start = time.perf_counter()
        again = await run_import(AccountScope(store, CALLER, account), file)
        repeated = time.perf_counter() - start
        tables = [cast("Table", row.__table__) for row in IMPORTED]
        async with store.engine.connect() as connection:
            rows = [
                [dict(row) for row in (await connection.execute(table.select())).mappings()]
                for table in tables
            ]
        start = time.perf_counter()
        async with other.engine.execution_options(mc_write=True).begin() as connection:
            for table, found in zip(tables, rows, strict=True):
                await connection.execute(insert(table), found)
        core = time.perf_counter() - start
    finally:
        await store.close()
        await other.close()
    if len(outcome.result.created) != count or again.result.unchanged != count:
        raise SystemExit(f"the import is wrong: {outcome.result}")
    ratio = imported / core
    verdict = "kept  " if ratio <= IMPORT_RATIO else "BROKEN"
    inserted = sum(len(found) for found in rows)
    say(f"{count:,} users imported in {imported:.2f} s, of which {read:.2f} s reading the file")
    say(f"the same {inserted:,} rows inserted by SQLAlchemy Core in {core:.2f} s")
    aim = "" if ratio <= IMPORT_AIM else f", aim {IMPORT_AIM:.0f}"
    say(f"{verdict} ratio {ratio:.1f} of {IMPORT_RATIO:.0f}{aim}")
    say(f"       the same file again, all unchanged: {repeated:.2f} s\n")
    return ratio <= IMPORT_RATIO


def m365_file(count: int) -> bytes:
    """A file as Microsoft 365 writes it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = {
        column.field: column
        for column in reversed(list(MICROSOFT_365.columns.values()))
        if column.field in FIELD_BY_NAME
    }.values()
    writer.writerow(column.heading for column in columns)
    for details in people(count, seed=3):
        writer.writerow(text_of(getattr(details, column.field)) for column in columns)
    return text.getvalue().encode()


def main() -> int:
    """Run by `python -m benchmarks.users`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.users", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--services", type=int, default=120_000)
    parser.add_argument("--import-rows", type=int, default=10_000)
    parser.add_argument("--no-plans", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mc-benchmark-") as directory:
        path = Path(directory) / "users.db"
        kept = True
        if chosen.import_rows:
            kept = asyncio.run(import_report(Path(directory), chosen.import_rows))
        if chosen.users:
            plans = not chosen.no_plans
            kept &= asyncio.run(report(path, chosen.users, chosen.services, plans=plans))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
