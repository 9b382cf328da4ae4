"""Leaves the console on every screen, with every form half filled in, as a lost connection does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from mission_control_tui.console import session_restore
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.model.caller import Caller
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.settings.settings import Settings
from tests.screens.driving import type_text, until

LOOK_SECONDS = 0.05
Arguments = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Visit:
    """One screen: the field that something is typed into, between these keys."""

    name: str
    arguments: Arguments = ()
    field: str = ""
    typed: str = ""
    keys: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def stacks(one: Callable[[str], Any]) -> dict[str, tuple[Visit, ...]]:
    """For each operator the screens on top of each other."""
    ada = str(one("SELECT id FROM users WHERE upn = 'ada@acme.example'"))
    info = str(one("SELECT id FROM objects WHERE name = 'Info'"))
    failed = int(one("SELECT max(id) FROM requests WHERE state = 'failed' AND account_id = 2"))
    bulk = int(one("SELECT min(id) FROM bulks WHERE account_id = 2"))
    return {
        "bea": (
            Visit("service-area"),
            Visit("product", ("email",)),
            Visit("users", keys=("down", "down")),
            Visit("user", (ada,)),
            Visit("history", (ada,)),
            Visit("edit-user", (ada,), "f-department", "Engines"),
        ),
        "cid": (
            Visit("lights", keys=("down",)),
            Visit("templates", keys=("down",)),
            Visit("new-user", (), "f-first-names", "Mary"),
            Visit("objects", keys=("down",)),
            Visit("object", (info,), "name", "rmation"),
            Visit("paste", (), "list", "Mary Jackson"),
        ),
        "dan": (
            Visit("requests", keys=("down",)),
            Visit("request", (failed,)),
            Visit("bulks", keys=("down",)),
            Visit("bulk", (bulk,)),
            Visit("orders", keys=("down",)),
            Visit("order", (1,)),
            Visit("account", (), "", "Half a na", ("enter", "down")),
        ),
        "eva": (
            Visit("schedules", keys=("down",)),
            Visit("drafts"),
            Visit("bin"),
            Visit("find"),
            Visit("provision", (ada,)),
            Visit("settings", keys=("right",)),
            Visit("buy", ("domain-names",), "domain", "kept.com", after=("f7",)),
        ),
        "gus": (Visit("switch"), Visit("object", (None, "mail-contact"), "name", "Printer")),
    }


async def keep(path: Path, one: Callable[[str], Any]) -> None:
    """Lose a console for each of the operators."""
    session_restore.KEEP_SECONDS = LOOK_SECONDS
    for operator, visits in stacks(one).items():
        await lose(path, operator, visits)


async def lose(path: Path, operator: str, visits: Sequence[Visit]) -> None:
    """Visit the screens in a console whose terminal then goes away."""
    caller = Caller(operator, source="console", ticket="INC-7", session=uuid.uuid4().hex)
    app = ConsoleApp(Settings(), str(path), "acme", None, caller, _no_wake)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.is_open)
        await pilot.pause(1.0)
        for visit in visits:
            await _make(app, pilot, visit)
        await pilot.pause(1.0)
        app.exit(return_code=129)


async def _make(app: ConsoleApp, pilot: Pilot[int], visit: Visit) -> None:
    before = app.screen
    assert isinstance(before, MissionScreen)
    before.go_to(visit.name, *visit.arguments)
    await until(pilot, lambda: app.screen is not before and app.screen.is_mounted)
    await pilot.pause(1.0)
    await pilot.press(*visit.keys)
    if visit.field:
        app.screen.query_one(f"#{visit.field}").focus()
        await pilot.pause(0.3)
    if visit.typed:
        await type_text(pilot, visit.typed)
        await pilot.press(*visit.after)
    await pilot.pause(0.5)
    if visit.typed or visit.name == "settings":
        assert isinstance(app.screen, MissionScreen)
        assert app.screen.unfinished, visit


async def _no_wake(_store: Any) -> str:
    return "running"
