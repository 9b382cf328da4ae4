"""What people may do to the queue: cancel, retry, reset status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import moves, seats
from mission_control_tui.model.services.leftovers import awaited
from mission_control_tui.model.services.wishes import (
    ADOPTION,
    OF_THE_REQUEST,
    add_event,
    enqueue,
    show,
    update_parents,
)
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    ErrorKind,
    Light,
    RequestKind,
    RequestState,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.store.group_rows import keep_object
from mission_control_tui.model.store.lookups import (
    assignment_row,
    numbered_row,
)
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import (
    RequestRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction

RESET_SAID = "The status was reset by {operator}: the back end has not been looked at since."
RESET_REMEDY = "Provision again: it looks first, and does only what is missing."


@retries_on_conflict
async def cancel(
    scope: AccountScope, request_id: int, *, dry_run: bool = False
) -> Outcome[RequestState]:
    """Cancel a request: before its start the previous wish is restored, later the worker stops between steps.

    The result is the state afterwards: cancelled, or running where the worker has to look first.
    Raises NotFound, and Conflict when the request has ended.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        request, under_way = await _under_way(tx, account_id, request_id)
        before = str(request.state)
        for child in under_way:
            await _cancel_one(tx, child)
        tx.command("requests", "cancel", str(request.id))
        after = {"state": str(request.state), "cancel": True}
        record_request(tx, request, AuditAction.CANCEL_REQUEST, {"state": before}, after)
        state = RequestState(request.state)
    return tx.outcome(state)


async def _under_way(
    tx: Transaction, account_id: int, request_id: int
) -> tuple[RequestRow, Sequence[RequestRow]]:
    """Return the request, and those of its children that have not ended, or itself without any; all of them locked.

    Raises NotFound, and Conflict when the request has ended.
    """
    # The services before their requests, and a child before its parent's row: so do workers.
    await tx.session.execute(
        select(AssignmentRow.id)
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .where(
            RequestRow.account_id == account_id,
            (RequestRow.id == request_id) | (RequestRow.parent_id == request_id),
            RequestRow.state.in_(ACTIVE_STATES),
        )
        .order_by(AssignmentRow.id)
        .with_for_update(of=AssignmentRow)
    )
    request = await numbered_row(tx.session, RequestRow, account_id, request_id, lock=True)
    if request.state not in ACTIVE_STATES:
        raise Conflict(
            f"Request {request.id} has ended: {request.state}.",
            hint="To turn it back, state the wish that you want instead.",
        )
    children = await tx.session.scalars(
        select(RequestRow)
        .where(RequestRow.parent_id == request.id, RequestRow.state.in_(ACTIVE_STATES))
        .order_by(RequestRow.id)
        .with_for_update()
    )
    return request, children.all() or [request]


async def _cancel_one(tx: Transaction, request: RequestRow) -> None:
    if request.kind == RequestKind.MOVE and await _turn_back(tx, request):
        return
    begun = (
        request.state == RequestState.RUNNING
        or request.attempt > 0
        or bool(request.previous.get("touched"))
    )
    if begun or request.assignment_id is None:
        request.cancel_requested = True
        request.next_try_at = 0.0
        if request.state == RequestState.WAITING:
            request.state = RequestState.QUEUED
        add_event(tx, request, "cancel", said=f"{tx.caller.operator} asked to stop.")
        return
    request.state = RequestState.CANCELLED
    request.ended_at = tx.now
    add_event(tx, request, "cancelled", said=f"Cancelled by {tx.caller.operator} before its start.")
    row = await assignment_row(tx.session, request.assignment_id, lock=True)
    await _hold_again(tx, row, request.previous)
    await restore_wish(tx.session, row, request.previous)
    row.since = tx.now
    await update_parents(tx, [request])


async def _turn_back(tx: Transaction, request: RequestRow) -> bool:
    """Move what has not arrived back to where it was, which has it still; False where a worker is at it now."""
    if request.state == RequestState.RUNNING or request.assignment_id is None:
        return False
    row = await assignment_row(tx.session, request.assignment_id, lock=True)
    if not await moves.turn_back(tx, request, row, f"Request {request.id}"):
        return False
    request.state = RequestState.CANCELLED
    request.ended_at = tx.now
    said = f"Cancelled by {tx.caller.operator}: it goes back to connector {row.connector}."
    add_event(tx, request, "cancelled", said=said)
    return True


async def _hold_again(tx: Transaction, row: AssignmentRow, previous: Mapping[str, Any]) -> None:
    """Hold the seat of the wish that comes back: the account's own may be removed by now. Raises NoSeats."""
    if row.subject_kind != SubjectKind.ACCOUNT or previous["wish"] == Wish.ABSENT:
        return
    service = (await in_force(tx.session)).catalogue.service(row.service_id)
    await seats.hold(tx, row, service, previous["level_id"])


