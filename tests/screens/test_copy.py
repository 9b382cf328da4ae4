"""Copying: what `y` hands to the terminal on each screen, and where it is shown; passwords leave no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.password_fields import RevealButton
from mission_control_tui.screens.services.service_panel import UserServicePanel
from mission_control_tui.widgets.overlays import PlainLines
from tests.screens.driving import console, shows, text_of, type_text, until
from tests.screens.users.driving import opened


async def copies(pilot: Pilot[int], wanted: str) -> None:
    """Press `y`: the terminal gets `wanted`, and it is said."""
    app = pilot.app
    assert isinstance(app, MissionControlApp)
    await pilot.press("y")
    await until(pilot, lambda: app.clipboard == wanted)
    await shows(pilot, f"Copied: {wanted}")


async def test_the_upn_of_the_row_is_copied(world_db: Path) -> None:
    async with opened(world_db, "users") as (_app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("down", "down")
        await copies(pilot, "grace@acme.example")


async def test_the_upn_of_the_user_is_copied(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (_app, pilot):
        await shows(pilot, "User Functions")
        await copies(pilot, "ada@acme.example")


async def test_the_number_of_an_order_is_copied(world_db: Path) -> None:
    async with opened(world_db, "orders") as (_app, pilot):
        await shows(pilot, "Email: Standard Mail")
        await copies(pilot, "2")


async def test_who_was_found_and_an_order_are_copied(world_db: Path) -> None:
    async with console(world_db) as (_app, pilot):
        await pilot.press("/")
        await type_text(pilot, "grace")
        await shows(pilot, "Grace Hopper")
        await pilot.press("down")
        await copies(pilot, "grace@acme.example")


async def test_a_red_panel_gives_its_error_with_step_and_remedy(world_db: Path) -> None:
    async with opened(world_db, "provision", "grace") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        panel = app.screen.query_one("#panel-managed-exchange", UserServicePanel)
        panel.focus()
        await pilot.press("y")
        await shows(pilot, "Copied. Esc goes back")
        lines = app.clipboard.splitlines()
        assert lines[0].startswith("grace@acme.example: Managed Exchange")
        assert lines[-1].startswith("What to do: ")
        assert any(line.startswith("The back end said: ") for line in lines)
        shown = text_of(app).splitlines()
        assert shown[1 : 1 + len(lines)] == lines
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(PlainLines))
        assert app.screen.focused is panel.title_line


async def test_a_panel_that_is_not_red_gives_the_user(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        app.screen.query_one("#panel-managed-exchange", UserServicePanel).focus()
        await copies(pilot, "ada@acme.example")


async def test_a_request_gives_what_was_said_and_what_to_do(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "Tries")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.startswith("request "))
        await pilot.press("escape", "enter")
        await shows(pilot, "Steps and events")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.startswith("request "))


async def test_what_a_name_says_stays_on_one_line(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, MissionScreen)
        screen.copy("ada\nrm -rf ~\n\x1b[2J")
        await pilot.pause()
        assert "\n" not in app.clipboard
        assert "\x1b" not in app.clipboard
        screen.copy(["first", "sec\nond"])
        assert len(app.clipboard.splitlines()) == 2
        screen.copy("")
        await shows(pilot, "There is nothing to copy here")


async def secret_of(pilot: Pilot[int], app: MissionControlApp) -> str:
    """The password that is shown now."""
    await shows(pilot, "Password: ", "y copies it; shown once")
    return text_of(app).partition("Password: ")[2].split()[0]


@pytest.mark.parametrize("key", ["y", "f12"])
async def test_a_revealed_password_is_copied_and_no_line_repeats_it(
    world_db: Path, key: str
) -> None:
    async with opened(world_db, "new-user") as (app, pilot):
        await until(pilot, lambda: app.screen.query("#generate"))
        app.screen.query_one("#generate").focus()
        await pilot.press("enter")
        reveal = app.screen.query_one("#reveal", RevealButton)
        await until(pilot, lambda: reveal.has_focus)
        await pilot.press(key)
        assert app.clipboard == ""
        await pilot.press("enter")
        secret = await secret_of(pilot, app)
        await pilot.press(key)
        await shows(pilot, "copied; shown once")
        assert app.clipboard == ""
        screen = app.screen
        assert isinstance(screen, MissionScreen)
        assert secret not in screen.announced
        assert text_of(app).count(secret) == 1
        assert secret not in repr(reveal)
        await pilot.press("tab")
        await until(pilot, lambda: secret not in text_of(app))


async def test_a_password_that_is_not_revealed_is_not_copied(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        await pilot.press("enter")
        await shows(pilot, "User Functions")
        reveal = app.screen.query_one(RevealButton)
        reveal.hold("Kp7m-xR4w-9fTc")
        reveal.focus()
        await copies(pilot, "ada@acme.example")


async def test_the_history_line_is_copied_as_it_is_shown(world_db: Path) -> None:
    async with opened(world_db, "history") as (app, pilot):
        await shows(pilot, "buy Email")
        await pilot.press("y")
        await until(pilot, lambda: "fred" in app.clipboard)
        await until(pilot, lambda: app.clipboard[:60] in text_of(app))
