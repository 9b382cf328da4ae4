"""Pictures of Settings; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.settings.settings import locations
from tests.screens import world
from tests.screens.driving import shows
from tests.screens.pictures.test_home import open_screen
from tests.screens.picturing import Step, take

TO_KEYS = ["tab"] * 7
HOSTILE = '[console.keymap]\n"x\\u001b[31m" = "c"\nprovision = "\\u202ee"\nsort = "[b]c[/b]"\n'


def write(text: str) -> None:
    path = locations().settings_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def settings(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "settings")
    await shows(pilot, "nothing is changed")


async def settings_changed(app: MissionControlApp, pilot: Pilot[int]) -> None:
    write('[console]\npage_jump = 5\nkeymap = { sort = "c" }\n')
    await settings(app, pilot)
    await pilot.press("right", "tab", "tab", "space", *["tab"] * 5, "down", "down", "enter", "f5")
    await shows(pilot, "Back (back) and Retry")


async def settings_asked_for_a_key(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await settings(app, pilot)
    await pilot.press(*TO_KEYS, "end", "enter")
    await shows(pilot, "Press the new key for Redraw.")


async def settings_wrong(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await settings(app, pilot)
    await pilot.press(*["tab"] * 4, "end", "backspace", "x", "escape", "enter")
    await shows(pilot, "a number from 0 to 1000")


async def settings_hostile(app: MissionControlApp, pilot: Pilot[int]) -> None:
    write(HOSTILE)
    await settings(app, pilot)
    await shows(pilot, "Left out")


async def settings_broken(app: MissionControlApp, pilot: Pilot[int]) -> None:
    write("[console\n")
    await open_screen(app, pilot, "settings")
    await shows(pilot, "is not valid TOML", "see above")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        settings,
        settings_changed,
        settings_asked_for_a_key,
        settings_wrong,
        settings_hostile,
        settings_broken,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(world_db), STATES[state], snapshot)
