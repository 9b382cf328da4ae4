"""The queue as people see it, and what they may do to it: cancel, retry, reset status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model import seats
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.lookups import (
    account_id_of,
    account_row,
    assignment_row,
    request_row,
    user_row,
)
from mission_control_tui.model.object_rows import keep_object
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.racing import retried
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    ErrorKind,
    Light,
    Priority,
    RequestKind,
    RequestState,
    Wish,
    Word,
)
from mission_control_tui.model.subjects import OTHER_SUBJECT
from mission_control_tui.model.tables import (
    AssignmentRow,
    DomainRow,
    RequestDependencyRow,
    RequestEventRow,
    RequestRow,
    RequestStepRow,
    UserRow,
)
from mission_control_tui.model.transaction import Transaction
from mission_control_tui.model.views import EventView, RequestView, StepView
from mission_control_tui.model.wishing import OF_THE_REQUEST, note, push, settle_parent, show

RESET_SAID = "The status was reset by {operator}: the back end has not been looked at since."
RESET_REMEDY = "Provision again: it looks first, and does only what is missing."


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """A request with its steps, its events and, for a fan-out, its children."""

    request: RequestView
    steps: tuple[StepView, ...]
    events: tuple[EventView, ...]
    children: tuple[RequestView, ...]


async def list_requests(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    states: Iterable[RequestState] = (),
    user: str | None = None,
    limit: int = 200,
    offset: int = 0,
    before_id: int | None = None,
) -> tuple[RequestView, ...]:
    """The account's requests, newest first."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        statement = select(RequestRow.id).where(RequestRow.account_id == account_id)
        wanted = list(states)
        if wanted:
            statement = statement.where(RequestRow.state.in_(wanted))
        if user is not None:
            target = await user_row(session, account_id, user, binned=True)
            statement = statement.where(RequestRow.user_id == target.id)
        if before_id is not None:
            statement = statement.where(RequestRow.id < before_id)
        page = statement.order_by(RequestRow.id.desc()).limit(limit).offset(offset)
        return await _views(session, page)


async def count_requests(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    states: Iterable[RequestState] = (),
    after_id: int = 0,
) -> int:
    """How many requests the account has in these states (all, without any), those up to `after_id` left out."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        statement = select(func.count()).where(
            RequestRow.account_id == account_id, RequestRow.id > after_id
        )
        wanted = list(states)
        if wanted:
            statement = statement.where(RequestRow.state.in_(wanted))
        return int(await session.scalar(statement) or 0)


async def show_request(
    store: Store, caller: Caller, account: int | str, request_id: int
) -> RequestDetails:
    """One request with everything that is known of it. Raises NotFound."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        await request_row(session, account_id, request_id)
        (view,) = await _views(session, select(RequestRow.id).where(RequestRow.id == request_id))
        children = await _views(
            session,
            select(RequestRow.id).where(RequestRow.parent_id == request_id).order_by(RequestRow.id),
        )
        return RequestDetails(
            view,
            await steps_of(session, request_id),
            await events_of(session, request_id),
            children,
        )


async def steps_of(session: AsyncSession, request_id: int) -> tuple[StepView, ...]:
    """The steps of all attempts, in order."""
    rows = await session.scalars(
        select(RequestStepRow)
        .where(RequestStepRow.request_id == request_id)
        .order_by(RequestStepRow.attempt, RequestStepRow.number)
    )
    return tuple(
        StepView(row.attempt, row.number, row.name, row.state, row.started_at, row.ended_at)
        for row in rows
    )


async def events_of(session: AsyncSession, request_id: int) -> tuple[EventView, ...]:
    """The events of the request, oldest first."""
    rows = await session.scalars(
        select(RequestEventRow)
        .where(RequestEventRow.request_id == request_id)
        .order_by(RequestEventRow.id)
    )
    return tuple(
        EventView(
            row.id,
            row.request_id,
            row.at,
            row.attempt,
            row.kind,
            row.step,
            row.said,
            row.remedy,
            row.duration_ms,
            row.detail,
        )
        for row in rows
    )


