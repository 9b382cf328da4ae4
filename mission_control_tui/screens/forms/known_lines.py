"""What is known of a service beside its light: how much it has used, until when it is kept."""

from __future__ import annotations

from mission_control_tui.model.services.usage import measured
from mission_control_tui.model.views import AssignmentView
from mission_control_tui.widgets.cells import age


def usage_line(view: AssignmentView) -> str:
    """Return what is used of a service's limits, with the age of the measurement; "" where nothing was measured."""
    found = [*measured(view.usage)]
    if not found:
        return ""
    oldest = min(one.at for one in found)
    return f"Used: {', '.join(one.words for one in found)}, measured {age(oldest)} ago"


def kept_line(view: AssignmentView) -> str:
    """Say until when what was taken away is kept, and how it comes back."""
    if view.kept_until is None:
        return ""
    if view.marked:
        return (
            f"What a move left here is kept until {view.kept_until:%Y-%m-%d}, then removed with its data. "
            "Moved back before, the service has it again; provisioned again, where it was taken away on the way."
        )
    return (
        f"Suspended at the back end and kept until {view.kept_until:%Y-%m-%d}, then removed with its data. "
        "Provisioned again before, it comes back as it was."
    )
