"""What SQLite reads for lists and searches: ranges of indexes, never a whole table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from mission_control_tui.model.accounts.overview import light_counts
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.domains import address_registry
from mission_control_tui.model.search import user_list
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from tests.model.conftest import DOMAIN, make_account


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The queries that run meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: object) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def plan(store: Store, seen: list[tuple[str, Any]]) -> list[str]:
    """The lines of SQLite's plans for these queries."""
    lines: list[str] = []
    async with store.engine.connect() as connection:
        for statement, parameters in seen:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines += [str(list(row)[3]) for row in rows]
    return lines


@pytest.fixture
async def account_id(sqlite_store: Store, caller: Caller, catalogue: Catalogue) -> int:
    """An account without users: SQLite plans without statistics, so that sizes do not matter."""
    return (await make_account(sqlite_store, caller, catalogue, "acme", DOMAIN)).id


@pytest.mark.parametrize("query", ["", "a", "a b", "a b c"])
async def test_no_list_reads_a_whole_table(
    sqlite_store: Store,
    caller: Caller,
    account_id: int,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
) -> None:
    filters = product((None, True), (None, Light.RED), (False, True), (-1, 1))
    for disabled, light, in_bin, few in filters:
        monkeypatch.setattr(user_list, "FEW", few)
        with statements(sqlite_store) as seen:
            await user_list.page(
                AccountScope(sqlite_store, caller, account_id),
                UserFilter(
                    query, frozenset({light} if light else ()), disabled=disabled, in_bin=in_bin
                ),
                offset=3,
            )
        lines = await plan(sqlite_store, seen)
        _check(lines, walks=not query and not (light and few > 0))


def _check(lines: list[str], *, walks: bool) -> None:
    tables = ("users", "search_terms", "assignments", "addresses")
    assert not [line for line in lines if line.startswith("SCAN") and line.endswith(tables)]
    assert not [line for line in lines if "AUTOMATIC" in line]
    read = [line for line in lines if line.startswith("SEARCH users") and "(account_id=?" in line]
    assert all("COVERING INDEX ix_users_listing" in line for line in read)
    if walks:
        assert read
        (page,) = [line for line in lines if "MATERIALIZE" in line or "CO-ROUTINE page" in line]
        after = lines.index(page)
        assert lines[after + 1].startswith("SEARCH users USING COVERING INDEX ix_users_listing")
        assert "TEMP B-TREE" not in lines[after + 2], "the index has the order"


async def test_counts_and_single_users_are_read_from_indexes(
    sqlite_store: Store, caller: Caller, account_id: int
) -> None:
    with statements(sqlite_store) as seen:
        async with sqlite_store.read() as session:
            await light_counts(session, account_id, ())
    assert "COVERING INDEX ix_assignments_light" in " ".join(await plan(sqlite_store, seen))
    with statements(sqlite_store) as seen:
        await address_registry.upn_status(
            AccountScope(sqlite_store, caller, account_id), f"ada@{DOMAIN}"
        )
    assert len(seen) == 2, "the account, and one indexed query"
    assert not [line for line in await plan(sqlite_store, seen) if line.startswith("SCAN")]
