"""What a console costs its host: nothing is imported, read, parsed or kept that is not needed."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
from sqlalchemy import event
from textual.widget import Widget

from mission_control_tui.console.stylesheet import ParsedOnceStylesheet
from mission_control_tui.model.accounts.front_page import FrontPage, front_page
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import sessions
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import ACTIVE_STATES, Light, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from tests.screens import world
from tests.screens.driving import console, shows, until


def test_home_needs_no_dialect_that_is_not_spoken_and_nothing_of_how_requests_wait_and_end() -> (
    None
):
    code = (
        "import sys\n"
        "import mission_control_tui.model.accounts.front_page\n"
        "import mission_control_tui.model.bulk.item_storage\n"
        "import mission_control_tui.model.operators.recents\n"
        "import mission_control_tui.provisioning.launcher\n"
        "unwanted = 'dialects.postgresql', 'requests.outcomes', 'requests.dependencies'\n"
        "print([name for name in sys.modules if any(part in name for part in unwanted)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_home_is_one_reading_of_the_database(world_db: Path) -> None:
    store = await Store.open(world_db)
    try:
        scope = AccountScope(store, world.CALLER, "acme")
        readings: list[object] = []
        event.listen(store.engine.sync_engine, "begin", readings.append)
        page = await front_page(scope, 50)
        assert len(readings) == 1
        details = await show(scope)
        assert page.details == details
        assert page.red == await status(scope, light=Light.RED, limit=50)
        ended = frozenset(RequestState) - ACTIVE_STATES
        assert page.active == await list_requests(scope, states=ACTIVE_STATES, limit=50)
        assert page.ended == await list_requests(scope, states=ended, limit=50)
        assert page.red
        assert page.active
        assert page.ended
        short = await front_page(scope, 1)
        assert (short.active, short.ended) == (page.active[:1], page.ended[:1])
    finally:
        await store.close()


async def test_home_asks_the_database_nothing_twice(world_db: Path) -> None:
    store = await Store.open(world_db)
    try:
        scope = AccountScope(store, world.CALLER, "acme")
        asked: list[tuple[str, str]] = []

        def ask(_1: object, _2: object, statement: str, values: object, *_: object) -> None:
            asked.append((statement, str(values)))

        event.listen(store.engine.sync_engine, "before_cursor_execute", ask)
        assert (await front_page(scope, 50)).red
        assert asked
        assert len(asked) == len(set(asked))
    finally:
        await store.close()


async def test_a_worker_that_runs_is_no_reason_to_read_home_again(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = []

    async def counted(scope: AccountScope, limit: int) -> FrontPage:
        readings.append(limit)
        return await front_page(scope, limit)

    monkeypatch.setattr("mission_control_tui.model.accounts.front_page.front_page", counted)
    async with console(world_db) as (app, pilot):
        await until(pilot, lambda: app.store.worker == "running")
        await pilot.pause(0.5)
        assert len(readings) == 1


@pytest.mark.parametrize("answers", [True, False])
async def test_home_is_filled_before_the_console_looks_for_anything_else(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    happened = []
    answered = asyncio.Event()

    async def read(scope: AccountScope, limit: int) -> FrontPage:
        if not answers:
            await answered.wait()
        page = await front_page(scope, limit)
        happened.append("home")
        return page

    async def begun(store: Store, caller: Caller) -> None:
        happened.append("session")
        await begin(store, caller)

    begin = sessions.begin
    monkeypatch.setattr("mission_control_tui.model.accounts.front_page.front_page", read)
    monkeypatch.setattr("mission_control_tui.model.operators.sessions.begin", begun)
    longest = 30.0 if answers else 0.1
    monkeypatch.setattr("mission_control_tui.console.app.FIRST_READING_SECONDS", longest)
    app = world.make_app(world_db, session="here")
    async with app.run_test() as pilot:
        await until(pilot, lambda: "session" in happened)
        answered.set()
        assert happened[0] == ("home" if answers else "session")


def test_a_source_is_parsed_once_for_each_set_of_variables() -> None:
    sheet = ParsedOnceStylesheet(variables={"ink": "red"})
    sheet.add_source("Label { color: $ink; }", read_from=("first", ""))
    (first,) = sheet.rules
    sheet.add_source("Button { color: $ink; }", read_from=("second", ""))
    sheet.set_variables({"ink": "red"})
    sheet.reparse()
    assert sheet.rules[0] is first
    sheet.set_variables({"ink": "blue"})
    sheet.reparse()
    again, second = sheet.rules
    assert again is not first
    assert again.styles.color == second.styles.color != first.styles.color


async def test_nothing_that_a_left_screen_has_drawn_is_kept(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        app.follow_link("settings")
        await shows(pilot, "Theme")
        drawn = [weakref.ref(widget._styles_cache) for widget in app.screen.walk_children(Widget)]
        assert drawn
        app.follow_link("home")
        await shows(pilot, "This month  AUD")

        def is_gone() -> bool:
            gc.collect()
            return not any(cache() for cache in drawn)

        await until(pilot, is_gone)
