"""Twenty thousand users marked and planned for: keys go on meanwhile, the event loop is never held for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from mission_control_tui.model import matrix
from mission_control_tui.model.database import Store
from mission_control_tui.model.tables import AssignmentRow, UserRow
from mission_control_tui.screens.bulk_new import BulkNewScreen

from . import world
from .driving import shows, until
from .test_many_users import fill
from .user_driving import opened

MANY = 20_000
HELD = 0.05
"""Seconds that nothing may hold the event loop, on a machine that does nothing else."""


class Longest:
    """The longest time that the event loop came back late, compared with what a plain loop of work takes here."""

    def __init__(self) -> None:
        self.seconds = 0.0


@asynccontextmanager
async def watched() -> AsyncIterator[Longest]:
    """Measure how late the event loop comes back meanwhile."""
    longest = Longest()

    async def watch() -> None:
        while True:
            started = time.perf_counter()
            before = time.thread_time()
            await asyncio.sleep(0.005)
            worked = time.thread_time() - before
            late = time.perf_counter() - started - 0.005
            # What others took of this machine is no fault of ours: only what this thread worked counts.
            longest.seconds = max(longest.seconds, min(worked, late))

    task = asyncio.create_task(watch())
    try:
        yield longest
    finally:
        task.cancel()


async def give_mailboxes(path: Path) -> None:
    """Every second user has a mailbox, and some are red."""
    store = await Store.open(path)
    try:
        async with store.write(world.CALLER) as tx:
            ids = (await tx.session.execute(select(UserRow.account_id, UserRow.id))).all()
            rows: list[dict[str, object]] = [
                {
                    "id": f"{number + 1:032x}",
                    "account_id": account,
                    "subject_kind": "user",
                    "subject_id": user,
                    "user_id": user,
                    "service_id": "managed-exchange",
                    "instance": "",
                    "connector": "simulator",
                    "backend_name": f"box{number}",
                    "wish": "present",
                    "level_id": "popx",
                    "settings": {},
                    "generation": 1,
                    "light": "red" if number % 100 == 0 else "green",
                    "word": "Error" if number % 100 == 0 else "Provisioned",
                    "since": tx.now,
                    "observed_wish": "present",
                }
                for number, (account, user) in enumerate(ids)
                if number % 2 == 0
            ]
            for start in range(0, len(rows), 5_000):
                await tx.session.execute(insert(AssignmentRow), rows[start : start + 5_000])
    finally:
        await store.close()


@pytest.mark.slow
@pytest.mark.benchmark
async def test_marking_and_planning_for_twenty_thousand_holds_nothing_up(new_db: Path) -> None:
    await fill(new_db, MANY)
    await give_mailboxes(new_db)
    async with opened(new_db, "lights") as (app, pilot):
        await shows(pilot, "20,000 users")
        async with watched() as marking:
            await pilot.press("asterisk")
            await shows(pilot, "20,000 marked")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, BulkNewScreen))
        await shows(pilot, "For 20,000 users")
        new = app.screen
        assert isinstance(new, BulkNewScreen)
        new.query_one("#action").value = "disable"  # type: ignore[attr-defined]
        new.query_one("#go").focus()
        async with watched() as planning:
            await pilot.press("p")
            await until(pilot, lambda: new._plan is not None)
        assert new._plan is not None
        assert new._plan.total == MANY
        held = {"marking": marking.seconds, "planning": planning.seconds}
        assert max(held.values()) < HELD, held


@pytest.mark.slow
async def test_all_that_the_filter_finds_is_marked_beyond_the_loaded_pages(new_db: Path) -> None:
    await fill(new_db, 1_000)
    await give_mailboxes(new_db)
    async with opened(new_db, "lights", "popx") as (app, pilot):
        await shows(pilot, "500 users")
        app.screen.query_one("#lights").focus()
        await pilot.press("asterisk")
        await shows(pilot, "500 marked; 500 users")
        store = app.store.store
        found = await matrix.ids(store, world.CALLER, app.store.account_id)
        assert app.screen.marked == tuple(sorted(found[::2]))  # type: ignore[attr-defined]
