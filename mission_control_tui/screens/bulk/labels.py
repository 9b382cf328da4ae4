"""A bulk in words: what it would do, how far it is, and what it asks before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from mission_control_tui.model.bulk.views import (
    BulkOnlyAction,
    BulkPlan,
    BulkProgress,
    BulkView,
    ItemOutcome,
)
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.widgets.rows import Cell, Row

DONE: Mapping[str, str] = {
    BulkOnlyAction.RETRY: "Try again what is red",
    BulkOnlyAction.GIVE: "Services for new users",
}
"""What was done, where the action's own name does not say it."""

STATES: Mapping[BulkState, tuple[str, str]] = {
    BulkState.RUNNING: ("Running", "orange"),
    BulkState.ATTENDED: ("Passwords", "orange"),
    BulkState.STOPPED: ("Stopped", "red"),
    BulkState.DONE: ("All queued", "green"),
}
OUTCOMES: Mapping[ItemOutcome, tuple[str, str]] = {
    ItemOutcome.LEFT: ("Left", "dim"),
    ItemOutcome.ORANGE: ("On its way", "orange"),
    ItemOutcome.GREEN: ("Done", "green"),
    ItemOutcome.RED: ("Error", "red"),
    ItemOutcome.CANCELLED: ("Cancelled", "dim"),
    ItemOutcome.SUPERSEDED: ("Superseded", "dim"),
    ItemOutcome.UNCHANGED: ("As it was", "dim"),
    ItemOutcome.SKIPPED: ("Skipped", "dim"),
    ItemOutcome.REFUSED: ("Refused", "red"),
}


def state_of(bulk: BulkView) -> tuple[str, str]:
    """Return the state and its colour; what is queued and has not ended is still on its way."""
    if bulk.state is BulkState.DONE and bulk.progress.orange:
        return "On its way", "orange"
    if bulk.state is BulkState.DONE:
        return ("Ended", "red") if bulk.progress.failed else ("Done", "green")
    return STATES[bulk.state]


def title_of(bulk: BulkView, catalogue: Catalogue) -> str:
    """Return what it does, as people call it: Change Managed Exchange to Standard Mail (POPX)."""
    if bulk.undoes_id is not None:
        return f"Undo of bulk {bulk.undoes_id}"
    heading = ACTIONS[bulk.action].heading if bulk.action in ACTIONS else DONE.get(bulk.action)
    words = [heading or bulk.action.capitalize()]
    params = bulk.params
    if params.service and bulk.action is not BulkOnlyAction.GIVE:
        service, level = params.service, params.level
        with suppress(NotFound):
            known = catalogue.service(service)
            service = known.name
            level = known.level(level).name.removeprefix(f"{known.name} - ") if level else ""
        words += [service, *(["to", level] if level else [])]
    return " ".join(words)


def done_of(progress: BulkProgress) -> int:
    """Return how many items nothing more happens to."""
    return progress.total - progress.left - progress.orange


def people(count: int) -> str:
    """So many users."""
    return counted(count, "user")


def summary(plan: BulkPlan) -> str:
    """Return what the plan does, in one or two lines."""
    words = [f"{plan.queued:,} of {plan.total:,} would be done"]
    words += _counted(
        (plan.waiting, "of them wait first"),
        (plan.unchanged, "already so"),
        (plan.skipped, "skipped"),
        (plan.refused, "refused"),
    )
    said = ", ".join(words) + "."
    if plan.attended:
        said += " Passwords are generated: to a file, or shown once."
    return " ".join((said, *plan.warnings))


def _counted(*counts: tuple[int, str]) -> list[str]:
    """Return those of which there are any, in words."""
    return [f"{count:,} {word}" for count, word in counts if count]


def plan_rows(plan: BulkPlan) -> list[Row]:
    """Return seats, what is missing and its price, and who is left out and why; keys say what Enter does."""
    rows = []
    for seat in plan.seats:
        later = "" if seat.free_after == seat.free_queued else f", later {seat.free_after}"
        short: Cell = ((f"{seat.short} short", "red"),) if seat.short else ""
        level = seat.level.removeprefix(f"{seat.service} - ")
        said = f"{seat.free_before} -> {seat.free_queued} free{later}: {seat.service}, {level}"
        rows.append(Row(("seats", seat.service_id, seat.level_id), ("Seats", said, short), seat))
    for missing in plan.missing:
        term = counted(missing.months, "month")
        price = f"{missing.quantity} more: {missing.total.format()} with tax for {term}"
        key = ("buy", missing.product_id, missing.level_id)
        rows.append(Row(key, ("Buy", price, "b buys"), missing))
    for lost, label in ((True, "Lost"), (False, "Changes")):
        found = tuple(change for change in plan.changes if change.lost is lost)
        if found:
            users: Cell = ((f"{max(change.count for change in found):,}", ""),)
            said = "; ".join(change.what for change in found)
            rows.append(Row(("changes", lost), (label, said, users), found))
    for reason in plan.reasons:
        style = "red" if reason.state == "refused" else ""
        count: Cell = ((f"{reason.count:,}", ""),)
        key = ("reason", reason.state, reason.reason)
        rows.append(Row(key, ((reason.state.capitalize(), style), reason.reason, count), reason))
    return rows


def progress_words(progress: BulkProgress) -> str:
    """Return how far a bulk is: done, red, left, as numbers."""
    words = [
        f"{progress.green:,} done",
        f"{progress.red:,} red",
        f"{progress.orange:,} on their way",
        f"{progress.left:,} left",
    ]
    words += _counted(
        (progress.refused, "refused"),
        (progress.skipped, "skipped"),
        (progress.unchanged, "as they were"),
        (progress.cancelled, "cancelled"),
        (progress.superseded, "superseded"),
    )
    return f"{progress.total:,} in all: " + ", ".join(words)
