"""Nothing typed is lost by leaving or by a lost connection: drafts, and the way back to the same place."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mission_control_tui.console import app as console_app
from mission_control_tui.console import session_restore
from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import drafts, sessions
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.users.new_user import NewUserScreen
from mission_control_tui.screens.users.users import UsersScreen
from mission_control_tui.settings.settings import Settings
from tests.screens import two_accounts, world
from tests.screens.driving import answer, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, user_id

PASSWORD = "Kp7m-xR4w-9fTc"


@asynccontextmanager
async def console(path: Path, account: str = "") -> AsyncIterator[tuple[ConsoleApp, Pilot[int]]]:
    caller = replace(world.CALLER, source="console", session=uuid.uuid4().hex)
    app = ConsoleApp(Settings(), str(path), account or None, None, caller, world.no_wake)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open)
        yield app, pilot


def go(app: ConsoleApp, name: str, *arguments: str) -> None:
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    screen.go_to(name, *arguments)


def kept_text(path: Path) -> str:
    """All that is stored of drafts and places."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT content FROM drafts UNION ALL SELECT place FROM sessions")
        return "".join(row[0] for row in rows)


async def type_new_user(app: ConsoleApp, pilot: Pilot[int]) -> None:
    go(app, "new-user")
    await shows(pilot, "First Names")
    app.screen.query_one("#f-upn").focus()
    await type_text(pilot, "mary")
    app.screen.query_one("#f-first-names").focus()
    await type_text(pilot, "Mary")
    app.screen.query_one("#f-last-name").focus()
    await type_text(pilot, "Shelley")
    app.screen.query_one("#f-password").focus()
    await type_text(pilot, PASSWORD)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_restore, "KEEP_SECONDS", 0.05)
    # A console whose process is gone was lost, however little time it had; here the process lives on.
    monkeypatch.setattr(console_app, "CLOSING_SECONDS", 30.0)


async def test_a_form_that_was_left_is_a_draft_without_password(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await type_new_user(app, pilot)
        await until(pilot, lambda: "Shelley" in kept_text(world_db))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, NewUserScreen))
        await pilot.press("q")
    assert PASSWORD not in kept_text(world_db)

    async with console(world_db) as (app, pilot):
        await shows(pilot, "Unfinished: Mary Shelley")
        go(app, "drafts")
        await shows(pilot, "New User", "Mary Shelley", "acme")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewUserScreen))
        await shows(pilot, "Mary", "Shelley", "Mary Shelley")
        assert PASSWORD not in text_of(app)
        while isinstance(app.screen, NewUserScreen):
            await pilot.press("escape")
        await shows(pilot, "Drafts")
        await pilot.press("delete")
        await answer(pilot, "y")
        await shows(pilot, "No drafts")
    assert "Shelley" not in kept_text(world_db)


async def test_a_draft_of_another_account_is_offered_with_its_name(world_db: Path) -> None:
    await two_accounts.add_globex(world_db)
    title = "Maria del Carmen Fernandez de Cordoba y Alvarez de Toledo"
    store = await Store.open(world_db)
    try:
        content: dict[str, object] = {"arguments": [], "memory": {}}
        await drafts.save_draft(
            AccountScope(store, world.CALLER, "acme"), "new-user", content, title=title
        )
    finally:
        await store.close()
    for account, said in (("globex", "Unfinished in acme: Maria"), ("acme", "Unfinished: Maria")):
        async with console(world_db, account) as (_app, pilot):
            await shows(pilot, said, "…. g, then Drafts goes on with it")
            await pilot.press("q")


async def test_what_was_created_is_no_draft_any_more(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await type_new_user(app, pilot)
        app.screen.query_one("#f-confirm").focus()
        await type_text(pilot, PASSWORD)
        await until(pilot, lambda: "Shelley" in kept_text(world_db))
        await pilot.press("f2")
        await shows(pilot, "Provision Services")
        await until(pilot, lambda: "first_names" not in kept_text(world_db))


async def test_after_a_lost_connection_one_is_back(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        grace = await user_id(context_of(app), "grace")
        go(app, "users")
        await until(pilot, lambda: isinstance(app.screen, UsersScreen))
        go(app, "user", grace)
        await shows(pilot, "Grace Hopper", "User Functions")
        app.accounts.change_caller(ticket="INC-7")
        app.exit(return_code=129)

    async with console(world_db) as (app, pilot):
        await shows(pilot, "Back where the connection was lost", "Grace Hopper", "INC-7")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, UsersScreen))
        await pilot.press("q")

    async with console(world_db) as (app, pilot):
        await shows(pilot, "This month  AUD")
        assert "Back where" not in text_of(app)
        assert "INC-7" not in text_of(app)


