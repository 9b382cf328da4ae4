"""One action for all marked users: chosen, planned, confirmed, started, watched, stopped, mended, undone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.bulk.queries import list_bulks, show
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.users.queries import details
from mission_control_tui.screens.bulk.bulk import BulkScreen
from mission_control_tui.screens.bulk.bulk_new import BulkNewScreen
from mission_control_tui.screens.bulk.bulks import BulksScreen
from mission_control_tui.screens.requests.requests import RequestsScreen
from mission_control_tui.screens.users.lights import LightsScreen
from tests.model.helpers import finish
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened


async def choose(pilot: Pilot[int], field: str, value: str) -> None:
    """Set a choice by keys."""
    chosen = pilot.app.screen.query_one(f"#{field}")
    chosen.focus()
    for _ in range(30):
        if chosen.value == value:  # type: ignore[attr-defined]
            break
        await pilot.press("right")
        await pilot.pause()
    assert chosen.value == value  # type: ignore[attr-defined]


async def act_on_all(app: MissionControlApp, pilot: Pilot[int], action: str) -> None:
    """Mark everybody in Lights and choose an action."""
    await shows(pilot, "4 users")
    await pilot.press("asterisk", "x")
    await until(pilot, lambda: isinstance(app.screen, BulkNewScreen))
    await shows(pilot, "For 4 users", "Managed Exchange")
    await choose(pilot, "action", action)
    app.screen.query_one("#go").focus()


async def start_for_all(app: MissionControlApp, pilot: Pilot[int], action: str) -> None:
    """Mark everybody in Lights and start an action on them."""
    await act_on_all(app, pilot, action)
    await pilot.press("p")
    await shows(pilot, "[ Start ]")
    await pilot.press("p")
    await answer(pilot, "y")
    await until(pilot, lambda: isinstance(app.screen, BulkScreen))


async def slices(app: MissionControlApp, bulk_id: int) -> None:
    """What the worker does for the bulk."""
    while not (await work_slice(context_of(app).store, bulk_id)).last:
        pass


@at_both_sizes
async def test_a_bulk_is_planned_bought_for_started_and_watched(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "lights", size=size) as (app, pilot):
        await act_on_all(app, pilot, "change")
        await choose(pilot, "level", "popx")
        app.screen.query_one("#go").focus()
        await pilot.press("p")
        await shows(pilot, "1 of 4 would be done", "1 already so", "2 refused", "2 short")
        await shows(pilot, "2 more:", "with tax", "b buys", "Start")
        new = app.screen
        await pilot.press("b")
        await until(pilot, lambda: app.screen is not new)
        await shows(pilot, "Standard Mail")
        context = context_of(app)
        from mission_control_tui.model.orders import buying

        await buying.buy(context.scope, "email", level="popx", quantity=2)
        while app.screen is not new:
            await pilot.press("escape")
            await pilot.pause()
        await shows(pilot, "3 of 4 would be done", "Start")
        app.screen.query_one("#go").focus()
        await pilot.press("p")
        await shows(pilot, "Change level or settings: Managed Exchange for 4 users?", "[ No ]")
        await pilot.press("enter")
        assert await list_bulks(context_of(app).scope) == ()
        await pilot.press("p")
        await answer(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, BulkScreen))
        await shows(
            pilot, "Bulk 1: Change Managed Exchange to Standard Mail (POPX)", "4 left", "0 %"
        )
        await slices(app, 1)
        await shows(pilot, "3 on their way", "0 left", "1 as they were", "On its way")
        await finish(context.store, context.caller, context.account)
        await shows(pilot, "3 done", "100 %")
        views = await status(context_of(app).scope)
        assert {view.level_id for view in views if view.service_id == "managed-exchange"} == {
            "popx"
        }
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LightsScreen))
        await shows(pilot, "4 marked")


async def test_reasons_open_to_names(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await act_on_all(app, pilot, "provision")
        await choose(pilot, "level", "popx")
        app.screen.query_one("#go").focus()
        await pilot.press("p")
        await shows(pilot, "Refused")
        plan = app.screen.query_one("#plan")
        plan.focus()
        await pilot.press("end", "enter")
        await shows(pilot, "@acme.example", "Esc goes back")
        await pilot.press("escape")
        await shows(pilot, "would be done")


async def test_a_changed_form_asks_for_another_plan(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await act_on_all(app, pilot, "disable")
        await pilot.press("p")
        await shows(pilot, "4 of 4 would be done", "[ Start ]")
        await choose(pilot, "action", "enable")
        await until(pilot, lambda: "would be done" not in text_of(app))
        app.screen.query_one("#go").focus()
        await pilot.press("p")
        await shows(pilot, "4 already so")
        await pilot.press("p")
        await shows(pilot, "there is nothing to start")


async def test_many_users_ask_for_their_number_to_be_typed(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        context = context_of(app)
        console = msgspec.structs.replace(context.settings.console, confirm_above=3)
        context.settings = msgspec.structs.replace(context.settings, console=console)
        await act_on_all(app, pilot, "disable")
        await pilot.press("p")
        await shows(pilot, "[ Start ]")
        await pilot.press("p")
        await shows(pilot, "Disable: 4 users?", "Type 4:")
        await answer(pilot, "y", "enter")
        await shows(pilot, "This is not the number of users")
        assert await list_bulks(context_of(app).scope) == ()
        await pilot.press("ctrl+u", "4", "enter")
        await until(pilot, lambda: isinstance(app.screen, BulkScreen))
        await slices(app, 1)
        assert (await details(context_of(app).scope, "ada@acme.example")).details.disabled


async def test_read_only_is_refused_before_anything_is_typed(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await shows(pilot, "4 users")
        assert isinstance(app, ConsoleApp)
        app.accounts.change_caller(may_write=False)
        screen = app.screen
        await pilot.press("x")
        await shows(pilot, "read-only")
        assert app.screen is screen
        await pilot.press("R")
        await shows(pilot, "read-only")
        assert not screen.prompts.is_asking  # type: ignore[attr-defined]


async def test_a_button_is_refused_in_a_read_only_console_as_its_key_is(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await start_for_all(app, pilot, "disable")
        await shows(pilot, "[ Stop ]")
        assert isinstance(app, ConsoleApp)
        app.accounts.change_caller(may_write=False)
        app.screen.query_one("#stop").focus()
        await pilot.press("enter")
        await shows(pilot, "This session is read-only", "a arms it")
        (one,) = await list_bulks(context_of(app).scope)
        assert one.progress.left == 4


async def test_it_is_stopped_resumed_and_undone(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await start_for_all(app, pilot, "disable")
        await shows(pilot, "4 left", "[ Stop ]")
        app.screen.query_one("#stop").focus()
        await pilot.press("enter")
        await shows(pilot, "4 are left out", "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Stopped: 4 left out", "[ Resume ]")
        assert (await show(context_of(app).scope, 1)).state is BulkState.STOPPED
        await pilot.press("p")
        await shows(pilot, "Resumed: 4 left")
        await slices(app, 1)
        context = context_of(app)
        await finish(context.store, context.caller, context.account)
        await shows(pilot, "4 done", "100 %")
        await pilot.press("u")
        await shows(pilot, "undo bulk 1, Disable?", "4 of 4 would be done")
        await answer(pilot, "y")
        await shows(pilot, "Bulk 2: Undo of bulk 1")
        await slices(app, 2)
        assert not (await details(context_of(app).scope, "ada@acme.example")).details.disabled
        await pilot.press("escape", "escape")
        app.screen.go_to("bulks")  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(app.screen, BulksScreen))
        await shows(pilot, "Undo of bulk 1", "Disable", "4/4")
        await pilot.press("end", "enter")
        await shows(pilot, "Bulk 1: Disable")


async def test_what_failed_is_filtered_told_and_tried_again(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await act_on_all(app, pilot, "provision")
        await choose(pilot, "level", "popx")
        app.screen.query_one("#go").focus()
        await pilot.press("p")
        await shows(pilot, "[ Start ]")
        await pilot.press("p")
        await until(
            pilot,
            lambda: isinstance(app.screen, BulkScreen) or app.screen.prompts.is_asking,  # type: ignore[attr-defined]
        )
        if not isinstance(app.screen, BulkScreen):
            await answer(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, BulkScreen))
        await slices(app, 1)
        await shows(pilot, "0 left", "refused")
        await choose(pilot, "shown", "failed")
        await shows(pilot, "Refused", "No free seat")
        assert "As it was" not in text_of(app)
        app.screen.query_one("#items").focus()
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, BulkNewScreen))
        await shows(pilot, "Provision a service")


@pytest.mark.parametrize("to_file", [True, False])
async def test_new_passwords_go_to_a_private_file_or_are_shown_once(
    world_db: Path, tmp_path: Path, to_file: bool
) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await act_on_all(app, pilot, "password")
        await pilot.press("p")
        await shows(pilot, "[ Start ]", "cannot be undone")
        await pilot.press("p")
        await answer(pilot, "y")
        await shows(pilot, "Passwords are generated", "File:")
        await pilot.press("ctrl+u")
        file = tmp_path / "new.csv"
        if to_file:
            await type_text(pilot, str(file))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BulkScreen))
        await shows(pilot, "0 left")
        assert (await show(context_of(app).scope, 1)).state is BulkState.DONE
        if to_file:
            await shows(pilot, "4 passwords are in")
            assert file.stat().st_mode & 0o077 == 0
            rows = file.read_text("utf-8").splitlines()
            assert rows[0] == "upn,service,instance,login,password"
            assert len(rows) == 5
            assert not app.screen.query_one("#reveal").display
            return
        await shows(pilot, "4 passwords wait here to be shown once", "[ Show the passwords once ]")
        app.screen.query_one("#reveal").focus()
        await pilot.press("enter")
        await shows(pilot, "Shown once")
        await until(pilot, lambda: "On its way" not in text_of(app))
        lines = [line.split() for line in text_of(app).splitlines() if "@acme.example" in line]
        assert len(lines) == 4
        assert all(len(line[-1]) > 7 and "@" not in line[-1] for line in lines)
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query_one("#reveal").display)
        await shows(pilot, "On its way")
        assert lines[0][-1] not in text_of(app)


async def test_a_left_screen_does_not_stop_the_bulk_that_makes_passwords(world_db: Path) -> None:
    async with opened(world_db, "lights") as (app, pilot):
        await act_on_all(app, pilot, "password")
        await pilot.press("p")
        await shows(pilot, "[ Start ]")
        await pilot.press("p")
        await answer(pilot, "y")
        await shows(pilot, "File:")
        await pilot.press("ctrl+u", "enter", "escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, BulkNewScreen))
        for _ in range(200):
            bulks = await list_bulks(context_of(app).scope)
            if bulks and bulks[0].state is BulkState.DONE:
                break
            await pilot.pause(0.02)
        assert bulks[0].state is BulkState.DONE
        assert bulks[0].progress.left == 0


async def test_requests_try_all_red_again(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, RequestsScreen))
        await shows(pilot, "Failed")
        await pilot.press("R")
        await shows(pilot, "try again 1 red light in view?")
        await answer(pilot, "y")
        await shows(pilot, "1 queued to be tried again, as bulk 1")
