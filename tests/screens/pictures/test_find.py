"""Pictures of Find and of the account switcher; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.picturing import Step, take
from tests.screens.two_accounts import add_globex, make_app


async def find_nothing_yet(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await pilot.press("slash")
    await shows(pilot, "Find anyone", "in all accounts")


async def find(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_nothing_yet(app, pilot)
    await type_text(pilot, "a")
    await shows(pilot, "Ada Lovelace", "Adam", "4 found")


async def find_a_phone(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_nothing_yet(app, pilot)
    await type_text(pilot, "123 456")
    await shows(pilot, "mobile +61 400 123", "1 found")


async def another_account(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_a_phone(app, pilot)
    await pilot.press("enter", "enter")
    await shows(pilot, "Account changed: acme -> globex", "User Functions")
    await until(pilot, lambda: "mine: 3 orange" in text_of(app))


async def find_recent(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await another_account(app, pilot)
    await pilot.press("slash")
    await shows(pilot, "whom you looked at last", "Homer Simpson")


async def switcher(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await pilot.press("o")
    await shows(pilot, "you are here", "2 accounts")


async def users_elsewhere(app: MissionControlApp, pilot: Pilot[int]) -> None:
    app.follow_link("users")
    await shows(pilot, "4 users")
    await pilot.press("slash")
    await type_text(pilot, "homer")
    await shows(pilot, "1 in other accounts: F3")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        find_nothing_yet,
        find,
        find_a_phone,
        another_account,
        find_recent,
        switcher,
        users_elsewhere,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await add_globex(world_db)
    await take(make_app(world_db), STATES[state], snapshot)
