"""Escape goes back one level on every screen: field, panel, step, screen; nothing typed is lost by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.home import HomeScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.fold import FoldTitle
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.users.driving import opened


@pytest.mark.parametrize(
    ("name", "arguments", "field", "button"),
    [
        ("new-user", (), "#f-last-name", "provision"),
        ("buy", ("domain-names",), "#domain", "next"),
        ("buy", ("email", "pc-web"), "#quantity", "next"),
    ],
)
async def test_escape_leaves_the_field_and_then_the_screen(
    world_db: Path, name: str, arguments: tuple[str, ...], field: str, button: str
) -> None:
    async with opened(world_db, name, *arguments) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, BaseScreen)
        await until(pilot, lambda: screen.in_field)
        screen.query_one(field, Field).focus()
        await type_text(pilot, "7")
        typed = screen.query_one(field, Field).value
        await shows(pilot, "Esc Leave field")
        await pilot.press("escape")
        await until(pilot, lambda: not screen.in_field)
        assert app.screen is screen
        assert isinstance(app.focused, ActionButton)
        assert app.focused.id == button
        assert screen.query_one(field, Field).value == typed
        await shows(pilot, "Esc Back")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_escape_leaves_the_field_the_panel_and_the_screen(world_db: Path) -> None:
    async with opened(world_db, "edit-user", "ada") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, BaseScreen)
        await until(pilot, lambda: screen.in_field)
        await type_text(pilot, "x")
        await shows(pilot, "Not yet provisioned: 1 change")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.focused, FoldTitle))
        await pilot.press("escape")
        await until(pilot, lambda: "► User Details" in text_of(app))
        assert app.screen is screen
        await shows(pilot, "Not yet provisioned: 1 change")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_escape_in_a_new_password_leaves_the_field_before_the_panel(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await shows(pilot, "> Services", "Reset Password")
        await pilot.press("down", "down", "enter")
        await shows(pilot, "[ Generate and set ]")
        field = app.screen.query_one("#reset-password #f-password", Field)
        field.focus()
        await type_text(pilot, "secret")
        await pilot.press("escape")
        await until(pilot, lambda: getattr(app.focused, "id", "") == "reset-generate")
        assert field.value == "secret"
        await pilot.press("escape")
        await shows(pilot, "> Reset Password")
