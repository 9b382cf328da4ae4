"""What is typed while the console opens, or goes back where it was lost, waits for its place or does nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.operators import sessions
from mission_control_tui.model.store.database import Store
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.find import FindScreen
from mission_control_tui.screens.home import HomeScreen
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.terminal import key_queue
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.find_box import FindBox
from tests.console.test_session_restore import console, go
from tests.screens import two_accounts, world
from tests.screens.driving import burst, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, user_id

PACES = (0.0, 0.08, *(pytest.param(pace, marks=pytest.mark.proof) for pace in (0.03, 0.2)))


async def type_ahead(app: MissionControlApp, pilot: Pilot[int], keys: str, pace: float) -> None:
    for piece in [keys] if not pace else keys:
        await burst(app, pilot, piece)
        await asyncio.sleep(pace)


def requests_in(path: Path) -> int:
    """How many requests were ever queued."""
    with closing(sqlite3.connect(path)) as database:
        (count,) = database.execute("SELECT count(*) FROM requests").fetchone()
    return int(count)


@asynccontextmanager
async def starting(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 0.5
) -> AsyncIterator[tuple[MissionControlApp, Pilot[int]]]:
    """The console on a database that takes its time to open."""
    open_store: Callable[..., Awaitable[Context]] = ConsoleApp._open_store

    async def slowly(app: ConsoleApp) -> Context:
        await asyncio.sleep(seconds)
        return await open_store(app)

    monkeypatch.setattr(ConsoleApp, "_open_store", slowly)
    app = world.make_app(path)
    async with app.run_test(size=(80, 24)) as pilot:
        yield app, pilot


@pytest.mark.parametrize("pace", PACES)
async def test_what_is_typed_while_the_database_opens_waits_in_order(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    async with starting(world_db, monkeypatch) as (app, pilot):
        await type_ahead(app, pilot, "/quinn peter", pace)
        await until(pilot, lambda: isinstance(app.screen, FindScreen))
        await until(pilot, lambda: app.screen.query_one(FindBox).text == "quinn peter")
        assert app.is_running
        assert not context_of(app).caller.ticket


async def test_what_waits_too_long_for_the_database_is_refused_as_a_whole(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "HOLDS", 0.5)
    async with starting(world_db, monkeypatch, seconds=3.0) as (app, pilot):
        await type_ahead(app, pilot, "/quinn", 0.0)
        await shows(pilot, "Nothing was done: the console is still being made ready")
        assert not app.is_open
        await until(pilot, lambda: app.is_open)
        await shows(pilot, "This month  AUD")
        assert isinstance(app.screen, HomeScreen)
        assert app.is_running


async def test_a_console_whose_database_never_opens_can_be_left(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "HOLDS", 0.3)
    async with starting(world_db, monkeypatch, seconds=60.0) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running or app._exit)
        assert app.return_code == 0


async def test_what_is_typed_before_the_accounts_are_offered_chooses_none(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_accounts.add_globex(world_db)
    async with starting(world_db, monkeypatch) as (app, pilot):
        await burst(app, pilot, ["down", "enter", "p"])
        await shows(pilot, "2 accounts", "came by itself")
        assert not app.is_open
        await pilot.press("down", "enter")
        await shows(pilot, "This month  AUD")


async def test_what_is_typed_once_the_accounts_are_seen_chooses(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the console itself hears on a busy machine that the screen is there."""
    await two_accounts.add_globex(world_db)
    push: Callable[..., Awaitable[None]] = ConsoleApp.push_screen

    async def slowly(app: ConsoleApp, *given: object) -> None:
        await push(app, *given)
        await asyncio.sleep(0.5)

    async with starting(world_db, monkeypatch) as (app, pilot):
        monkeypatch.setattr(ConsoleApp, "push_screen", slowly)
        await shows(pilot, "2 accounts")
        assert app.is_arriving
        await pilot.press("down", "enter")
        await shows(pilot, "This month  AUD")


async def test_what_is_typed_before_the_place_is_there_is_for_home_and_the_place_is_offered(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(world_db) as (app, pilot):
        alan = await user_id(context_of(app), "alan")
        go(app, "provision", alan)
        await shows(pilot, "Managed Exchange")
        await pilot.press("enter", "up", "space")
        await shows(pilot, "(•) Standard Mail (POPX)")
        before = requests_in(world_db)
        app.accounts.change_caller(ticket="INC-1")
        app.exit(return_code=129)

    lost = sessions.lost

    async def slowly(store: Store, caller: object) -> object:
        await asyncio.sleep(0.3)
        return await lost(store, caller)  # type: ignore[arg-type]

    monkeypatch.setattr(sessions, "lost", slowly)
    async with console(world_db) as (app, pilot):
        await burst(app, pilot, ["p", "y"])
        await shows(pilot, "This month  AUD")
        await until(pilot, lambda: not app.is_behind and not app.is_arriving)
        assert isinstance(app.screen, HomeScreen)
        assert requests_in(world_db) == before
        app.accounts.change_caller(ticket="INC-2")
        await pilot.press("g")
        await shows(pilot, "Where the connection was lost")
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "Alan Turing", "(•) Standard Mail (POPX)")
        assert "Where the connection" not in text_of(app)
        assert app.accounts.caller.ticket == "INC-2"


async def test_what_was_typed_since_stays_when_the_lost_place_is_gone_to(world_db: Path) -> None:
    async def type_first_name(text: str) -> None:
        go(app, "new-user")
        await until(pilot, lambda: app.screen.query("#f-first-names"))
        field = app.screen.query_one("#f-first-names", Field)
        field.focus()
        field.value = ""
        await type_text(pilot, text)

    async with console(world_db) as (app, pilot):
        await type_first_name("Older")
        app.exit(return_code=129)
    async with console(world_db) as (app, pilot):
        await burst(app, pilot, ["down"])
        await until(pilot, lambda: not app.is_behind and not app.is_arriving)
        await type_first_name("Newer")
        await pilot.press("f9")
        await shows(pilot, "Where the connection was lost")
        await pilot.press("home", "enter")
        await shows(pilot, "[Newer")
