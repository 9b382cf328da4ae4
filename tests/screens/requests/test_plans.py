"""What an observing connector would change, on the screens: counted above the queue, shown change by change."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.model.requests.planned_changes import planned, together
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.requests.request_plans import keep_plan
from mission_control_tui.model.states import RequestState
from tests.screens.driving import shows
from tests.screens.users.driving import context_of, opened


async def test_a_plan_is_counted_above_the_queue_and_shown_change_by_change(world_db: Path) -> None:
    async with opened(world_db, "requests") as (app, pilot):
        context = context_of(app)
        (request, *_) = await list_requests(context.scope, states=[RequestState.QUEUED])
        changes = together(
            planned(what, before, after, takes_away=False)
            for what, before, after in (
                ("password", None, "to be set"),
                ("limits.quota_mb", 7000, 5120),
            )
        )
        async with context.scope.change() as (tx, _):
            await keep_plan(tx, request.id, changes)
        await shows(pilot, "1 wish only looked at: 1 x quota mb smaller, 1 x password.")
        app.screen.go_to("request", request.id)  # type: ignore[attr-defined]
        await shows(pilot, "planned  quota mb: 7000 -> 5120 (smaller)", "password: changed")
        assert request.user_id is not None
        app.screen.go_to("provision", request.user_id, request.assignment_id)  # type: ignore[attr-defined]
        await shows(pilot, "The back end would be changed in:", "quota mb: 7000 -> 5120 (smaller)")
