"""Taking over what exists: what counts as changing it, and the plans that are refused for that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mission_control_tui.connect.protocol import (
    Change,
    ChangePlan,
    DesiredState,
    ObservedState,
    Step,
)
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish

OF_THE_MARK = frozenset({"owner", "level", "generation"})
"""Changes that say whose an object is, and alter nothing that its users notice."""


def alters(change: Change) -> bool:
    """Return True when a change of a take-over touches what the object has, beyond mark, level and what it lacked."""
    if change.what in OF_THE_MARK:
        return False
    lacked = change.before is None or change.before in ("", [], {})
    return not (change.what.startswith("attributes.") and lacked)


def gone(desired: DesiredState, observed: ObservedState) -> ChangePlan | None:
    """Return the refusal of what is only taken over and is not there; None where it is, or is removed."""
    if not desired.as_is or observed.exists or desired.wish is Wish.ABSENT:
        return None
    return ChangePlan(
        PlanAction.BLOCKED,
        reason=f"{desired.name} is not at the back end any more",
        remedy="List what is there: mission-control adopt scan.",
        kind=ErrorKind.CONFLICT,
    )


def changed_by_it(
    desired: DesiredState, changes: Iterable[Change], steps: Sequence[Step]
) -> ChangePlan | None:
    """Return the refusal of a take-over that would alter the object although it is to stay as it is; else None."""
    if not desired.as_is:
        return None
    altered = sorted({change.what for change in changes if alters(change)})
    if not altered:
        return None
    return ChangePlan(
        PlanAction.BLOCKED,
        tuple(steps),
        reason=f"Taking over {desired.name} would change it: {', '.join(altered)}",
        remedy="Bring it in with what it has, or ask for the change: mission-control adopt scan.",
        kind=ErrorKind.CONFLICT,
    )
