"""One request with its steps, its events, its plan and what holds it up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from mission_control_tui.model.requests.connector_pauses import Pause, pauses
from mission_control_tui.model.requests.queries import request_views
from mission_control_tui.model.requests.request_plans import RequestPlan, plans_of
from mission_control_tui.model.store.lookups import numbered_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.views import EventView, RequestView, StepView, view_of


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """A request with its steps, its events and, for a fan-out, its children.

    `plan` is what a connector in observe mode would change for it, while it waits; `pause` that of its connector.
    """

    request: RequestView
    steps: tuple[StepView, ...]
    events: tuple[EventView, ...]
    children: tuple[RequestView, ...]
    plan: RequestPlan | None = None
    pause: Pause | None = None


async def show_request(scope: AccountScope, request_id: int) -> RequestDetails:
    """Return one request with everything that is known of it. Raises NotFound."""
    async with scope.read() as (session, account_id):
        await numbered_row(session, RequestRow, account_id, request_id)
        (view,) = await request_views(session, [request_id])
        children = await session.scalars(
            select(RequestRow.id).where(RequestRow.parent_id == request_id).order_by(RequestRow.id)
        )
        below = await request_views(session, children.all())
        steps = await session.scalars(
            select(RequestStepRow)
            .where(RequestStepRow.request_id == request_id)
            .order_by(RequestStepRow.attempt, RequestStepRow.number)
        )
        events = await session.scalars(
            select(RequestEventRow)
            .where(RequestEventRow.request_id == request_id)
            .order_by(RequestEventRow.id)
        )
        return RequestDetails(
            view,
            tuple(view_of(StepView, row) for row in steps),
            tuple(view_of(EventView, row) for row in events),
            below,
            (await plans_of(session, [request_id])).get(request_id),
            next((p for p in await pauses(session) if p.name == view.connector), None),
        )
