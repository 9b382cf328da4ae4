"""Pictures of the users' screens; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.screens.base.mission_screen import MissionScreen
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.picturing import Step, take
from tests.screens.users.driving import context_of, user_id


async def go(app: MissionControlApp, pilot: Pilot[int], name: str, *arguments: Any) -> None:
    """Open a screen over Home; a user may be named by the local part of the UPN."""
    await until(pilot, lambda: "This month  AUD" in text_of(app))
    home = app.screen
    assert isinstance(home, MissionScreen)
    if name in ("provision", "user", "edit-user"):
        arguments = (await user_id(context_of(app), str(arguments[0])), *arguments[1:])
    home.go_to(name, *arguments)
    await until(pilot, lambda: app.screen is not home and app.screen.is_mounted)


async def new_user(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "new-user")
    await shows(pilot, "@acme.example")


async def new_user_refused(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await new_user(app, pilot)
    await type_text(pilot, "ada")
    await shows(pilot, "[ Take ada2@acme.example ]")
    await pilot.press("f2")
    await shows(pilot, "fields need attention", "is taken by Ada Lovelace")


async def services(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "provision", "ada")
    await shows(pilot, "• Provisioned")
    await pilot.press("enter")
    await shows(pilot, "(•) Managed Exchange", "[ Suspend ]")


async def red(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "users")
    await shows(pilot, "Grace Hopper")
    await pilot.press("exclamation_mark")
    await shows(pilot, "mailbox store [DB01] is offline", "2 of 5 free")


async def level_change(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await services(app, pilot)
    await pilot.press("up", "space", "p")
    await shows(pilot, "Money:", "[ Change level ]")


async def users(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "users")
    await shows(pilot, "Ada Lovelace", "4 users")


async def user_functions(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await users(app, pilot)
    await pilot.press("enter")
    await shows(pilot, "User Functions", "Account Status")


async def reset_password(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await user_functions(app, pilot)
    await pilot.press("down", "down", "enter")
    await shows(pilot, "Reset Password of")


async def user(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "user", "grace")
    await shows(pilot, "User Functions", "Error")


async def edit_user(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "edit-user", "ada")
    await shows(pilot, "[ada@acme.example")
    app.screen.query_one("#f-title").focus()
    await type_text(pilot, "Countess")
    await shows(pilot, "Not yet provisioned: 1 change (Title)")


async def requests(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "requests")
    await shows(pilot, "Succeeded", "Failed", "Queued")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        new_user,
        new_user_refused,
        services,
        red,
        level_change,
        users,
        user_functions,
        reset_password,
        user,
        edit_user,
        requests,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(world_db), STATES[state], snapshot, quiet=True)
