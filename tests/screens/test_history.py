"""History: narrowed, undone through a question, copied, written to a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.users.queries import details
from mission_control_tui.screens import history
from mission_control_tui.screens.history import HistoryScreen
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened

ADA = "ada@acme.example"


@at_both_sizes
async def test_it_is_narrowed_and_shows_before_and_after(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "history", size=size) as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await edit_user(scope, ADA, {"title": "Analyst"})
        await shows(pilot, f"edit user {ADA}")
        await pilot.press("home")
        await shows(pilot, "title: none -> Analyst", "u takes it back")
        await pilot.press("slash")
        await type_text(pilot, "buy")
        await until(pilot, lambda: "edit user" not in text_of(app))
        await shows(pilot, "buy Email", "2 changes")
        await pilot.press("down")
        await shows(pilot, "No undo:")


async def test_names_stand_for_ids_and_what_80_columns_cut_is_read_below(world_db: Path) -> None:
    from mission_control_tui.model.users.actions.params import ActionParams
    from mission_control_tui.model.users.provisioning import provision

    long = "maximiliana.featherstonehaugh-cholmondeley@acme.example"
    async with opened(world_db, "history") as (app, pilot):
        context = context_of(app)
        scope = AccountScope(
            context.store,
            replace(context.caller, operator="a-long-operator", ticket="TICKET-100200"),
            context.account_id,
        )
        await edit_user(scope, ADA, {"upn": long})
        await provision(scope, long, [ActionParams("managed-exchange", "popx")])
        await shows(pilot, "change maximiliana")
        await pilot.press("home")
        await until(pilot, lambda: "a-long-operator" in text_of(app))
        said = " ".join(text_of(app).split())
        for whole in (f"change {long} Managed Exchange", "a-long-operator", "TICKET-100200"):
            assert whole in said, whole
        assert "Standard Mail (POPX)" in said
        assert "managed-exchange" not in said


async def test_h_on_a_user_shows_that_users_history(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await shows(pilot, "User Functions")
        await pilot.press("h")
        await shows(pilot, "History of Ada Lovelace", f"create user {ADA}")
        assert "grace@" not in text_of(app)
        await pilot.press("escape")
        await shows(pilot, "User Functions")


@pytest.mark.parametrize("screen", ["user", "provision", "edit-user"])
async def test_h_is_about_the_user_of_each_screen_of_a_user(world_db: Path, screen: str) -> None:
    async with opened(world_db, screen, "ada") as (_app, pilot):
        await shows(pilot, "Ada Lovelace", "ada@acme.example")
        await pilot.press("escape") if screen == "edit-user" else None
        await pilot.press("h")
        await shows(pilot, "History of Ada Lovelace", "create user")


async def test_a_change_is_undone_after_a_question(world_db: Path) -> None:
    async with opened(world_db, "history") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await edit_user(scope, ADA, {"title": "Analyst"})
        await shows(pilot, f"edit user {ADA}")
        await pilot.press("home", "u")
        await shows(pilot, f"undo edit user of {ADA}?", "title Analyst -> none", "[ No ]")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        assert (await details(scope, ADA)).details.title == "Analyst"
        await pilot.press("u")
        await answer(pilot, "y")
        await shows(pilot, "Undone: edit user")
        assert (await details(scope, ADA)).details.title == ""


async def test_what_cannot_be_undone_says_why(world_db: Path) -> None:
    async with opened(world_db, "history") as (app, pilot):
        await shows(pilot, "buy Email")
        screen = app.screen
        assert isinstance(screen, HistoryScreen)
        await pilot.press("end")
        await until(pilot, lambda: screen.entry is not None and screen.entry.action != "")
        await pilot.press("u")
        await shows(pilot, "This cannot be undone")


async def test_u_elsewhere_leads_to_what_this_session_did(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        assert isinstance(app, ConsoleApp)
        app.accounts.change_caller(session="a" * 32)
        context = context_of(app)
        await edit_user(context.scope, ADA, {"title": "Analyst"})
        await pilot.press("u")
        await shows(pilot, "What I did in this session", "1 change", f"edit user {ADA}")


@pytest.mark.parametrize(
    ("ending", "has"),
    [
        (".csv", "id,at,operator"),
        (".json", '"entries"'),
        (".txt", "fred  create user  ada"),
        (".sh", "mission-control --account acme users create --upn ada@acme.example"),
    ],
)
async def test_it_is_written_to_a_new_private_file(
    world_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, has: str
) -> None:
    monkeypatch.chdir(tmp_path)
    target = tmp_path / f"out{ending}"
    async with opened(world_db, "history") as (_app, pilot):
        await shows(pilot, "buy Email")
        await pilot.press("w", "ctrl+u")
        await type_text(pilot, target.name)
        await pilot.press("enter")
        await shows(pilot, "written to")
        text = target.read_text("utf-8")
        assert has in text
        assert target.stat().st_mode & 0o077 == 0
        if ending == ".json":
            assert len(json.loads(text)["entries"]) > 5
        await pilot.press("w", "ctrl+u")
        await type_text(pilot, target.name)
        await pilot.press("enter")
        await shows(pilot, "exists already")
        assert target.read_text("utf-8") == text


async def test_a_home_that_nobody_has_and_an_export_cut_short_are_said(
    world_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(history, "EXPORT_AT_ONCE", 2)
    monkeypatch.setattr(history, "EXPORT_MOST", 4)
    async with opened(world_db, "history") as (_app, pilot):
        await shows(pilot, "buy Email")
        await pilot.press("w", "ctrl+u")
        await type_text(pilot, "~nobody-here/out.csv")
        await pilot.press("enter")
        await shows(pilot, "no home directory")
        await pilot.press("escape", "w", "ctrl+u")
        await type_text(pilot, "out.csv")
        await pilot.press("enter")
        await shows(pilot, "The newest 4 changes written to out.csv", "there are more")
        assert len((tmp_path / "out.csv").read_text("utf-8").splitlines()) == 5


async def test_a_change_is_copied_for_a_ticket(world_db: Path) -> None:
    async with opened(world_db, "history") as (app, pilot):
        await shows(pilot, "buy Email")
        await answer(pilot, "y")
        await until(pilot, lambda: "fred" in app.clipboard)


async def test_a_level_change_is_undone(world_db: Path) -> None:
    from mission_control_tui.model.users.actions.params import ActionParams
    from mission_control_tui.model.users.provisioning import provision

    async with opened(world_db, "history") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await provision(scope, ADA, [ActionParams("managed-exchange", "popx")])
        await shows(pilot, f"change {ADA} Managed Exchange")
        await pilot.press("home", "u")
        await shows(pilot, f"undo change of {ADA} Managed Exchange?", "[ No ]")
        question = " ".join(text_of(app).split())
        assert "level Standard Mail (POPX) -> Managed Exchange - PC & Web Access" in question
        await answer(pilot, "y")
        await shows(pilot, f"Undone: change of {ADA} Managed Exchange")
        (view,) = await status(scope, user=ADA)
        assert view.level_id == "pc-web"


async def test_a_change_of_a_group_is_undone(world_db: Path) -> None:
    from mission_control_tui.model.groups.editing import create_object
    from mission_control_tui.model.groups.queries import show_object

    async with opened(world_db, "history") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        made = await create_object(
            scope, "distribution-group", "Sales", "sales@acme.example", members={"member": [ADA]}
        )
        await shows(pilot, "create Sales (Distribution Group)", "change members Sales")
        await pilot.press("home", "u")
        await shows(pilot, "undo change members of Sales", "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Undone: change members of Sales", "19 changes")
        assert (await show_object(scope, made.result.id)).members == ()
        await pilot.press("home", *["down"] * 3, "u")
        await shows(pilot, "undo create of Sales", "removed Sales (Distribution Group)")
        await shows(pilot, "What Sales holds at the back end is removed")
        await answer(pilot, "y")
        await shows(pilot, "Undone: create of Sales")
        assert (await show_object(scope, made.result.id)).removed_at is not None


async def test_what_i_did_is_saved_as_a_script_by_enter_alone(
    world_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with opened(world_db, "user", "ada") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await edit_user(scope, ADA, {"title": "Analyst"})
        await shows(pilot, "User Functions")
        await pilot.press("u")
        await shows(pilot, f"edit user {ADA}", "w Save as script")
        await pilot.press("w")
        await shows(pilot, "Save what you did to a file", "session-acme-")
        await pilot.press("enter")
        await shows(pilot, "changes written to")
        (script,) = tmp_path.glob("session-acme-*.sh")
        assert "users edit" in script.read_text("utf-8")
