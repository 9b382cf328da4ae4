"""A worker that ends as it starts, or cannot be started: the panel says so and what to do, and when it is mended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.model.store.database import Store
from mission_control_tui.settings.settings import Settings, WorkerSettings, locations
from tests.screens import world
from tests.screens.driving import answer, shows, text_of, until
from tests.screens.users.driving import context_of, user_id

FAILS = "it ends as it starts"
SETTINGS = Settings(worker=WorkerSettings(idle_seconds=0.2))


@pytest.fixture
def broken_settings() -> Iterator[Path]:
    """A settings file that no worker can read; the console was opened before."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[worker\n")
    yield file
    file.unlink(missing_ok=True)


def console_of(path: Path) -> ConsoleApp:
    """The console as it starts workers."""
    return ConsoleApp(SETTINGS, str(path), None, None, world.CALLER, None)


async def test_a_worker_that_fails_as_it_starts_is_said_until_one_comes_up(
    world_db: Path, broken_settings: Path
) -> None:
    app = console_of(world_db)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "This month  AUD")
        jo = await user_id(context_of(app), "jo")
        app.screen.go_to("provision", jo)  # type: ignore[attr-defined]
        await shows(pilot, "» Queued", FAILS, "see why")
        broken_settings.unlink()
        await until(pilot, lambda: FAILS not in text_of(app))
        await shows(pilot, "• Provisioned")
    await end_workers(world_db)


async def test_where_no_process_can_be_started_the_change_stays_and_it_is_said(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    app = console_of(world_db)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "This month  AUD")
        ada = await user_id(context_of(app), "ada")
        app.screen.go_to("provision", ada)  # type: ignore[attr-defined]
        await shows(pilot, "• Provisioned")
        await pilot.press("enter", "up", "space", "p")
        await shows(pilot, "change Managed Exchange of ada@acme.example from")
        await answer(pilot, "y")
        await shows(pilot, "» Queued", "Asked for: Managed Exchange", FAILS)


async def end_workers(path: Path) -> None:
    """End what this test started, by process id."""
    store = await Store.open(path)
    for one in await live_workers(store, 60):
        os.kill(one.pid, signal.SIGTERM)
    await store.close()
