"""How a bulk is told: what it would do, how far it is, and what became of its items."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.output import line, say, table, when
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkItemView, BulkPlan, BulkProgress, BulkView

NAMED = 5
"""Whose names a reason shows as text; JSON has them all."""


def with_removals(session: Session, plan: BulkPlan) -> BulkPlan:
    """The plan with a warning of more removals than the worker does without being told to."""
    limit = session.settings.worker.removal_limit
    if plan.removals <= limit:
        return plan
    warning = (
        f"More than {limit} removals at a time wait until they are allowed: "
        "mission-control requests allow"
    )
    return dataclasses.replace(plan, warnings=(*plan.warnings, warning))


def tell_plan(plan: BulkPlan) -> None:
    """What a bulk would do, on stdout; warnings on stderr."""
    waiting = f", {plan.waiting} of them wait first" if plan.waiting else ""
    line(f"{plan.queued} of {plan.total} would be queued{waiting}.")
    for one in plan.reasons:
        line(f"{one.count:>6}  {one.state}: {one.reason}")
        more = f" and {one.count - NAMED} more" if one.count > NAMED else ""
        line(f"{'':8}{', '.join(one.names[:NAMED])}{more}")
    for seats in plan.seats:
        free = f"{seats.free_before} -> {seats.free_queued}"
        later = f", {seats.free_after} when all is done"
        later = later if seats.free_after != seats.free_queued else ""
        short = f"; {seats.short} missing" if seats.short else ""
        line(f"seats   {seats.service_id} {seats.level_id}: free {free}{later}{short}")
    for missing in plan.missing:
        line(
            f"missing {missing.quantity} x {missing.product_id} {missing.level_id}:"
            f" {missing.total} for {missing.months} months, with tax"
        )
    for warning in plan.warnings:
        say(f"Warning: {warning}")


def bulk(one: BulkView) -> dict[str, object]:
    """A bulk as JSON."""
    return {
        "id": one.id,
        "action": one.action,
        "title": one.title,
        "state": one.state,
        "attended": one.attended,
        "operator": one.operator,
        "ticket": one.ticket,
        "undoes": one.undoes_id,
        "created_at": one.created_at,
        "ended_at": one.ended_at,
        "progress": progress(one.progress),
    }


def progress(one: BulkProgress) -> dict[str, int]:
    """How far a bulk is, as JSON."""
    return {
        "total": one.total,
        "left": one.left,
        "orange": one.orange,
        "green": one.green,
        "red": one.red,
        "cancelled": one.cancelled,
        "superseded": one.superseded,
        "unchanged": one.unchanged,
        "skipped": one.skipped,
        "refused": one.refused,
    }


def item(one: BulkItemView) -> dict[str, object]:
    """An item as JSON."""
    return {
        "id": one.id,
        "name": one.name,
        "user_id": one.user_id,
        "service": one.service_id or None,
        "outcome": one.outcome,
        "reason": one.reason or None,
        "request": one.request_id,
    }


def words(one: BulkProgress) -> str:
    """What there is of it: 12 green, 3 orange, 5 left."""
    counts = {name: count for name, count in progress(one).items() if name != "total" and count}
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"


def tell(one: BulkView, items: Sequence[BulkItemView] = ()) -> None:
    """One bulk on stdout, and these of its items."""
    line(f"Bulk {one.id}: {one.title}, {one.state}, {one.progress.total} items")
    ticket = f", ticket {one.ticket}" if one.ticket else ""
    line(f"Started by {one.operator} at {when(one.created_at)}{ticket}.")
    line(f"{words(one.progress)}.")
    if items:
        line("")
        table(
            ["Item", "Outcome", "For", "Service", "Why"],
            [(row.id, row.outcome, row.name, row.service_id, row.reason) for row in items],
        )


def tell_attended(one: BulkView) -> None:
    """What to do about a bulk that waits for somebody to take its passwords."""
    if one.progress.left and one.attended and one.state != "done":
        say(
            f"{one.progress.left} wait for somebody to take their passwords: "
            f"mission-control bulk resume {one.id} --passwords-out FILE"
        )
