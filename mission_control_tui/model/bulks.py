"""One action for many users: planned, started, watched, stopped.

API for screens, all of it importable from here; `users` is a sequence of ids or names, or a `Where`:

    plan(store, caller, account, users, action, params) -> BulkPlan          what it would do; changes nothing
    start(store, caller, account, users, action, params, dry_run=False) -> Outcome[BulkView]
        afterwards call `provisioning.launch.ensure_worker`; where `plan.attended`, go on with `attend`
    attend(store, caller, account, bulk_id, keep=None) -> async iterator of Slice(items, last, requests, passwords)
        for bulks that make passwords: a screen shows each slice's, a command writes them in `keep`
    stop(store, caller, account, bulk_id, cancel_queued=False) -> Outcome[Stopped]
    resume(store, caller, account, bulk_id) -> Outcome[BulkView]
    show(store, caller, account, bulk_id) -> BulkView                        with `.progress`; cheap, for each change
    items(store, caller, account, bulk_id, outcomes=FAILED, limit, after_id) -> tuple[BulkItemView, ...]
    list_bulks(store, caller, account, limit, before_id, moving=False) -> tuple[BulkView, ...]
    pick_users(store, caller, account, where) -> tuple of ids

Retry of what is red: `retrying.retry_plan`, then `start` with `BulkAction.RETRY`. Undo: `undoing`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import case, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model import requests
from mission_control_tui.model.bulk_plans import plan, reveals
from mission_control_tui.model.bulk_targets import (
    Picked,
    Target,
    checked_params,
    chunks,
    pick_users,
    targets,
)
from mission_control_tui.model.bulk_views import (
    FAILED,
    BulkAction,
    BulkItemView,
    BulkParams,
    BulkPlan,
    BulkProgress,
    BulkReason,
    BulkSeats,
    BulkState,
    BulkView,
    ItemOutcome,
    ItemState,
    MissingSeats,
    NewPassword,
    Slice,
    Stopped,
    Where,
)
from mission_control_tui.model.bulk_work import Keep, breath, work_slice
from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.errors import Conflict, NotFound
from mission_control_tui.model.lookups import account_row
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.racing import retried
from mission_control_tui.model.states import ACTIVE_STATES, Light, RequestState
from mission_control_tui.model.tables import AssignmentRow, BulkItemRow, BulkRow, RequestRow
from mission_control_tui.model.transaction import Transaction

__all__ = [
    "FAILED",
    "BulkAction",
    "BulkItemView",
    "BulkParams",
    "BulkPlan",
    "BulkProgress",
    "BulkReason",
    "BulkSeats",
    "BulkState",
    "BulkView",
    "ItemOutcome",
    "ItemState",
    "MissingSeats",
    "NewPassword",
    "Slice",
    "Stopped",
    "Where",
    "attend",
    "items",
    "list_bulks",
    "pick_users",
    "plan",
    "resume",
    "show",
    "start",
    "stop",
]

_Own = aliased(AssignmentRow, name="own")
_Child = aliased(RequestRow, name="child")
_ChildAssignment = aliased(AssignmentRow, name="child_assignment")


async def start(
    store: Store,
    caller: Caller,
    account: int | str,
    users: Picked,
    action: BulkAction,
    params: BulkParams | None = None,
    *,
    dry_run: bool = False,
) -> Outcome[BulkView]:
    """Commit a bulk with all its items. From then on the worker goes on with it, whatever becomes of this process.

    Raises NotFound (names, service, level), UsageError (nobody picked; what is missing).
    """
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        catalogue = (await in_force(session)).catalogue
        wanted = checked_params(catalogue, action, params or BulkParams())
        chosen = await targets(session, account_id, users, action, wanted)
    attended = reveals(catalogue, action, wanted, chosen)
    return await create(
        store, caller, account_id, action, wanted, chosen, attended=attended, dry_run=dry_run
    )


@retried
async def create(
    store: Store,
    caller: Caller,
    account_id: int,
    action: BulkAction,
    params: BulkParams,
    chosen: Sequence[Target],
    *,
    attended: bool,
    undoes_id: int | None = None,
    dry_run: bool = False,
) -> Outcome[BulkView]:
    """The bulk and its items in one transaction, for those who know its targets already."""
    state = BulkState.ATTENDED if attended else BulkState.RUNNING
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        row = BulkRow(
            account_id=account_id,
            action=action,
            state=state if chosen else BulkState.DONE,
            params={**params.to_json(), "source": caller.source, "attended": attended},
            operator=caller.operator,
            ticket=caller.ticket,
            session=caller.session,
            total=len(chosen),
            undoes_id=undoes_id,
            created_at=tx.now,
            ended_at=None if chosen else tx.now,
        )
        tx.session.add(row)
        await tx.session.flush()
        for chunk in chunks(chosen):
            await tx.session.execute(
                insert(BulkItemRow),
                [
                    {
                        "bulk_id": row.id,
                        "user_id": one.user_id,
                        "assignment_id": one.assignment_id,
                        "name": one.name,
                        "state": ItemState.LEFT,
                        "reason": "",
                        "request_id": None,
                        "previous": one.previous,
                    }
                    for one in chunk
                ],
            )
        tx.bulk_id = row.id
        view = _view(row, BulkProgress(total=row.total, left=row.total))
        _record(tx, row, Verb.CREATED, after={"action": view.title, "items": row.total})
    return Outcome(view, tx.plan, not dry_run)


def _record(
    tx: Transaction, row: BulkRow, verb: Verb, *, after: Mapping[str, object], word: str = "start"
) -> None:
    tx.bulk_id = row.id
    tx.record(verb, "bulk", str(row.id), after=after, action=f"{word} bulk")


async def attend(
    store: Store,
    caller: Caller,
    account: int | str,
    bulk_id: int,
    keep: Keep | None = None,
) -> AsyncGenerator[Slice]:
    """Go on with a bulk in this process, slice by slice, until nothing is left or somebody stops it.

    `keep` gets a slice's passwords before they are committed, to write them where they outlive this process; each
    `Slice` has them too. Where this ends early, call it again: it begins with what is left. Raises NotFound.
    """
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        await _row(session, account_id, bulk_id)
    while True:
        begun = time.monotonic()
        done = await work_slice(store, bulk_id, attended=True, keep=keep)
        if done.items or done.last:
            yield done
        if done.last:
            return
        await asyncio.sleep(breath(time.monotonic() - begun))


async def stop(
    store: Store,
    caller: Caller,
    account: int | str,
    bulk_id: int,
    *,
    cancel_queued: bool = False,
    dry_run: bool = False,
) -> Outcome[Stopped]:
    """Turn no further items into wishes; with `cancel_queued` cancel those of its requests that have not ended.

    Raises NotFound, and Conflict where nothing is left to stop.
    """
    outcome = await _stop(store, caller, account, bulk_id, cancel_queued, dry_run=dry_run)
    if dry_run or not cancel_queued:
        return outcome
    account_id = outcome.result.bulk.account_id
    cancelled = 0
    for request_id in await _active(store, bulk_id):
        try:
            await requests.cancel(store, caller, account_id, request_id)
        except Conflict:
            continue  # it has ended meanwhile
        cancelled += 1
    bulk = await show(store, caller, account_id, bulk_id)
    stopped = Stopped(bulk, bulk.progress.left, bulk.progress.orange, cancelled)
    return Outcome(stopped, outcome.plan, applied=True)


@retried
async def _stop(
    store: Store,
    caller: Caller,
    account: int | str,
    bulk_id: int,
    cancel_queued: bool,
    *,
    dry_run: bool,
) -> Outcome[Stopped]:
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        row = await _row(tx.session, account_id, bulk_id, lock=True)
        progress = (await _progress(tx.session, [row.id]))[row.id]
        moving = row.state in {BulkState.RUNNING, BulkState.ATTENDED}
        if not moving and not (cancel_queued and progress.orange):
            raise Conflict(
                f"Bulk {bulk_id} is {row.state}: nothing is left to stop.",
                hint="What is queued can be cancelled with --cancel-queued."
                if progress.orange
                else "",
            )
        if moving:
            row.state = BulkState.STOPPED
            row.ended_at = tx.now
            _record(tx, row, Verb.CHANGED, after={"left": progress.left}, word="stop")
        view = _view(row, progress)
    return Outcome(Stopped(view, progress.left, progress.orange, 0), tx.plan, not dry_run)


async def _active(store: Store, bulk_id: int) -> Sequence[int]:
    async with store.read() as session:
        return (
            await session.scalars(
                select(RequestRow.id)
                .join(BulkItemRow, BulkItemRow.request_id == RequestRow.id)
                .where(BulkItemRow.bulk_id == bulk_id, RequestRow.state.in_(ACTIVE_STATES))
                .order_by(RequestRow.id.desc())
            )
        ).all()


@retried
async def resume(
    store: Store, caller: Caller, account: int | str, bulk_id: int, *, dry_run: bool = False
) -> Outcome[BulkView]:
    """Go on with a stopped bulk; one that makes passwords needs somebody to `attend` it.

    Raises NotFound, and Conflict where it is not stopped or nothing is left.
    """
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        row = await _row(tx.session, account_id, bulk_id, lock=True)
        progress = (await _progress(tx.session, [row.id]))[row.id]
        if row.state == BulkState.ATTENDED:
            tx.record(Verb.UNCHANGED, "bulk", str(row.id))
        elif row.state != BulkState.STOPPED or not progress.left:
            raise Conflict(f"Bulk {bulk_id} is {row.state}: there is nothing to go on with.")
        else:
            row.state = BulkState.ATTENDED if row.params.get("attended") else BulkState.RUNNING
            row.ended_at = None
            _record(tx, row, Verb.CHANGED, after={"left": progress.left}, word="resume")
        view = _view(row, progress)
    return Outcome(view, tx.plan, not dry_run)


async def show(store: Store, caller: Caller, account: int | str, bulk_id: int) -> BulkView:
    """One bulk and how far it is. Raises NotFound."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        row = await _row(session, account_id, bulk_id)
        return _view(row, (await _progress(session, [row.id]))[row.id])


