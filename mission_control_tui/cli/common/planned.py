"""What a back end would be changed in, as JSON and as lines: of one request, and summed up over many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.output import attributes, line

if TYPE_CHECKING:
    from mission_control_tui.model.requests.planned_changes import ChangeKind, PlannedChanges
    from mission_control_tui.model.requests.request_plans import RequestPlan


def plan(found: RequestPlan | None) -> dict[str, object] | None:
    """Return a kept plan as JSON; null where there is none."""
    if found is None:
        return None
    return {"looked_at": found.looked_at, **changes(found.planned)}


def changes(planned: PlannedChanges) -> dict[str, object]:
    """Return the changes of one plan as JSON."""
    return {
        "changes": [
            attributes(change, "what", "before", "after", "trend", "takes_away", "words")
            for change in planned.changes
        ],
        "left_out": planned.left_out,
    }


def counts(summed: Iterable[tuple[ChangeKind, int]]) -> list[dict[str, object]]:
    """Return a summary over many as JSON."""
    return [
        {**attributes(kind, "what", "trend", "takes_away", "words"), "count": many}
        for kind, many in summed
    ]


def print_counts(summed: Iterable[tuple[ChangeKind, int]]) -> None:
    """Print a summary over many, a kind a line, what takes something away first."""
    for kind, many in summed:
        line(f"{many:>6} x {kind.words}" + "  (takes away)" * kind.takes_away)
