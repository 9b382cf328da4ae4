"""A key acts on the row that it was pressed for, or on none: after one's own typing, and after others' changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.groups.editing import create_object
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.screens import history, service_area
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.member_fields import AddBox, MemberFields
from mission_control_tui.screens.groups import object as group
from mission_control_tui.screens.groups import objects
from mission_control_tui.screens.users import bin as recycle_bin
from mission_control_tui.screens.users import lights, users
from mission_control_tui.terminal import key_queue
from mission_control_tui.widgets.field import Field, ShownField
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.shielded import wait_for_all
from tests.screens import world
from tests.screens.driving import answer, burst, shows, type_text, until
from tests.screens.users import driving
from tests.screens.users.driving import context_of, user_id

SLOW = 0.4
PACES = (0.0, *(pytest.param(pace, marks=pytest.mark.proof) for pace in (0.03, 0.08)))
"""Seconds from key to key; without any they come in one packet."""


@asynccontextmanager
async def opened(
    path: Path, name: str, *arguments: Any
) -> AsyncIterator[tuple[MissionControlApp, Pilot[int]]]:
    """The console with the screen `name`; what is read slowly here ends before it does."""
    async with driving.opened(path, name, *arguments) as (app, pilot):
        yield app, pilot
        await wait_for_all(30.0)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys wait for their rows also while the machine does something else."""
    monkeypatch.setattr(key_queue, "HOLDS", 30.0)


def slowed(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, seconds: float = SLOW
) -> None:
    """Let what `module` calls by `name` take its time, as a far and busy database does."""
    real: Callable[..., Awaitable[Any]] = getattr(module, name)

    async def slowly(*where: Any, **what: Any) -> Any:
        await asyncio.sleep(seconds)
        return await real(*where, **what)

    monkeypatch.setattr(module, name, slowly)


