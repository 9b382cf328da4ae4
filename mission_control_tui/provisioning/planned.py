"""A connector's plan as it is kept with a request and shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mission_control_tui.connect.protocol import Change, ChangePlan, ObservedState, Step
from mission_control_tui.model.requests.planned_changes import (
    PlannedChanges,
    planned,
    stored,
    together,
)


def planned_changes(changes: Iterable[Change]) -> PlannedChanges:
    """Return changes bounded, without secrets, what takes something away first."""
    return together(
        planned(change.what, change.before, change.after, takes_away=change.takes_away)
        for change in changes
    )


def step_detail(step: Step) -> Mapping[str, object]:
    """Return what a step changes, as the event of it keeps it."""
    changed = planned_changes(step.changes)
    return {"changes": stored(changed), "left_out": changed.left_out}


def look_detail(look: tuple[ObservedState, ChangePlan]) -> Mapping[str, object]:
    """Return what a look found, as the event of it keeps it."""
    observed, plan = look
    return {
        "found": str(observed.wish) if observed.exists else "absent",
        "level": observed.level,
        "complete": observed.complete,
        "pending": observed.pending is not None,
        "plan": str(plan.action),
        "steps": [step.name for step in plan.steps],
    }
