"""What was taken away and is kept for a while: suspended at its back end, removed when its time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.counting import counted


async def keep_until(tx: Transaction, row: AssignmentRow, *, told: bool = True) -> float:
    """Return until when a service that is taken away now is kept, 0 where it is not; the plan is `told` of it."""
    try:
        service = (await in_force(tx.session)).catalogue.service(row.service_id)
    except NotFound:
        return 0.0
    if not service.retention_days:
        return 0.0
    until = await clock(tx.session) + timedelta(days=service.retention_days).total_seconds()
    said = f"{service.name} is {kept_words(service, until)}."
    if told and not tx.warned(said):
        tx.warn(said)
    return until


def kept_words(service: Service, until: float) -> str:
    """Say what becomes of it: "suspended for 30 days, then removed on 2026-12-30 with its data"."""
    days = counted(service.retention_days, "day")
    return f"suspended for {days}, then removed on {kept_date(until)} with its data"


def kept_moment(until: float) -> datetime | None:
    """Return the moment, with its zone, until which something is kept; None for 0."""
    return datetime.fromtimestamp(until, UTC) if until else None


def kept_date(until: float) -> str:
    """Return its day for people."""
    return f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d}"
