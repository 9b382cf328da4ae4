"""What a key of Find costs: ranges of an index whatever there is, and time in proportion to one page of a list."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks import finding as benchmark
from benchmarks.sample_users import CALLER
from benchmarks.users import plan_of, statements
from mission_control_tui.model.search import user_list
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope

USERS, ACCOUNTS = 3_000, 100
ROUNDS = 8
MOST_STATEMENTS = 20
MOST_PAGES = 60.0
"""A key may cost so many pages of one account's list; measured are 5 to 20, and half of that without the walks."""

LARGE = (
    "SCAN users",
    "SCAN addresses",
    "SCAN search_terms",
    "SCAN search_texts",
    "SCAN assignments",
)


@pytest.fixture
async def many(sqlite_where: str) -> AsyncIterator[Store]:
    store = await Store.open(Path(sqlite_where))
    accounts = await benchmark.make_accounts(store, ACCOUNTS)
    await benchmark.fill(store, accounts, USERS)
    yield store
    await store.close()


async def test_a_key_reads_ranges_and_costs_a_bounded_number_of_pages(many: Store) -> None:
    for typed in (*benchmark.TYPED, *benchmark.OFTEN, *benchmark.INSIDE):
        with statements(many) as seen:
            await find_anyone(many, CALLER, typed, 50, current=benchmark.CURRENT)
        assert len(seen) <= MOST_STATEMENTS, typed
        lines = [line for one in seen for line in await plan_of(many, *one)]
        assert not [line for line in lines if line.startswith(LARGE)], typed
        base, key = await best(many, typed)
        assert key <= MOST_PAGES * base, typed


async def best(store: Store, typed: str) -> tuple[float, float]:
    """The least seconds of a page and of a key, taken in turns: others may be busy on this machine."""
    pages, keys = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await user_list.page(AccountScope(store, CALLER, 1), UserFilter("smi"), limit=50)
        between = time.perf_counter()
        await find_anyone(store, CALLER, typed, 50, current=benchmark.CURRENT)
        pages.append(between - start)
        keys.append(time.perf_counter() - between)
    return min(pages), min(keys)
