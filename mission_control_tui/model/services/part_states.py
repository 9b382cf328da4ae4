"""How far each part of a composite is: what the steps of a service's newest request say of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from sqlalchemy import func, select

from mission_control_tui.model.states import Light, StepState, Wish
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.views import AssignmentView

OF = ": "
"""Stands between a part's name and that of its step."""


class PartState(StrEnum):
    """How far a part is, in words for people."""

    DONE = "done"
    UNDER_WAY = "under way"
    FAILED = "failed"
    WAITS = "waits"


Steps = Sequence[tuple[str, StepState]]
"""The names and states of a request's steps, in their order."""


async def newest_steps(scope: AccountScope, assignments: Collection[str]) -> Mapping[str, Steps]:
    """Return the steps of the newest request of each service instance that has any."""
    newest = (
        select(func.max(RequestRow.id))
        .where(RequestRow.assignment_id.in_(assignments))
        .group_by(RequestRow.assignment_id)
    )
    found: dict[str, list[tuple[str, StepState]]] = {}
    async with scope.read() as (session, account_id):
        rows = await session.execute(
            select(RequestRow.assignment_id, RequestStepRow.name, RequestStepRow.state)
            .join(RequestRow, RequestRow.id == RequestStepRow.request_id)
            .where(RequestRow.id.in_(newest), RequestRow.account_id == account_id)
            .order_by(RequestStepRow.id)
        )
        for assignment, name, state in rows:
            found.setdefault(str(assignment), []).append((name, StepState(state)))
    return found


def part_states(
    view: AssignmentView, parts: Collection[str], steps: Steps
) -> Mapping[str, PartState]:
    """Return how far each part is; they are made in their order, and removed in reverse."""
    if view.light in (Light.GREEN, Light.GREY):
        return dict.fromkeys(parts, PartState.DONE)
    order = [*parts] if view.wish is not Wish.ABSENT else [*parts][::-1]
    last = {name.partition(OF)[0]: state for name, state in steps}
    begun = max((order.index(part) for part in order if part in last), default=-1)
    found: dict[str, PartState] = {}
    for place, part in enumerate(order):
        if place > begun:
            found[part] = PartState.WAITS
        elif last.get(part) is StepState.FAILED:
            found[part] = PartState.FAILED
        else:
            found[part] = PartState.DONE if place < begun else PartState.UNDER_WAY
    return {part: found[part] for part in parts}