async def test_the_way_back_leads_into_the_account_without_asking(world_db: Path) -> None:
    """Of several accounts none is named at the start: it is that of the lost console, and asked for after that."""
    await two_accounts.add_globex(world_db)

    @asynccontextmanager
    async def unnamed(account: str | None) -> AsyncIterator[tuple[ConsoleApp, Pilot[int]]]:
        caller = replace(world.CALLER, source="console", session=uuid.uuid4().hex)
        app = ConsoleApp(
            Settings(),
            str(world_db),
            account,
            None,
            caller,
            world.no_wake,
            stays=account is not None,
        )
        async with app.run_test(size=(80, 24)) as pilot:
            yield app, pilot

    async with unnamed("globex") as (app, pilot):
        await until(pilot, lambda: app.is_open)
        homer = await user_id(context_of(app), "homer")
        go(app, "user", homer)
        await shows(pilot, "Homer Simpson", "User Functions")
        app.exit(return_code=129)

    async with unnamed("acme") as (app, pilot):
        await shows(pilot, "The last connection was lost in globex: o goes there", "Acme Pty Ltd")
        app.screen.go_to("users")  # type: ignore[attr-defined]
        await shows(pilot, "4 users")
        await pilot.press("escape", "o")
        await shows(pilot, "2 accounts")
        await type_text(pilot, "globex")
        await shows(pilot, "1 account")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed")
        go(app, "user", homer)
        await shows(pilot, "Homer Simpson", "User Functions")
        app.exit(return_code=129)

    async with unnamed(None) as (app, pilot):
        await shows(pilot, "Back where the connection was lost", "Homer Simpson", "Globex")
        await pilot.press("q")

    async with unnamed(None) as (app, pilot):
        await shows(pilot, "Which account do you want to work on?")


async def test_a_place_that_is_gone_is_no_fault(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        go(app, "user", "f" * 32)
        await shows(pilot, "has no user")
        app.exit(return_code=129)
    async with console(world_db) as (app, pilot):
        await shows(pilot, "User Functions", "has no user")
        await pilot.press("escape")
        await shows(pilot, "This month  AUD")


async def test_a_console_that_is_lost_before_its_session_was_noted_is_gone_back_to(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = sessions.begin

    async def slowly(store: Store, caller: Caller) -> None:
        await asyncio.sleep(0.3)
        await begin(store, caller)

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "begin", slowly)
        async with console(world_db) as (app, pilot):
            go(app, "users")
            await until(pilot, lambda: isinstance(app.screen, UsersScreen))
            app.exit(return_code=129)
    async with console(world_db) as (app, pilot):
        await shows(pilot, "Back where the connection was lost")
        assert isinstance(app.screen, UsersScreen)


async def test_what_another_version_noted_is_no_fault(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await type_new_user(app, pilot)
        await until(pilot, lambda: "Shelley" in kept_text(world_db))
        app.exit(return_code=129)
    with closing(sqlite3.connect(world_db)) as database:
        (place,) = database.execute("SELECT place FROM sessions").fetchone()
        noted = json.loads(place)
        noted["screens"] = [["users", []], ["no-such-screen", []], ["user", ["a", "b", "c", "d"]]]
        database.execute("UPDATE sessions SET place = ?", (json.dumps(noted),))
        database.execute("UPDATE drafts SET kind = 'no-such-form'")
        database.commit()
    async with console(world_db) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, UsersScreen))
        go(app, "drafts")
        await shows(pilot, "no-such-form")
        await asyncio.sleep(0.3)  # a key that was under way when the row came is refused
        await pilot.press("enter")
        await shows(pilot, "This version has no form")
