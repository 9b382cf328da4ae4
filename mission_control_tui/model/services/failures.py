"""Where red lights failed: the request behind each, its step, and what can be corrected."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from mission_control_tui.model.services.lights import is_of
from mission_control_tui.model.services.subject_lookup import seen_subject
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The last attempt of a red light; `step` is empty when it failed before its first.

    `field` is what the connector says can be corrected: an option's id, "level", or a field of the user; "" if it
    does not say.
    """

    assignment_id: str
    request_id: int
    attempt: int
    step: str
    field: str = ""


async def failures_of(scope: AccountScope, who: str | SubjectKey) -> dict[str, LastFailure]:
    """Return the failure behind each red light of a subject, by assignment id; a text names a user."""
    async with scope.read() as (session, account_id):
        target = await seen_subject(session, account_id, SubjectKey.of(who), binned=True)
        newest = (
            select(func.max(RequestRow.id).label("id"))
            .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
            .where(is_of(target), AssignmentRow.light == Light.RED)
            .group_by(RequestRow.assignment_id)
            .subquery()
        )
        rows = await session.execute(
            select(
                RequestRow.assignment_id,
                RequestRow.id,
                RequestRow.attempt,
                RequestEventRow.step,
                RequestEventRow.detail,
            )
            .join(newest, newest.c.id == RequestRow.id)
            .outerjoin(
                RequestEventRow,
                (RequestEventRow.request_id == RequestRow.id)
                & ((RequestEventRow.step != "") | (RequestEventRow.kind == "failed")),
            )
            .order_by(RequestEventRow.id)
        )
        found: dict[str, LastFailure] = {}
        for row in rows:
            before = found.get(row.assignment_id)
            # The last event that names a step wins; what ended the request says what can be corrected.
            step = row.step or (before.step if before else "")
            field = str((row.detail or {}).get("field", ""))
            found[row.assignment_id] = LastFailure(
                row.assignment_id, row.id, row.attempt, step, field
            )
        return found
