"""The plans that connectors in observe mode have shown: kept with their requests, read, summed up, agreed to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.requests.control import record_request
from mission_control_tui.model.requests.planned_changes import (
    ChangeKind,
    PlannedChanges,
    counted,
    kinds_text,
    read_changes,
    read_kinds,
    stored,
)
from mission_control_tui.model.services.wishes import add_event
from mission_control_tui.model.states import ACTIVE_STATES, Hold, RequestState
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.requests import RequestPlanRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

_WAITS = (RequestState.QUEUED, RequestState.RUNNING, RequestState.WAITING)


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """What would be changed for a request, as the last look found it at `looked_at`."""

    looked_at: datetime
    planned: PlannedChanges


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What would be changed for all wishes that wait to be allowed: `counts` are plans by kind of change."""

    requests: int
    counts: tuple[tuple[ChangeKind, int], ...]


async def keep_plan(tx: Transaction, request_id: int, planned: PlannedChanges) -> bool:
    """Keep what a look would change with its request; tell whether it is another plan than before."""
    changes = stored(planned)
    row = await tx.session.get(RequestPlanRow, request_id)
    if row is not None:
        row.looked_at = tx.now
        if row.changes == changes and row.left_out == planned.left_out:
            return False
        row.kinds, row.changes, row.left_out = kinds_text(planned), changes, planned.left_out
        return True
    tx.session.add(
        RequestPlanRow(
            request_id=request_id,
            looked_at=tx.now,
            kinds=kinds_text(planned),
            changes=changes,
            left_out=planned.left_out,
        )
    )
    return True


async def plans_of(session: AsyncSession, requests: Collection[int]) -> dict[int, RequestPlan]:
    """Return the plans of those requests (at most a few hundred) that wait with one."""
    if not requests:
        return {}
    rows = await session.scalars(
        select(RequestPlanRow)
        .join(RequestRow, RequestRow.id == RequestPlanRow.request_id)
        .where(RequestPlanRow.request_id.in_(requests), RequestRow.state.in_(ACTIVE_STATES))
    )
    return {
        row.request_id: RequestPlan(row.looked_at, read_changes(row.changes, row.left_out))
        for row in rows
    }


async def plans_for(scope: AccountScope, requests: Collection[int]) -> dict[int, RequestPlan]:
    """Return the plans of those of the account's requests that wait with one, by request."""
    async with scope.read() as (session, account_id):
        own = await session.scalars(
            select(RequestRow.id).where(
                RequestRow.id.in_(requests), RequestRow.account_id == account_id
            )
        )
        return await plans_of(session, own.all())


async def plans_agreed_to(
    session: AsyncSession, requests: Sequence[RequestRow]
) -> dict[int, PlannedChanges]:
    """Return what was agreed to of these requests; hardly ever anything, and nothing is asked then."""
    agreed = [request.id for request in requests if request.hold == Hold.AGREED]
    return {key: plan.planned for key, plan in (await plans_of(session, agreed)).items()}


async def summarise_plans(scope: Reach, requests: Collection[int] | None = None) -> PlanSummary:
    """Return how many wishes wait with a plan that nobody has agreed to yet, and what would be changed for them.

    Of all that waits, or of these requests.
    """
    found: list[tuple[tuple[ChangeKind, ...], int]] = []
    async with scope.reading() as (session, within):
        statement = (
            select(RequestPlanRow.kinds, func.count())
            .join(RequestRow, RequestRow.id == RequestPlanRow.request_id)
            .where(within(RequestRow.account_id), *_waiting())
            .group_by(RequestPlanRow.kinds)
        )
        parts = (
            [statement]
            if requests is None
            else [statement.where(RequestRow.id.in_(some)) for some in batches(sorted(requests))]
        )
        for part in parts:
            found += [(read_kinds(kinds), many) for kinds, many in await session.execute(part)]
    return PlanSummary(sum(many for _, many in found), counted(found))


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return (RequestRow.state.in_(_WAITS), RequestRow.hold != Hold.AGREED)


async def waiting_plans(scope: AccountScope) -> tuple[int, ...]:
    """Return the account's requests that wait with a plan which nobody has agreed to, oldest first."""
    async with scope.read() as (session, account_id):
        rows = await session.scalars(
            select(RequestRow.id)
            .join(RequestPlanRow, RequestPlanRow.request_id == RequestRow.id)
            .where(RequestRow.account_id == account_id, *_waiting())
            .order_by(RequestRow.id)
        )
        return tuple(rows)


@retries_on_conflict
async def agree_to_plans(
    scope: AccountScope, requests: Collection[int], *, dry_run: bool = False
) -> Outcome[tuple[int, ...]]:
    """Let the plans of these requests be done although their connectors only observe; returns which were agreed to.

    What is done is what was shown: where a back end differs by then, its request waits again with its new plan.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        agreed: list[int] = []
        for some in batches(sorted(requests)):
            found = await tx.session.execute(
                select(AssignmentRow, RequestRow, RequestPlanRow.changes, SUBJECT)
                .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
                .join(RequestPlanRow, RequestPlanRow.request_id == RequestRow.id)
                .where(RequestRow.id.in_(some), RequestRow.account_id == account_id, *_waiting())
                .order_by(AssignmentRow.id, RequestRow.id)
                .with_for_update(of=(AssignmentRow, RequestRow))
            )
            for row, request, changes, subject in found.all():
                request.hold = Hold.AGREED
                request.next_try_at = 0.0
                add_event(tx, request, "allowed", said=f"Allowed by {scope.caller.operator}.")
                after = {
                    "plan": "allowed",
                    "service": row.service_id,
                    "of": subject,
                    "changes": [change.words for change in read_changes(changes).changes],
                }
                tx.command("requests", "allow", "--planned", str(request.id))
                record_request(tx, request, AuditAction.ALLOW_PLAN, {"plan": "shown"}, after)
                agreed.append(request.id)
        tx.requests.extend(agreed)
    return tx.outcome(tuple(agreed))


@worker_transaction
async def look_again(tx: Transaction, connector: str) -> int:
    """Let all that waits with a plan of this connector be looked at now; how many those are."""
    of_connector = (
        select(RequestRow.id)
        .join(RequestPlanRow, RequestPlanRow.request_id == RequestRow.id)
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(AssignmentRow.connector == connector, RequestRow.state == RequestState.QUEUED)
    )
    ids = (await tx.session.scalars(of_connector)).all()
    for some in batches(ids):
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.id.in_(some), RequestRow.state == RequestState.QUEUED)
            .values(next_try_at=0.0)
            .execution_options(synchronize_session=False)
        )
    return len(ids)


async def connectors_with_plans(session: AsyncSession) -> tuple[str, ...]:
    """Return the connectors for which something waits with a plan."""
    rows = await session.scalars(
        select(AssignmentRow.connector)
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .join(RequestPlanRow, RequestPlanRow.request_id == RequestRow.id)
        .where(RequestRow.state == RequestState.QUEUED)
        .distinct()
    )
    return tuple(rows)
