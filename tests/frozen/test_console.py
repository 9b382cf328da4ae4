"""The console leads back to every place that a lost one of today left, and opens the drafts of every form."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.pilot import Pilot

from mission_control_tui.console import session_restore
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.model.caller import Caller
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.settings.settings import Settings
from mission_control_tui.widgets.row_list import RowList
from tests.screens import world
from tests.screens.driving import shows, until

KEYS = {
    "bea": (
        *("2 HomeScreen", "2 ServiceAreaScreen", "2 ProductScreen:email", "2 UsersScreen"),
        *("UserScreen {ada}", "2 HistoryScreen {ada}", "EditUserScreen {ada}"),
    ),
    "cid": (
        *("2 HomeScreen", "2 LightsScreen", "2 TemplatesScreen", "2 NewUserScreen"),
        *("2 ObjectsScreen", "2 ObjectScreen {info}", "2 PasteScreen"),
    ),
    "dan": (
        *("2 HomeScreen", "2 RequestsScreen", "RequestScreen 114", "2 BulksScreen"),
        *("2 BulkScreen 1", "2 OrdersScreen", "2 OrderScreen:1", "2 AccountScreen"),
    ),
    "eva": (
        *("2 HomeScreen", "2 SchedulesScreen", "2 DraftsScreen", "2 BinScreen", "2 FindScreen"),
        *("ProvisionScreen {ada}", "2 SettingsScreen", "2 BuyScreen:domain-names"),
    ),
    "gus": ("2 HomeScreen", "2 SwitchScreen", "2 ObjectScreen new"),
}
"""Operator -> what the memory of the screens is stored under, of a store of today."""

TYPED = {
    "bea": {"edit-user": "Engines"},
    "cid": {"paste": "Mary Jackson", "object": "Information", "new-user": "Mary"},
    "dan": {"account": "Half a na"},
    "eva": {"buy": "[kept", "settings": "dark background"},
    "gus": {"object": "Printer"},
}
"""Operator -> the forms of the drafts and what stands in them; the first is also where the console was lost."""


def rows(where: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(where, timeout=30)) as database, database:
        return database.execute(statement, values).fetchall()


@asynccontextmanager
async def console(where: str, operator: str) -> AsyncIterator[tuple[ConsoleApp, Pilot[int]]]:
    caller = Caller(operator, source="console", session=uuid.uuid4().hex)
    app = ConsoleApp(Settings(), where, "acme", None, caller, world.no_wake)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.is_open)
        yield app, pilot


@pytest.fixture(autouse=True)
def _lost_just_now(frozen_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place is gone back to within a day."""
    monkeypatch.setattr(session_restore, "KEEP_SECONDS", 0.05)
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    rows(frozen_sqlite, "UPDATE sessions SET seen_at = ?", now)


@pytest.mark.parametrize("operator", KEYS)
async def test_every_place_is_gone_back_to_with_what_it_remembered(
    frozen_sqlite: str, operator: str
) -> None:
    ((stored,),) = rows(frozen_sqlite, "SELECT place FROM sessions WHERE operator = ?", operator)
    place = json.loads(stored)
    ids = {
        "ada": rows(frozen_sqlite, "SELECT id FROM users WHERE username = 'ada'")[0][0],
        "info": rows(frozen_sqlite, "SELECT id FROM objects WHERE name = 'Info'")[0][0],
    }
    keys = {key.format(**ids) for key in KEYS[operator]}
    assert place["memory"].keys() == keys
    async with console(frozen_sqlite, operator) as (app, pilot):
        await shows(
            pilot,
            "INC-7",
            "Back where the connection was lost",
            next(iter(TYPED[operator].values())),
        )
        app.exit(return_code=129)
    kept = "SELECT place FROM sessions WHERE operator = ? AND ended = 'lost'"
    ((again,),) = rows(frozen_sqlite, kept, operator)
    again = json.loads(again)
    assert again["memory"].keys() == keys
    assert again["screens"] == place["screens"]


async def test_the_drafts_of_every_form_open_with_what_was_typed(frozen_sqlite: str) -> None:
    rows(frozen_sqlite, "UPDATE sessions SET ended = 'quit'")
    for operator, texts in TYPED.items():
        async with console(frozen_sqlite, operator) as (app, pilot):
            await shows(pilot, "Unfinished: ")
            for form, text in texts.items():
                assert isinstance(app.screen, MissionScreen)
                app.screen.go_to("drafts")
                await until(pilot, lambda: app.screen.query_one("#drafts", RowList).current)
                drafts = app.screen.query_one("#drafts", RowList)
                while (row := drafts.current) is not None and row.data.kind != form:  # type: ignore[attr-defined]
                    await pilot.press("down")
                await pilot.press("enter")
                await shows(pilot, text)


async def test_what_a_later_version_remembered_is_passed_over(frozen_sqlite: str) -> None:
    async with console(frozen_sqlite, "zed") as (app, pilot):
        await shows(pilot, "Back where the connection was lost", "ada@acme.example")
        assert isinstance(app.screen, MissionScreen)
        app.screen.go_to("drafts")
        await shows(pilot, "robot", "Robby")
        await pilot.press("enter")
        await shows(pilot, "This version has no form 'robot'")
    async with console(frozen_sqlite, "zed") as (app, pilot):
        for name, told in (
            ("history", "transmogrify user"),
            ("bulks", "Archive"),
            ("schedules", "Hibernate"),
        ):
            assert isinstance(app.screen, MissionScreen)
            app.screen.go_to(name)
            await shows(pilot, told)
