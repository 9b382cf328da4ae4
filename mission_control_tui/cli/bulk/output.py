"""How a bulk is told: what it would do, how far it is, and what became of its items."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.output import attributes, line, say, section, when
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import value_text
from mission_control_tui.model.users.actions.registry import ACTIONS

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkItemView, BulkPlan, BulkProgress, BulkView

NAMED = 5
"""Whose names a reason shows as text; JSON has them all."""
CHANGES = 20
"""How many changes of settings are shown as text."""


def with_removals(session: Session, plan: BulkPlan) -> BulkPlan:
    """Return the plan with a warning of more removals than the worker does without being told to."""
    limit = session.settings.worker.removal_limit
    if plan.removals <= limit:
        return plan
    warning = as_called(
        f"More than {counted(limit, 'removal')} at a time wait until they are allowed: "
        "mission-control requests allow"
    )
    return dataclasses.replace(plan, warnings=(*plan.warnings, warning))


def confirm_losses(session: Session, plan: BulkPlan) -> None:
    """Ask before a bulk takes something away, as its verb says. Raises Denied."""
    lost = f" Lost: {'; '.join(plan.lost[:NAMED])}." if plan.lost else ""
    session.confirm(f"{ACTIONS[plan.action].asked} {plan.whom}?{lost}")


def tell_plan(plan: BulkPlan, *, applied: bool) -> None:
    """Print what a bulk would do, or where it is `applied` what it did, on stdout; warnings on stderr."""
    waiting = f", {plan.waiting} of them wait first" if plan.waiting else ""
    were = ("was" if plan.queued == 1 else "were") if applied else "would be"
    line(f"{plan.queued} of {plan.total} {were} queued{waiting}.")
    for group in plan.reasons:
        line(f"{group.count:>6}  {group.state}: {group.reason}")
        more = f" and {group.count - NAMED} more" if group.count > NAMED else ""
        line(f"{'':8}{', '.join(group.names[:NAMED])}{more}")
    for change in plan.changes[:CHANGES]:
        line(
            f"{change.count:>6}  {'lost' if change.lost else 'changed'}: {value_text(change.what)}"
        )
    if len(plan.changes) > CHANGES:
        line(f"{'':8}and {counted(len(plan.changes) - CHANGES, 'more change')} (all with --json)")
    for seats in plan.seats:
        free = f"{seats.free_before} -> {seats.free_queued}"
        later = f", {seats.free_after} when all is done"
        later = later if seats.free_after != seats.free_queued else ""
        short = f"; {seats.short} missing" if seats.short else ""
        line(f"seats   {seats.service_id} {seats.level_id}: free {free}{later}{short}")
    for missing in plan.missing:
        line(
            f"missing {missing.quantity} x {missing.product_id} {missing.level_id}:"
            f" {missing.total} for {counted(missing.months, 'month')}, with tax"
        )
    for warning in plan.warnings:
        say(f"Warning: {warning}")


def bulk(view: BulkView) -> dict[str, object]:
    """Return a bulk as JSON."""
    return {
        **attributes(view, "id", "action", "title", "state", "attended", "operator", "ticket"),
        "undoes": view.undoes_id,
        **attributes(view, "created_at", "ended_at", "progress"),
    }


def item(view: BulkItemView) -> dict[str, object]:
    """Return an item as JSON."""
    return {
        **attributes(view, "id", "name", "user_id"),
        "service": view.service_id or None,
        "instance": view.instance,
        "outcome": view.outcome,
        "reason": view.reason or None,
        "request": view.request_id,
    }


ITEM_HEADINGS = ("Item", "Outcome", "For", "Service", "Why")


def words(progress: BulkProgress) -> str:
    """Say how many of its items are what: 12 green, 3 orange, 5 left."""
    counts = {
        name: count for name, count in attributes(progress).items() if name != "total" and count
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"


def tell(bulk: BulkView, items: Sequence[BulkItemView] = ()) -> None:
    """Print one bulk on stdout, and these of its items."""
    line(f"Bulk {bulk.id}: {bulk.title}, {bulk.state}, {counted(bulk.progress.total, 'item')}")
    ticket = f", ticket {bulk.ticket}" if bulk.ticket else ""
    line(f"Started by {bulk.operator} at {when(bulk.created_at)}{ticket}.")
    line(f"{words(bulk.progress)}.")
    section(ITEM_HEADINGS, [*map(item_row, items)])


def item_row(view: BulkItemView) -> tuple[object, ...]:
    """Return an item as a row below `ITEM_HEADINGS`."""
    service = f"{view.service_id} {view.instance}".rstrip()
    return view.id, view.outcome, view.name, service, view.reason


def tell_attended(bulk: BulkView) -> None:
    """Say what to do about a bulk that waits for somebody to take its passwords."""
    if bulk.progress.left and bulk.attended and bulk.state != "done":
        say(
            f"{bulk.progress.left} wait for somebody to take their passwords: "
            f"mission-control bulk resume {bulk.id} --passwords-out FILE"
        )