async def list_bulks(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    limit: int = 50,
    before_id: int | None = None,
    moving: bool = False,
) -> tuple[BulkView, ...]:
    """The account's bulks, the newest first; `moving` keeps those that the worker or somebody goes on with."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        statement = select(BulkRow).where(BulkRow.account_id == account_id)
        if moving:
            statement = statement.where(BulkRow.state.in_([BulkState.RUNNING, BulkState.ATTENDED]))
        if before_id is not None:
            statement = statement.where(BulkRow.id < before_id)
        rows = (await session.scalars(statement.order_by(BulkRow.id.desc()).limit(limit))).all()
        progress = await _progress(session, [row.id for row in rows])
        return tuple(_view(row, progress[row.id]) for row in rows)


async def items(
    store: Store,
    caller: Caller,
    account: int | str,
    bulk_id: int,
    *,
    outcomes: Iterable[ItemOutcome] = (),
    limit: int = 200,
    after_id: int = 0,
) -> tuple[BulkItemView, ...]:
    """The bulk's items in order, those with one of these `outcomes` (all, without any); FAILED is red and refused.

    The next page has `after_id` = the last id. Raises NotFound.
    """
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        await _row(session, account_id, bulk_id)
        outcome = _outcome().label("outcome")
        statement = (
            select(BulkItemRow, AssignmentRow.service_id, AssignmentRow.error_said, outcome)
            .outerjoin(RequestRow, RequestRow.id == BulkItemRow.request_id)
            .outerjoin(AssignmentRow, AssignmentRow.id == BulkItemRow.assignment_id)
            .where(BulkItemRow.bulk_id == bulk_id, BulkItemRow.id > after_id)
            .order_by(BulkItemRow.id)
            .limit(limit)
        )
        wanted = [str(one) for one in outcomes]
        if wanted:
            statement = statement.where(_outcome().in_(wanted))
        rows = (await session.execute(statement)).all()
        return tuple(
            BulkItemView(
                row.id,
                row.user_id,
                row.assignment_id,
                row.name,
                service_id or "",
                ItemOutcome(found),
                row.reason or (said or "" if found == ItemOutcome.RED else ""),
                row.request_id,
            )
            for row, service_id, said, found in rows
        )


async def _row(
    session: AsyncSession, account_id: int, bulk_id: int, *, lock: bool = False
) -> BulkRow:
    statement = select(BulkRow).where(BulkRow.id == bulk_id, BulkRow.account_id == account_id)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound(
            f"This account has no bulk {bulk_id}.", hint="`mission-control bulk list` shows them."
        )
    return row


def _outcome() -> Any:
    """Where an item is: by its own state, then by its request's, then by the lights where that failed."""
    of_child = (
        select(_Child.id)
        .join(_ChildAssignment, _ChildAssignment.id == _Child.assignment_id)
        .where(_Child.parent_id == RequestRow.id)
    )
    own = select(_Own.light).where(_Own.id == RequestRow.assignment_id)
    mended = case(
        (own.scalar_subquery() == Light.RED, ItemOutcome.RED),
        (own.scalar_subquery() == Light.ORANGE, ItemOutcome.ORANGE),
        (own.scalar_subquery().is_not(None), ItemOutcome.GREEN),
        (exists(of_child.where(_ChildAssignment.light == Light.RED)), ItemOutcome.RED),
        (exists(of_child.where(_ChildAssignment.light == Light.ORANGE)), ItemOutcome.ORANGE),
        else_=ItemOutcome.GREEN,
    )
    return case(
        (BulkItemRow.state != ItemState.QUEUED, BulkItemRow.state),
        (BulkItemRow.request_id.is_(None), ItemOutcome.GREEN),
        (RequestRow.state.in_(ACTIVE_STATES), ItemOutcome.ORANGE),
        (RequestRow.state == RequestState.CANCELLED, ItemOutcome.CANCELLED),
        (RequestRow.state == RequestState.SUPERSEDED, ItemOutcome.SUPERSEDED),
        (RequestRow.state == RequestState.FAILED, mended),
        else_=ItemOutcome.GREEN,
    )


async def _progress(session: AsyncSession, bulk_ids: Sequence[int]) -> dict[int, BulkProgress]:
    each = (
        select(BulkItemRow.bulk_id, _outcome().label("outcome"))
        .outerjoin(RequestRow, RequestRow.id == BulkItemRow.request_id)
        .where(BulkItemRow.bulk_id.in_(bulk_ids))
        .subquery()
    )
    rows = await session.execute(
        select(each.c.bulk_id, each.c.outcome, func.count()).group_by(
            each.c.bulk_id, each.c.outcome
        )
    )
    counts: dict[int, dict[str, int]] = {bulk_id: {} for bulk_id in bulk_ids}
    for bulk_id, found, count in rows:
        counts[bulk_id][str(found)] = count
    return {
        bulk_id: BulkProgress(total=sum(found.values()), **found)
        for bulk_id, found in counts.items()
    }


def _view(row: BulkRow, progress: BulkProgress) -> BulkView:
    return BulkView(
        row.id,
        row.account_id,
        BulkAction(row.action),
        BulkState(row.state),
        BulkParams.from_json(row.params),
        row.operator,
        row.ticket,
        row.session,
        row.undoes_id,
        row.created_at,
        row.ended_at,
        bool(row.params.get("attended")),
        progress,
    )
