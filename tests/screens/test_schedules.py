"""Scheduling by `d`, the list of schedules, and the recycling bin, by keys."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.recycle_bin.purge import list_bin
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.schedules.queries import ScheduleView, list_schedules
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.provisioning import deprovision_all
from tests.model.helpers import finish
from tests.screens.driving import answer, at_both_sizes, shows, text_of, type_text, until
from tests.screens.users.driving import context_of, opened, user_id

TOMORROW = "tomorrow 18:00"


async def schedules(app: MissionControlApp) -> tuple[ScheduleView, ...]:
    context = context_of(app)
    return await list_schedules(context.scope)


async def fill_in(pilot: Pilot[int], text: str) -> None:
    """Type a date and time into the line that asks for it, and accept."""
    await type_text(pilot, text)
    await pilot.press("enter")


@at_both_sizes
async def test_disable_a_user_at_a_time_from_user_functions(
    world_db: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "user", "ada", size=size) as (app, pilot):
        await shows(pilot, "Ada Lovelace", "Disable")
        await pilot.press("d")
        await shows(pilot, "At a date and time, for ada@acme.example", "Suspend Managed Exchange")
        await pilot.press("enter")
        await shows(pilot, "Disable the user, of ada@acme.example, when?", "In the time zone UTC")
        await fill_in(pilot, TOMORROW)
        await shows(pilot, "Scheduled, number 1: Disable the user", "18:00 (+00:00)")
        (one,) = await schedules(app)
        assert (one.action, one.subject, one.state) == ("disable", "ada@acme.example", "waiting")
        assert one.user_id is not None
        found = await users.details(context_of(app).scope, one.user_id)
        assert not found.details.disabled


async def test_the_cursor_is_on_what_the_function_was(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await shows(pilot, "Deprovision")
        await pilot.press("down", "down", "down", "down", "d")
        await shows(pilot, "> Deprovision everything")
        await pilot.press("escape")
        await shows(pilot, "User Functions")
        assert await schedules(app) == ()


async def test_a_wrong_date_stays_with_what_was_typed(world_db: Path) -> None:
    async with opened(world_db, "user", "ada") as (app, pilot):
        await shows(pilot, "Disable")
        await pilot.press("d", "enter")
        await shows(pilot, "2026-12-01 09:00, tomorrow 18:00")
        await fill_in(pilot, "2001-01-01 09:00")
        await shows(pilot, "is past", "When: 2001-01-01 09:00")
        await pilot.press("escape")
        await shows(pilot, "Nothing was changed")
        assert await schedules(app) == ()


async def test_a_chosen_level_is_provisioned_at_a_time(world_db: Path) -> None:
    async with opened(world_db, "provision", "alan") as (app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("enter")
        await shows(pilot, "(•) Managed Exchange - PC & Web Access")
        await pilot.press("up", "space", "d")
        await shows(pilot, "Provision Managed Exchange: Standard Mail (POPX), of", "when?")
        await fill_in(pilot, "+2h")
        await shows(pilot, "Lost: ", "Schedule")
        await answer(pilot, "y")
        await shows(pilot, "Scheduled, number 1")
        (one,) = await schedules(app)
        assert (one.action, one.params.level) == ("provision", "popx")


async def test_a_given_service_offers_suspend_first(world_db: Path) -> None:
    async with opened(world_db, "provision", "alan") as (app, pilot):
        await shows(pilot, "• Provisioned")
        await pilot.press("d")
        await shows(pilot, "> Suspend Managed Exchange", "Deprovision Managed Exchange")
        await pilot.press("enter")
        await fill_in(pilot, TOMORROW)
        await shows(pilot, "Scheduled, number 1")
        (one,) = await schedules(app)
        assert (one.action, one.params.service) == ("suspend", "managed-exchange")


async def test_in_users_d_is_about_the_one_under_the_cursor(world_db: Path) -> None:
    async with opened(world_db, "users") as (_app, pilot):
        await shows(pilot, "Ada Lovelace", "Grace Hopper")
        await pilot.press("d")
        await shows(pilot, "for ada@acme.example", "Provision: open Services")
        await pilot.press("end", "enter")
        await shows(pilot, "Provision Services", "Ada Lovelace")


async def planned(app: MissionControlApp, local: str, action: str, text: str) -> ScheduleView:
    context = context_of(app)
    user = await user_id(context, local)
    scope = context.scope
    return (await schedule(scope, user, action, None, text)).result


@at_both_sizes
async def test_the_list_changes_and_cancels(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "schedules", size=size) as (app, pilot):
        await shows(pilot, "Nothing is scheduled. Press d on a user or a service")
        await planned(app, "grace", "deprovision", "+3d")
        await planned(app, "ada", "disable", "2030-01-07 09:00")
        await shows(pilot, "Disable the user", "Deprovision everything", "Grace Hopper")
        await pilot.press("down")
        await shows(pilot, "Mon 2030-01-07 09:00 (+00:00) UTC, made by")
        await pilot.press("e")
        await shows(pilot, "When: 2030-01-07 09:00")
        await pilot.press("end", "backspace", "backspace", "3", "0", "enter")
        await shows(pilot, "Scheduled, number 2", "Mon 2030-01-07 09:30")
        await pilot.press("tab", "tab", "enter")
        await shows(pilot, "cancel schedule 2, Disable the user, of ada@acme.example?", "[ No ]")
        await answer(pilot, "y")
        await shows(pilot, "Schedule 2 is cancelled", "· Cancelled")
        states = {one.id: one.state for one in await schedules(app)}
        assert states == {1: ScheduleState.WAITING, 2: ScheduleState.CANCELLED}
        app.screen.query_one("#schedules").focus()
        await pilot.press("end", "e")
        await shows(pilot, "This schedule has ended: it is cancelled")


async def binned(app: MissionControlApp) -> str:
    """Ada, deleted."""
    context = context_of(app)
    scope = context.scope
    ada = await user_id(context, "ada")
    await deprovision_all(scope, ada)
    await finish(context.store, context.caller, context.account)
    await deletion.delete_user(scope, ada)
    return ada


@at_both_sizes
async def test_the_bin_restores_after_a_question(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "bin", size=size) as (app, pilot):
        await shows(pilot, "Nobody is in the recycling bin")
        ada = await binned(app)
        await shows(pilot, "ada@acme.example", "0 days", "1 user")
        await pilot.press("enter")
        await shows(pilot, "restore ada@acme.example?")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "ada@acme.example is back", "Nobody is in the recycling bin")
        context = context_of(app)
        found = await users.details(context.scope, ada)
        assert not found.in_bin


async def test_a_purge_wants_the_upn_typed(world_db: Path) -> None:
    async with opened(world_db, "bin") as (app, pilot):
        await shows(pilot, "Nobody")
        await binned(app)
        await shows(pilot, "ada@acme.example")
        await pilot.press("tab", "tab", "enter")
        await shows(pilot, "purge ada@acme.example for good?", "It cannot be undone")
        await type_text(pilot, "grace@acme.example")
        await pilot.press("enter")
        await shows(pilot, "That is not ada@acme.example: nothing was purged")
        context = context_of(app)
        scope = context.scope
        assert len(await list_bin(scope, bin_days=30)) == 1
        await pilot.press("ctrl+u")
        await type_text(pilot, "ada@acme.example")
        await pilot.press("enter")
        await until(pilot, lambda: "is purged" in text_of(app))
        assert await list_bin(scope, bin_days=30) == ()


async def test_hints_of_schedules_say_what_their_keys_do_there(world_db: Path) -> None:
    async with opened(world_db, "schedules") as (app, pilot):
        await shows(pilot, "Nothing is scheduled")
        assert "e Change" not in text_of(app)
        context = context_of(app)
        scope = context.scope
        ada = await user_id(context, "ada")
        await schedule(scope, ada, "disable", None, TOMORROW)
        app.screen.reload()  # type: ignore[attr-defined]
        await shows(pilot, "p Services", "e Change")
