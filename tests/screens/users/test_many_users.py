"""A hundred thousand users on the screen: the same work as a hundred, for opening, the end, a page and a search."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow
from mission_control_tui.widgets.line_list import PAGE, PAGES_KEPT, LineList
from tests.screens import world
from tests.screens.driving import burst, text_of, until
from tests.screens.users.driving import opened

FEW, MANY = 100, 100_000
TIMES_AS_LONG, TIMES_AS_MUCH = 1.5, 1.25
"""Time and memory; counting the rows is all that depends on them, paging that did would be a thousand times."""

ROUNDS = 6
Work = Callable[[MissionControlApp, Pilot[int]], Awaitable[None]]


async def fill(path: Path, count: int) -> None:
    """Put `count` users and the words that they are found by straight into the tables."""
    store = await Store.open(path)
    try:
        async with store.write(world.CALLER) as tx:
            account = await tx.session.scalar(select(AccountRow.id))
            users = [_user(account, number, tx.now) for number in range(count)]
            for start in range(0, count, 5_000):
                batch = users[start : start + 5_000]
                await tx.session.execute(insert(UserRow), batch)
                await tx.session.execute(insert(SearchTermRow), [_term(user) for user in batch])
    finally:
        await store.close()


def _user(account: object, number: int, now: object) -> dict[str, object]:
    name = f"user{number:06d}"
    return {
        "id": f"{number:032x}",
        "account_id": account,
        "upn": f"{name}@acme.example",
        "display_name": f"User {number:06d}",
        "sort_key": f"user {number:06d}",
        "username": name,
        "username_key": name,
        "details": {},
        "test_user": False,
        "disabled": False,
        "locked": False,
        "in_bin": False,
        "created_at": now,
        "updated_at": now,
    }


def _term(user: dict[str, object]) -> dict[str, object]:
    return {
        "account_id": user["account_id"],
        "in_bin": False,
        "term": user["username_key"],
        "user_id": user["id"],
        "sort_key": user["sort_key"],
    }


async def journey(path: Path, count: int) -> tuple[float, int]:
    """Open Users, go to the end, page up, find somebody: how many seconds, and the most memory."""
    last = count - 1
    async with opened(path, "users") as (app, pilot):
        await until(pilot, lambda: f"{count:,} users" in text_of(app))
        rows = app.screen.query_one(LineList)
        tracemalloc.start()
        started = time.perf_counter()
        await burst(app, pilot, ["end"])
        await until(pilot, lambda: f"User {last:06d}" in text_of(app))
        await burst(app, pilot, ["pageup", "pageup", "pageup", "pageup"])
        await until(pilot, lambda: rows.current is not None)
        await burst(app, pilot, ["home"])
        await until(pilot, lambda: "User 000000" in text_of(app))
        await burst(app, pilot, ["f3", *f"user{last:06d}"])
        await until(pilot, lambda: "1 user" in text_of(app) and f"{last:06d}" in text_of(app))
        await burst(app, pilot, ["backspace"] * 10)
        await until(pilot, lambda: f"{count:,} users" in text_of(app))
        await burst(app, pilot, ["escape"])
        await until(pilot, lambda: rows.has_focus)
        seconds = time.perf_counter() - started
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(len(page) for page in rows._pages.values()) <= PAGE * PAGES_KEPT
        return seconds, most


@pytest.mark.slow
@pytest.mark.benchmark
@pytest.mark.proof
async def test_a_hundred_thousand_users_are_as_quick_as_a_hundred(
    new_template: Path, tmp_path: Path
) -> None:
    paths = {count: tmp_path / f"{count}.db" for count in (FEW, MANY)}
    for count, path in paths.items():
        path.write_bytes(new_template.read_bytes())
        Path(f"{path}.key").write_bytes(Path(f"{new_template}.key").read_bytes())
        await fill(path, count)
    # In turn, so that a busy moment of this machine touches both; the least of each has the fewest of them.
    measured = [
        [await journey(path, count) for count, path in paths.items()] for _ in range(ROUNDS)
    ]
    (quick, little), (slow, much) = (
        map(min, zip(*runs, strict=True)) for runs in zip(*measured, strict=True)
    )
    assert slow < TIMES_AS_LONG * quick, measured
    assert much < TIMES_AS_MUCH * little, measured