def gated(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let the list of users wait for what is returned; a console that ends meanwhile would leave its store open."""
    gate = asyncio.Event()

    async def waits(*where: Any, **what: Any) -> Any:
        await gate.wait()
        return await page(*where, **what)

    monkeypatch.setattr(users, "page", waits)
    return gate


async def typed(
    app: MissionControlApp, pilot: Pilot[int], keys: Iterable[str], pace: float
) -> None:
    """Type at `pace` seconds a key."""
    if not pace:
        await burst(app, pilot, keys)
        return
    for key in keys:
        await burst(app, pilot, [key])
        await asyncio.sleep(pace)


async def came_to(app: MissionControlApp, pilot: Pilot[int], screen: str, who: str) -> None:
    """Wait until `screen` is on top, and see that it is about `who`."""
    await until(pilot, lambda: getattr(app.screen, "NAME", "") == screen)
    there = app.screen
    assert isinstance(there, MissionScreen)
    await until(pilot, lambda: there.about_user() is not None)
    assert there.about_user() == await user_id(context_of(app), who)


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize(
    ("screen", "module", "key", "leads_to"),
    [
        ("users", users, "e", "edit-user"),
        ("lights", lights, "enter", "provision"),
        ("service-area", service_area, "enter", "user"),
    ],
)
async def test_a_key_is_about_who_was_looked_for(
    world_db: Path,
    monkeypatch: pytest.MonkeyPatch,
    screen: str,
    module: object,
    key: str,
    leads_to: str,
    pace: float,
) -> None:
    async with opened(world_db, screen) as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        slowed(monkeypatch, module, "page")
        await typed(app, pilot, ["/", *"jo", "down", key], pace)
        await came_to(app, pilot, leads_to, "jo")


async def test_who_was_found_is_marked_and_nobody_else(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        slowed(monkeypatch, users, "page")
        await burst(app, pilot, ["/", *"jo", "enter", " "])
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: bool(rows.marks))
        assert rows.marks == {await user_id(context_of(app), "jo")}


async def two_in_the_bin(app: MissionControlApp) -> None:
    """Two deleted users: whom nobody looks for comes first."""
    context = context_of(app)
    for first, local in (("Kim", "kim"), ("Abe", "abe")):
        await world.person(context.store, context.account, first, "Quist", local)
        await delete_user(context.scope, f"{local}@acme.example")


@pytest.mark.parametrize("pace", PACES)
async def test_who_is_restored_is_who_was_looked_for(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await two_in_the_bin(app)
        assert isinstance(app.screen, MissionScreen)
        app.screen.go_to("bin")
        await shows(pilot, "2 users", "kim@acme.example")
        slowed(monkeypatch, recycle_bin, "list_bin")
        await typed(app, pilot, ["/", *"kim", "down", "enter"], pace)
        await shows(pilot, "restore kim@acme.example?")


async def test_the_change_that_was_looked_for_is_shown(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        scope = context_of(app).scope
        for who in ("ada", "jo", "alan"):
            await edit_user(scope, f"{who}@acme.example", {"title": "Analyst"})
        assert isinstance(app.screen, MissionScreen)
        app.screen.go_to("history")
        await shows(pilot, "changes")
        slowed(monkeypatch, history, "entries")
        copied: list[str] = []
        monkeypatch.setattr(MissionScreen, "copy", lambda _screen, text: copied.append(str(text)))
        await burst(app, pilot, ["/", *"jo@", "down", "y"])
        await until(pilot, lambda: bool(copied))
        assert "jo@acme.example" in copied[0]


async def test_the_group_that_was_looked_for_is_opened(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        scope = context_of(app).scope
        for name in ("apples", "pears"):
            await create_object(scope, "distribution-group", name, f"{name}@acme.example")
        assert isinstance(app.screen, MissionScreen)
        app.screen.go_to("objects")
        await shows(pilot, "pears")
        slowed(monkeypatch, objects, "list_objects")
        await burst(app, pilot, ["/", *"pea", "down", "enter"])
        await until(pilot, lambda: getattr(app.screen, "NAME", "") == "object")
        await shows(pilot, "pears  pears@acme.example")


@pytest.mark.parametrize("pace", PACES)
async def test_who_is_added_to_a_group_is_who_was_looked_for(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    async with opened(world_db, "object", None, "distribution-group") as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#name", Field).input.has_focus)
        app.screen.query_one(AddBox).focus()
        await type_text(pilot, "a")
        await shows(pilot, "2 found")
        slowed(monkeypatch, group, "choices")
        await typed(app, pilot, ["backspace", *"jo", "down", "enter"], pace)
        fields = app.screen.query_one(MemberFields)
        await until(pilot, lambda: bool(fields.added))
        assert [entry.address for entry in fields.added.values()] == ["jo@acme.example"]


@pytest.mark.proof
async def test_what_waits_too_long_for_its_rows_is_refused(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        screen = app.screen
        await shows(pilot, "Jo [b]Bloggs[/]")
        gate = gated(monkeypatch)
        monkeypatch.setattr(key_queue, "HOLDS", 0.8)
        await burst(app, pilot, ["/", *"jo", "down", "e", " "])
        await shows(pilot, "Nothing was done: the rows of what was typed are not there yet")
        assert app.screen is screen
        assert not app.screen.query_one(LineList).marks
        await burst(app, pilot, ["escape", "escape", "escape"])
        await until(pilot, lambda: app.screen is not screen)
        gate.set()


async def test_a_key_is_refused_where_the_rows_could_not_be_read(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        screen = app.screen
        await shows(pilot, "Jo [b]Bloggs[/]")
        monkeypatch.setattr(users, "page", fails)
        monkeypatch.setattr(type(screen.loader), "announce_failure", lambda *_: None)  # type: ignore[attr-defined]
        await burst(app, pilot, ["/", *"jo"])
        await until(pilot, lambda: app.screen.query_one(LineList).has_failed)
        await burst(app, pilot, ["down", "e"])
        await shows(pilot, "Nothing was done: the rows of what was typed are not there yet")
        assert app.screen is screen


async def test_a_key_pressed_before_others_put_another_row_under_the_cursor_is_refused(
    world_db: Path,
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada Lovelace")
        context = context_of(app)
        await world.person(context.store, context.account, "Aaron", "Abel", "aaron")
        await shows(pilot, "Aaron Abel")
        await pilot.press("home")
        rows, screen = app.screen.query_one(LineList), app.screen
        assert rows.current is not None
        assert rows.current.cells[1] == "aaron@acme.example"
        pressed = events.Key("e", "e")
        pressed.set_sender(app)
        await delete_user(context.scope, "aaron@acme.example")
        await until(
            pilot,
            lambda: rows.current is not None and rows.current.cells[1] != "aaron@acme.example",
        )
        app.post_message(pressed)
        await shows(pilot, "Nothing was done: another row came under the cursor as you pressed")
        assert app.screen is screen
        await asyncio.sleep(0.1)
        await burst(app, pilot, ["e"])
        await until(pilot, lambda: getattr(app.screen, "NAME", "") == "edit-user")


async def test_a_text_that_is_typed_and_taken_back_leaves_the_keys_free(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        await typed(app, pilot, ["/", "j", "backspace"], 0.05)
        box = app.screen.query_one(FindBox)
        await until(pilot, lambda: not box.is_stale)
        await burst(app, pilot, ["down", "down", "e"])
        await until(pilot, lambda: getattr(app.screen, "NAME", "") == "edit-user")


async def test_a_typo_that_is_mended_at_once_is_looked_for_all_the_same(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        gate = gated(monkeypatch)
        await burst(app, pilot, ["/", *"jo"])
        box = app.screen.query_one(FindBox)
        await until(pilot, lambda: not box.has_new_text)
        await burst(app, pilot, ["x"])
        await until(pilot, lambda: box.text == "jox")
        gate.set()
        await burst(app, pilot, ["backspace", "down", "e"])
        await came_to(app, pilot, "edit-user", "jo")


async def fails(*_where: object, **_what: object) -> None:
    """A database that refuses."""
    raise StoreError("The database does not answer.")


@pytest.mark.parametrize("hangs", [True, pytest.param(False, marks=pytest.mark.proof)])
async def test_keys_that_are_about_no_row_wait_for_none(
    world_db: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        gate = gated(monkeypatch)
        if not hangs:
            monkeypatch.setattr(users, "page", fails)
        await burst(app, pilot, ["/", *"jo"])
        box = app.screen.query_one(FindBox)
        await until(pilot, lambda: not box.has_new_text)
        await burst(app, pilot, ["escape"])
        await until(pilot, lambda: not box.text)
        app.screen.query_one(LineList).focus()
        await burst(app, pilot, ["n"])
        await until(pilot, lambda: getattr(app.screen, "NAME", "") == "new-user")
        gate.set()


async def test_provision_of_a_group_does_not_wait_for_whom_one_could_add(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "object", None, "distribution-group") as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#name", Field).input.has_focus)
        await type_text(pilot, "Staff")
        monkeypatch.setattr(group, "choices", fails)
        app.screen.query_one(AddBox).focus()
        await type_text(pilot, "jo")
        await shows(pilot, "does not answer")
        await burst(app, pilot, ["f2"])
        await shows(pilot, "Staff  staff@acme.example")


async def test_a_group_is_removed_while_something_is_changed_in_its_form(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        scope = context_of(app).scope
        made = await create_object(scope, "distribution-group", "apples", "apples@acme.example")
        assert isinstance(app.screen, MissionScreen)
        app.screen.go_to("object", made.result.id)
        await shows(pilot, "apples  apples@acme.example")
        app.screen.query_one("#option-note", Field).focus()
        await type_text(pilot, "Fruit")
        await shows(pilot, "Not yet provisioned: 1 change")
        app.screen.query_one("#remove").focus()
        await pilot.press("enter")
        await shows(pilot, "remove apples")
        await answer(pilot, "y")
        await shows(pilot, "» Removing")


async def test_a_first_reading_that_failed_is_repeated_by_another_choice(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Jo [b]Bloggs[/]")
        await edit_user(context_of(app).scope, "ada@acme.example", {"title": "Analyst"})
        with monkeypatch.context() as patch:
            patch.setattr(history, "details", fails)
            assert isinstance(app.screen, MissionScreen)
            app.screen.go_to("history", await user_id(context_of(app), "ada"))
            await shows(pilot, "does not answer")
        app.screen.query_one(ShownField).focus()
        await burst(app, pilot, ["right", "left"])
        await shows(pilot, "edit user ada@acme.example")
