"""Schedules that are due by the database's clock: stated as wishes and ended, each in one transaction."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.schedules.actions import act, stored
from mission_control_tui.model.schedules.due import DueSchedule
from mission_control_tui.model.schedules.editing import end
from mission_control_tui.model.services.subject_lookup import locked_owner, refuse_gone
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import as_store_error, clock
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.params import ActionParams

log = logging.getLogger(__name__)

SOURCE = "schedule"
"""Where the audit says that such a change came from."""


async def run(store: Store, due: DueSchedule) -> ScheduleState | None:
    """State the wish of a due schedule, as the operator who made it, and end it: one transaction, so it happens once.

    A wish that is refused leaves the schedule failed, with the reason. None: somebody else ran, changed or cancelled
    it meanwhile. Raises what the database raises when it is away; the schedule waits on then.
    """

    async def work(*, last: bool = False) -> ScheduleState | None:
        async with store.read() as session:
            made = await session.get(ScheduleRow, due.id)
        if made is None or made.state != ScheduleState.WAITING:
            return None
        caller = Caller(made.operator, ticket=made.ticket, source=SOURCE, session=made.session)
        async with store.write(caller, made.account_id) as tx:
            # The subject before the schedule, as whoever deletes a user locks them.
            subject = await locked_owner(tx.session, made.account_id, due.user_id, due.domain_id)
            row = await _still_due(tx, due.id)
            if row is None:
                return None
            return await _carry_out(tx, row, subject, last=last)

    try:
        return await retry_on_conflict(work)
    except IntegrityError:
        return await work(last=True)


async def _still_due(tx: Transaction, schedule_id: int) -> ScheduleRow | None:
    """Return the schedule, locked; None when it has ended, was put off, or another worker has it."""
    now = datetime.fromtimestamp(await clock(tx.session), UTC)
    row: ScheduleRow | None = await tx.session.scalar(
        select(ScheduleRow)
        .where(
            ScheduleRow.id == schedule_id,
            ScheduleRow.state == ScheduleState.WAITING,
            ScheduleRow.due_at <= now,
        )
        .with_for_update(skip_locked=True)
    )
    # Changed between reading its maker and now: the next look takes it as it is.
    if row is None or (row.operator, row.ticket) != (tx.caller.operator, tx.caller.ticket):
        return None
    return row


async def _carry_out(
    tx: Transaction, row: ScheduleRow, subject: Subject, *, last: bool
) -> ScheduleState:
    name = subject.name
    try:
        async with tx.attempt():
            refuse_gone(subject)
            params = ActionParams.from_json(row.params)
            # When what was changed later was stated is not kept.
            as_of = row.created_at if row.version == 1 else None
            requests = await act(tx, subject, stored(row.action), params, as_of)
            await tx.flush_audit()
    except Exception as error:  # one that always fails must end, or it comes up for ever
        # What the database did not refuse for good (it is away, it broke a deadlock) is done again.
        if as_store_error(error) is not None or (isinstance(error, IntegrityError) and not last):
            raise
        return await _failed(tx, row, name, error)
    told = [*tx.plan.warnings]
    if not tx.plan.changes_anything:
        told.insert(0, "Nothing had to change: it was so already.")
    await end(tx, row, name, ScheduleState.DONE, " ".join(told), requests)
    return ScheduleState.DONE


async def _failed(tx: Transaction, row: ScheduleRow, name: str, error: Exception) -> ScheduleState:
    await tx.session.refresh(row)
    said = _reason(error)
    log.warning("schedule %d failed: %s", row.id, said)
    await end(tx, row, name, ScheduleState.FAILED, said)
    return ScheduleState.FAILED


def _reason(error: Exception) -> str:
    if isinstance(error, MissionControlError):
        return str(error).replace("\n", " ")
    return f"The worker met a defect ({type(error).__name__}); please report it."
