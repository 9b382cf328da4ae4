"""Requests: the queue and one request, with what can be done to it."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.states import RequestKind, RequestState
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import RequestView
from mission_control_tui.widgets.line_list import LineList
from tests.screens.driving import answer, at_both_sizes, shows, text_of, until
from tests.screens.users.driving import context_of, opened


async def newest(app: MissionControlApp) -> RequestView:
    context = context_of(app)
    return (await list_requests(context.scope, limit=1))[0]


@at_both_sizes
async def test_the_queue_narrows_and_opens(world_db: Path, size: tuple[int, int]) -> None:
    async with opened(world_db, "requests", size=size) as (app, pilot):
        await shows(pilot, "» Queued", "× Failed", "• Succeeded", "2 h")  # noqa: RUF001
        app.screen.query_one("#shown").focus()
        await pilot.press("end")
        await until(pilot, lambda: "Succeeded" not in text_of(app))
        assert "Queued" not in text_of(app)
        app.screen.query_one(LineList).focus()
        await pilot.press("enter")
        await shows(
            pilot,
            "provision Managed Exchange: PC & Web Access for grace",
            "Steps and events",
            "( Cancel )",
        )


async def test_each_row_names_action_person_and_the_level_that_it_asked_for(
    world_db: Path,
) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "provision ada PC & Web Access", "provision jo Standard Mail (POPX)")
        context = context_of(app)
        scope = context.scope
        ada = "ada@acme.example"
        await provision(scope, ada, [ActionParams("managed-exchange", "popx")])
        await shows(pilot, "change ada Standard Mail (POPX)", "provision ada PC & Web Access")
        await provision(scope, ada, [ActionParams("managed-exchange", "pc-web")])
        await shows(pilot, "change ada PC & Web Access", "change ada Standard Mail (POPX)")
        await change_wish(scope, ada, "managed-exchange", RequestKind.SUSPEND)
        await shows(pilot, "suspend ada Managed Exchange", "change ada PC & Web Access")


async def test_it_opens_at_the_request_that_was_asked_for(world_db: Path) -> None:
    async with opened(world_db, "requests", 2) as (app, pilot):
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: rows.current is not None and rows.current.key == 2)


async def test_retry_of_a_failed_request(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "× Failed")  # noqa: RUF001
        before = await newest(app)
        rows = app.screen.query_one(LineList)
        context = context_of(app)
        found = await list_requests(context.scope, states=[RequestState.FAILED])
        failed = found[0].id
        rows.seek(failed)
        await until(pilot, lambda: rows.current is not None and rows.current.key == failed)
        await pilot.press("r")
        await shows(pilot, f"Tried again as request {before.id + 1}")
        assert (await newest(app)).state is RequestState.QUEUED


async def test_cancel_asks_and_takes_the_wish_back(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "» Queued")
        request = await newest(app)
        await pilot.press("enter")
        await shows(pilot, "[ Cancel ]", "takes the wish back", "( Retry )")
        app.screen.query_one("#cancel").focus()
        await pilot.press("enter")
        await shows(pilot, f"cancel request {request.id}", "Lost: this wish")
        await pilot.press("enter")
        await shows(pilot, "Nothing was changed")
        await pilot.press("enter")
        await answer(pilot, "y")
        await shows(pilot, "· Cancelled", "( Cancel )")
        assert (await newest(app)).state is RequestState.CANCELLED


async def test_reset_turns_the_light_red_and_says_why(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        await shows(pilot, "» Queued")
        await pilot.press("enter")
        await shows(pilot, "[ Reset status ]")
        app.screen.query_one("#reset").focus()
        await pilot.press("enter")
        await shows(pilot, "The light turns red")
        await answer(pilot, "y")
        await shows(pilot, "The status was reset by fred")
        await pilot.press("p")
        await shows(pilot, "Provision Services", "× Error", "The status was reset by fred")  # noqa: RUF001


async def test_what_does_not_apply_says_why(world_db: Path) -> None:
    async with opened(world_db, "requests", 1) as (app, pilot):
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: rows.current is not None and rows.current.key == 1)
        await pilot.press("enter")
        await shows(pilot, "• Succeeded")
        app.screen.query_one("#cancel").focus()
        await pilot.press("enter")
        await shows(pilot, "Cancel does not apply: the request is succeeded")