async def _views(session: AsyncSession, ids: Select[int]) -> tuple[RequestView, ...]:
    wanted = tuple(await session.scalars(ids))
    rows = await session.execute(
        select(RequestRow, AssignmentRow, UserRow.upn, OTHER_SUBJECT)
        .outerjoin(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .outerjoin(UserRow, UserRow.id == RequestRow.user_id)
        .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
        .where(RequestRow.id.in_(wanted))
    )
    depends: dict[int, list[int]] = {}
    for request_id, other in await session.execute(
        select(RequestDependencyRow.request_id, RequestDependencyRow.depends_on_id).where(
            RequestDependencyRow.request_id.in_(wanted)
        )
    ):
        depends.setdefault(request_id, []).append(other)
    found = {
        row.id: _view(row, assignment, upn or domain or "", depends.get(row.id, ()))
        for row, assignment, upn, domain in rows
    }
    return tuple(found[request_id] for request_id in wanted)


def _view(
    row: RequestRow, assignment: AssignmentRow | None, subject: str, depends: Sequence[int]
) -> RequestView:
    return RequestView(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        state=RequestState(row.state),
        user_id=row.user_id,
        subject=subject,
        assignment_id=row.assignment_id,
        service_id=assignment.service_id if assignment else "",
        level_id=row.previous.get("asked_level", assignment.level_id) if assignment else "",
        parent_id=row.parent_id,
        generation=row.generation,
        attempt=row.attempt,
        failures=row.failures,
        priority=row.priority,
        operator=row.operator,
        ticket=row.ticket,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        next_try_at=row.next_try_at,
        waiting_for=row.waiting_for,
        depends_on=tuple(sorted(depends)),
        object_id=assignment.object_id if assignment else None,
    )


@retried
async def cancel(
    store: Store, caller: Caller, account: int | str, request_id: int, *, dry_run: bool = False
) -> Outcome[RequestState]:
    """Cancel a request: before its start the previous wish is restored, later the worker stops between steps.

    The result is the state afterwards: cancelled, or running where the worker has to look first.
    Raises NotFound, and Conflict when the request has ended.
    """
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        request, under_way = await _under_way(tx, account_id, request_id)
        before = str(request.state)
        for one in under_way:
            await _cancel_one(tx, one)
        tx.command("requests", "cancel", str(request.id))
        tx.record(
            Verb.CHANGED,
            "request",
            str(request.id),
            before={"state": before},
            after={"state": str(request.state), "cancel": True},
            action="cancel request",
            user_id=request.user_id,
            request_id=request.id,
        )
        state = RequestState(request.state)
    return Outcome(state, tx.plan, not dry_run)


async def _under_way(
    tx: Transaction, account_id: int, request_id: int
) -> tuple[RequestRow, Sequence[RequestRow]]:
    """The request, and those of its children that have not ended, or itself without any; all of them locked.

    Raises NotFound, and Conflict when the request has ended.
    """
    request = await request_row(tx.session, account_id, request_id, lock=True)
    if request.state not in ACTIVE_STATES:
        raise Conflict(
            f"Request {request.id} has ended: {request.state}.",
            hint="To turn it back, state the wish that you want instead.",
        )
    children = await tx.session.scalars(
        select(RequestRow)
        .where(RequestRow.parent_id == request.id, RequestRow.state.in_(ACTIVE_STATES))
        .with_for_update()
    )
    return request, children.all() or [request]


async def _cancel_one(tx: Transaction, request: RequestRow) -> None:
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
        await note(tx, request, "cancel", said=f"{tx.caller.operator} asked to stop.")
        return
    request.state = RequestState.CANCELLED
    request.ended_at = tx.now
    await note(
        tx, request, "cancelled", said=f"Cancelled by {tx.caller.operator} before its start."
    )
    row = await assignment_row(tx.session, request.assignment_id, lock=True)
    await restore_wish(tx.session, row, request.previous)
    row.since = tx.now
    await settle_parent(tx, request)


async def restore_wish(session: AsyncSession, row: AssignmentRow, previous: dict[str, Any]) -> None:
    """Put the wish and the light back to `previous` and release the seats that only the later wish held.

    The generation goes up all the same: no number ever stands for two wishes.
    """
    for name, value in previous.items():
        if name not in {"generation", "adopt", *OF_THE_REQUEST}:
            setattr(row, name, value)
    row.generation += 1
    row.version += 1
    if row.observed_generation == previous["generation"]:
        row.observed_generation = row.generation
    if row.object_id is not None and row.wish != Wish.ABSENT:
        await keep_object(session, row.object_id)
    keep = {row.observed_level} if row.observed_wish != Wish.ABSENT else set()
    if row.wish != Wish.ABSENT:
        keep.add(row.level_id)
    await session.flush()
    await seats.release(session, row.id, keep=keep)


@retried
async def retry(
    store: Store,
    caller: Caller,
    account: int | str,
    request_id: int,
    *,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[tuple[int, ...]]:
    """Ask again for what a failed, cancelled or waiting request wished; returns the new requests' ids.

    A request that waits for its next try is tried now, and keeps its id.
    Raises Conflict when there is nothing to retry.
    """
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        request = await request_row(tx.session, account_id, request_id, lock=True)
        rows = (
            await tx.session.scalars(
                select(RequestRow).where(RequestRow.parent_id == request.id).order_by(RequestRow.id)
            )
        ).all() or [request]
        ids = [found for one in rows if (found := await _retry_one(tx, one, priority)) is not None]
        if not ids:
            raise Conflict(
                f"Request {request.id} has nothing to retry: it is {request.state}.",
                hint="Only what failed, was cancelled or waits for its next try can be retried.",
            )
    return Outcome(tuple(ids), tx.plan, not dry_run)


async def _retry_one(tx: Transaction, request: RequestRow, priority: int) -> int | None:
    if request.assignment_id is None:
        return None
    row = await assignment_row(tx.session, request.assignment_id, lock=True)
    if request.state == RequestState.QUEUED and request.next_try_at > 0:
        request.next_try_at = 0.0
        await note(tx, request, "retry", said=f"{tx.caller.operator} asked to try now.")
        _record_retry(tx, request, request.id)
        return request.id
    if row.light != Light.RED:
        return None
    fresh = await push(tx, row, RequestKind(request.kind), priority=priority)
    _record_retry(tx, request, fresh.id)
    return fresh.id


def _record_retry(tx: Transaction, request: RequestRow, new_id: int) -> None:
    tx.command("requests", "retry", str(request.id))
    tx.record(
        Verb.CHANGED,
        "request",
        str(request.id),
        before={"state": str(request.state)},
        after={"retried by request": new_id},
        action="retry request",
        user_id=request.user_id,
        request_id=new_id,
    )


@retried
async def reset(
    store: Store, caller: Caller, account: int | str, request_id: int, *, dry_run: bool = False
) -> Outcome[int]:
    """Free a request that looks stuck: it ends, its light turns red with what to do; a late result is refused.

    Raises Conflict when the request has ended already.
    """
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        _, under_way = await _under_way(tx, account_id, request_id)
        for one in under_way:
            before = str(one.state)
            one.state = RequestState.CANCELLED
            one.attempt += 1
            one.ended_at = tx.now
            said = RESET_SAID.format(operator=tx.caller.operator)
            await note(tx, one, "reset", said=said, remedy=RESET_REMEDY)
            if one.assignment_id is not None:
                row = await assignment_row(tx.session, one.assignment_id, lock=True)
                show(row, Light.RED, Word.ERROR, tx)
                row.error_kind = ErrorKind.STALE
                row.error_said, row.error_remedy = said, RESET_REMEDY
            tx.command("requests", "reset", str(one.id))
            tx.record(
                Verb.CHANGED,
                "request",
                str(one.id),
                before={"state": before},
                after={"state": str(RequestState.CANCELLED)},
                action="reset status",
                user_id=one.user_id,
                request_id=one.id,
            )
            await settle_parent(tx, one)
    return Outcome(request_id, tx.plan, not dry_run)