async def restore_wish(session: AsyncSession, row: AssignmentRow, previous: dict[str, Any]) -> None:
    """Put the wish and the light back to `previous` and release the seats that only the later wish held.

    The generation goes up all the same: no number ever stands for two wishes.
    """
    for name, value in previous.items():
        if name not in {"generation", "adopt", *OF_THE_REQUEST}:
            setattr(row, name, value)
    row.generation += 1
    row.version += 1
    if row.observed_generation == previous["generation"] > 0:
        row.observed_generation = row.generation
    if row.object_id is not None and row.wish != Wish.ABSENT:
        await keep_object(session, row.object_id)
    there = row.observed_wish != Wish.ABSENT and not row.kept_until
    keep = {row.observed_level} if there else set()
    if row.wish != Wish.ABSENT:
        keep.add(row.level_id)
    await session.flush()
    await seats.release(session, row.id, keep=keep)


@retries_on_conflict
async def retry(
    scope: AccountScope,
    request_id: int,
    *,
    dry_run: bool = False,
) -> Outcome[tuple[int, ...]]:
    """Ask again for what failed, was cancelled, waits or was not checked; returns the new requests' ids.

    A request that waits for its next try is tried now, and keeps its id.
    Raises Conflict when there is nothing to retry.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        request = await numbered_row(tx.session, RequestRow, account_id, request_id, lock=True)
        rows = (
            await tx.session.scalars(
                select(RequestRow).where(RequestRow.parent_id == request.id).order_by(RequestRow.id)
            )
        ).all() or [request]
        ids = [found for row in rows if (found := await _retry_one(tx, row)) is not None]
        if not ids:
            raise Conflict(
                f"Request {request.id} has nothing to retry: it is {request.state}.",
                hint="Only what failed, was cancelled, was not checked or waits for its next try can be retried.",
            )
    return tx.outcome(tuple(ids))


async def _retry_one(tx: Transaction, request: RequestRow) -> int | None:
    if request.assignment_id is None:
        return None
    row = await assignment_row(tx.session, request.assignment_id, lock=True)
    if request.state == RequestState.QUEUED and request.next_try_at > 0:
        request.next_try_at = 0.0
        add_event(tx, request, "retry", said=f"{tx.caller.operator} asked to try now.")
        _record_retry(tx, request, request.id)
        return request.id
    if row.light != Light.RED and row.word != Word.NOT_CHECKED:
        return None
    same_wish = row.generation == request.generation
    waits = await awaited(tx, row)
    fresh = await enqueue(tx, row, RequestKind(request.kind), depends_on=waits)
    if same_wish:
        kept = {name: request.previous[name] for name in ADOPTION if name in request.previous}
        fresh.previous = {**fresh.previous, **kept}
    _record_retry(tx, request, fresh.id)
    return fresh.id


def _record_retry(tx: Transaction, request: RequestRow, new_id: int) -> None:
    tx.command("requests", "retry", str(request.id))
    before, after = {"state": str(request.state)}, {"retried by request": new_id}
    record_request(tx, request, AuditAction.RETRY_REQUEST, before, after, new_id)


def record_request(
    tx: Transaction,
    request: RequestRow,
    action: AuditAction,
    before: Mapping[str, object],
    after: Mapping[str, object],
    new_id: int | None = None,
) -> None:
    """Note in plan and audit what was done to a request, under `new_id` where another one goes on with it."""
    tx.record(
        PlanVerb.CHANGED,
        "request",
        str(request.id),
        before=before,
        after=after,
        action=action,
        user_id=request.user_id,
        request_id=request.id if new_id is None else new_id,
    )


@retries_on_conflict
async def reset(scope: AccountScope, request_id: int, *, dry_run: bool = False) -> Outcome[int]:
    """Free a request that looks stuck: it ends, its light turns red with what to do; a late result is refused.

    Raises Conflict when the request has ended already.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        _, under_way = await _under_way(tx, account_id, request_id)
        for request in under_way:
            before = {"state": str(request.state)}
            request.state = RequestState.CANCELLED
            request.attempt += 1
            request.ended_at = tx.now
            said = RESET_SAID.format(operator=tx.caller.operator)
            add_event(tx, request, "reset", said=said, remedy=RESET_REMEDY)
            if request.assignment_id is not None:
                row = await assignment_row(tx.session, request.assignment_id, lock=True)
                show(row, Light.RED, Word.ERROR, tx)
                row.error_kind = ErrorKind.STALE
                row.error_said, row.error_remedy = said, RESET_REMEDY
            tx.command("requests", "reset", str(request.id))
            after = {"state": str(request.state)}
            record_request(tx, request, AuditAction.RESET_STATUS, before, after)
            await update_parents(tx, [request])
    return tx.outcome(request_id)
