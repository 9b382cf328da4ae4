"""Pictures of what may be on any screen, of lists without rows, and of consoles that start otherwise.

Look at each before you accept it with --snapshot-update.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.cli.console.console import command_line
from mission_control_tui.cli.main import root
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.settings.settings import Settings
from mission_control_tui.terminal.lifecycle import TerminalOptions
from mission_control_tui.widgets.command_bar import CommandBar
from mission_control_tui.widgets.line_list import LineList
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.pictures.test_bulks import lights, prepare
from tests.screens.pictures.test_home import home
from tests.screens.pictures.test_users import go, red, services
from tests.screens.picturing import NAMES, Step, take
from tests.screens.test_outage import change

TOO_SMALL = {"80x24": (80, 24), "79x24": (79, 24), "40x10": (40, 10)}


def console_of(app: MissionControlApp) -> ConsoleApp:
    assert isinstance(app, ConsoleApp)
    return app


async def ticket_asked(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "users")
    await shows(pilot, "4 users")
    await pilot.press("t")
    await type_text(pilot, "INC-42")
    await shows(pilot, "Ticket: INC-42")


async def ticket_set(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await ticket_asked(app, pilot)
    await pilot.press("enter")
    await shows(pilot, "Every change carries ticket INC-42")


async def read_only(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await services(app, pilot)
    await pilot.press("a")
    await until(pilot, lambda: "READ-ONLY" in text_of(app).splitlines()[0])


async def command_completed(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await home(app, pilot)
    await pilot.press("colon")
    await type_text(pilot, "users d")
    await pilot.press("tab")
    await shows(pilot, "deprovision", "disable")


async def command_refused(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await command_completed(app, pilot)
    await pilot.press("ctrl+u")
    await type_text(pilot, "nonsense")
    await pilot.press("enter")
    await shows(pilot, "There is no command 'nonsense' here.")
    assert app.screen.query_one(CommandBar).text == "nonsense"


async def help_on_a_field(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "new-user")
    await shows(pilot, "@acme.example")
    await pilot.press("f1")
    await shows(pilot, "Keys (")


async def help_on_a_panel(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await red(app, pilot)
    await pilot.press("question_mark")
    await shows(pilot, "Keys (")


async def nothing_found(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "users")
    await shows(pilot, "4 users")
    await pilot.press("slash")
    await type_text(pilot, "zz")
    await shows(pilot, "0 users")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        ticket_asked,
        ticket_set,
        read_only,
        command_completed,
        command_refused,
        help_on_a_field,
        help_on_a_panel,
        nothing_found,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    app = world.make_app(world_db)
    console_of(app).commands = command_line(str(world_db), Settings(), root)
    await take(app, STATES[state], snapshot)


EMPTY = {
    "users": "No users yet",
    "lights": "No service for users",
    "service-area": "No users yet",
    "requests": "",
    "bulks": "No bulk actions",
    "schedules": "Nothing is scheduled",
    "templates": "No templates",
    "drafts": "No drafts",
    "bin": "Nobody is in the recycling bin",
    "orders": "",
    "objects": "",
    "paste": "UPN made like",
    "new-user": "@acme.example",
}


@pytest.mark.parametrize("screen", EMPTY)
async def test_picture_of_an_empty(screen: str, new_db: Path, snapshot: SnapshotAssertion) -> None:
    async def reach(app: MissionControlApp, pilot: Pilot[int]) -> None:
        await go(app, pilot, screen)
        await shows(pilot, EMPTY[screen])

    await take(world.make_app(new_db), reach, snapshot, sizes={"80x24": NAMES["80x24"]})


async def test_picture_of_too_small(world_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(world_db), home, snapshot, sizes=TOO_SMALL)


THEMES = {
    "ascii": TerminalOptions(theme="dark-16", ascii=True),
    "light": TerminalOptions(theme="light"),
    "light-16": TerminalOptions(theme="light-16"),
    "no-color": TerminalOptions(theme="dark-16"),
}
THEMED: dict[str, Step] = {step.__name__: step for step in (home, red, lights)}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", THEMED)
async def test_picture_of_a_theme(
    state: str,
    theme: str,
    world_db: Path,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if theme == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    app = world.make_app(world_db, THEMES[theme])
    await take(app, THEMED[state], snapshot, quiet=True, sizes={"80x24": NAMES["80x24"]})


async def absent(_store: Any) -> str:
    """In place of a worker: nobody starts one."""
    return "absent"


def without_worker(path: Path) -> ConsoleApp:
    caller = replace(world.CALLER, source="console")
    return ConsoleApp(Settings(), str(path), None, None, caller, absent)


async def waits_for_a_worker(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await prepare(app)
    await go(app, pilot, "provision", "jo")
    await shows(pilot, "» Queued", "2 h")
    await pilot.press("enter")
    await shows(pilot, "no worker runs")


WORKERLESS: dict[str, Step] = {step.__name__: step for step in (home, waits_for_a_worker)}


@pytest.mark.parametrize("state", WORKERLESS)
async def test_picture_without_a_worker(
    state: str, world_db: Path, snapshot: SnapshotAssertion
) -> None:
    await take(without_worker(world_db), WORKERLESS[state], snapshot)


async def test_picture_of_a_real_console(world_db: Path, snapshot: SnapshotAssertion) -> None:
    settings = Settings(connectors={"simulator": {"type": "postgresql"}})
    caller = replace(world.CALLER, source="console", may_write=False)
    app = ConsoleApp(settings, str(world_db), None, None, caller, world.no_wake)
    await take(app, home, snapshot)


async def test_picture_of_an_outage(world_db: Path, snapshot: SnapshotAssertion) -> None:
    async def reach(app: MissionControlApp, pilot: Pilot[int]) -> None:
        await go(app, pilot, "users")
        await shows(pilot, "4 users")
        await change(world_db, "ALTER TABLE accounts RENAME TO accounts_away")
        app.screen.query_one(LineList).reload()
        await shows(pilot, "The database does not answer")

    await take(world.make_app(world_db), reach, snapshot)
