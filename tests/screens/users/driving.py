"""What tests of the users' screens need beside `driving`: a screen opened at once, the store beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.mission_screen import MissionScreen
from tests.screens.driving import console, until


@asynccontextmanager
async def opened(
    path: Path, name: str, *arguments: Any, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[MissionControlApp, Pilot[int]]]:
    """The console with the screen `name` over Home; a user may be named by the local part of the UPN."""
    async with console(path, size) as (app, pilot):
        home = app.screen
        assert isinstance(home, MissionScreen)
        if name in ("provision", "user", "edit-user"):
            arguments = (await user_id(home.context, str(arguments[0])), *arguments[1:])
        home.go_to(name, *arguments)
        await until(pilot, lambda: app.screen is not home and app.screen.is_mounted)
        yield app, pilot


async def user_id(context: Context, local: str) -> str:
    """The id of the user whose UPN begins so."""
    found = await page(context.scope, UserFilter(local))
    return next(line.id for line in found.rows if line.upn.startswith(f"{local}@"))


def context_of(app: MissionControlApp) -> Context:
    """The open session."""
    context = app.store
    assert isinstance(context, Context)
    return context
