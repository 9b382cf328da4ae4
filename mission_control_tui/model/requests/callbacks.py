"""A back end said that it may have ended something: what waits for it is looked at at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from mission_control_tui.model.services.wishes import add_event
from mission_control_tui.model.states import RequestState
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction


@worker_transaction
async def look_at_once(tx: Transaction, connectors: Sequence[str], key: str) -> int | None:
    """Let the request of this assignment, at one of these connectors, be tried now; its id, None where none waits."""
    request = await tx.session.scalar(
        select(RequestRow)
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(
            AssignmentRow.id == key,
            AssignmentRow.connector.in_(connectors),
            RequestRow.state == RequestState.QUEUED,
            RequestRow.next_try_at > 0,
        )
        .order_by(RequestRow.id.desc())
        .limit(1)
        .with_for_update(of=RequestRow)
    )
    if request is None:
        return None
    request.next_try_at = 0.0
    add_event(tx, request, "called back", said="The back end called back: looked at again.")
    return request.id
