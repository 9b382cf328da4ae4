"""One action for many users: planned, started, watched, stopped.

API for screens; `users` is a sequence of ids or names, or a `UserFilter`:

    planning.plan(scope, users, action, params) -> BulkPlan  what it would do; changes nothing
    start(scope, users, action, params, dry_run=False) -> Outcome[BulkView]
        afterwards call `provisioning.launcher.ensure_worker`; where `plan.attended`, go on with `attend`
    attend(scope, bulk_id, keep=None) -> async iterator of Slice(items, last, requests, passwords)
        for bulks that make passwords: a screen shows each slice's, a command writes them in `keep`
    stop(scope, bulk_id, cancel_queued=False) -> Outcome[StoppedBulk]
    resume(scope, bulk_id) -> Outcome[BulkView]
    queries.show(scope, bulk_id) -> BulkView  with `.progress`; cheap, for each change
    queries.items(scope, bulk_id, outcomes=FAILED, limit, after_id) -> tuple[BulkItemView, ...]
    queries.list_bulks(scope, limit, before_id, moving=False) -> tuple[BulkView, ...]

Retry of what is red: `retry.retry_plan`, then `start` with `BulkOnlyAction.RETRY`. Undo: `history/undo.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.bulk.item_storage import PackedItems, pack, storing
from mission_control_tui.model.bulk.queries import bulk_view, progress_of, show
from mission_control_tui.model.bulk.slices import breath, work_slice
from mission_control_tui.model.bulk.targets import BulkOrder, Picked, order
from mission_control_tui.model.bulk.views import (
    BulkAction,
    BulkProgress,
    BulkView,
    Slice,
    StoppedBulk,
)
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.states import ACTIVE_STATES, BulkState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import numbered_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import KeepPasswords


async def start(
    scope: AccountScope,
    users: Picked,
    action: BulkAction,
    params: ActionParams | None = None,
    *,
    dry_run: bool = False,
) -> Outcome[BulkView]:
    """Commit a bulk with all its items. From then on the worker goes on with it, whatever becomes of this process.

    Raises NotFound (names, service, level), UsageError (nobody picked; what is missing).
    """
    return await create(scope, await order(scope, users, action, params), dry_run=dry_run)


@retries_on_conflict
async def create(
    scope: AccountScope, order: BulkOrder, *, undoes_id: int | None = None, dry_run: bool = False
) -> Outcome[BulkView]:
    """Return the bulk and its items in one transaction, for those who know its targets already."""
    packed = await pack(order.targets)
    async with scope.store.write(scope.caller, order.account_id, dry_run=dry_run) as tx:
        view = await create_in(tx, order, packed, undoes_id=undoes_id)
    return tx.outcome(view)


async def create_in(
    tx: Transaction, order: BulkOrder, packed: PackedItems, *, undoes_id: int | None = None
) -> BulkView:
    """Make the bulk as `create` does, inside the caller's transaction, whose audit rows are the bulk's from here on."""
    state = BulkState.ATTENDED if order.attended else BulkState.RUNNING
    row = BulkRow(
        account_id=order.account_id,
        action=order.action,
        state=state if packed.total else BulkState.DONE,
        params={
            **order.params.to_json(),
            "source": tx.caller.source,
            "attended": order.attended,
        },
        operator=tx.caller.operator,
        ticket=tx.caller.ticket,
        session=tx.caller.session,
        total=packed.total,
        undoes_id=undoes_id,
        created_at=tx.now,
        ended_at=None if packed.total else tx.now,
    )
    tx.session.add(row)
    await tx.session.flush()
    if packed.total:
        await tx.session.execute(storing(row.id, packed, is_sqlite=tx.is_sqlite))
    tx.bulk_id = row.id
    view = bulk_view(row, BulkProgress(total=row.total, left=row.total))
    _record(tx, row, AuditAction.START_BULK, {"action": view.title, "items": row.total})
    return view


def _record(tx: Transaction, row: BulkRow, action: AuditAction, after: dict[str, object]) -> None:
    tx.bulk_id = row.id
    verb = PlanVerb.CREATED if action is AuditAction.START_BULK else PlanVerb.CHANGED
    tx.record(verb, "bulk", str(row.id), after=after, action=action)


async def attend(
    scope: AccountScope, bulk_id: int, keep: KeepPasswords | None = None
) -> AsyncGenerator[Slice]:
    """Go on with a bulk in this process, slice by slice, until nothing is left or somebody stops it.

    `keep` gets a slice's passwords before they are committed, to write them where they outlive this process; each
    `Slice` has them too. Where this ends early, call it again: it begins with what is left. Raises NotFound, Denied.
    """
    scope.caller.require_write()
    async with scope.read() as (session, account_id):
        await numbered_row(session, BulkRow, account_id, bulk_id)
    while True:
        begun = time.monotonic()
        done = await work_slice(scope.store, bulk_id, attended=True, keep=keep)
        if done.items or done.last:
            yield done
        if done.last:
            return
        await asyncio.sleep(breath(time.monotonic() - begun))


async def stop(
    scope: AccountScope, bulk_id: int, *, cancel_queued: bool = False, dry_run: bool = False
) -> Outcome[StoppedBulk]:
    """Turn no further items into wishes; with `cancel_queued` cancel those of its requests that have not ended.

    Raises NotFound, and Conflict where nothing is left to stop.
    """
    outcome = await _stop(scope, bulk_id, cancel_queued, dry_run=dry_run)
    if dry_run or not cancel_queued:
        return outcome
    cancelled = 0
    for request_id in await _active(scope.store, bulk_id):
        try:
            await requests.cancel(scope, request_id)
        except Conflict:
            continue  # it has ended meanwhile
        cancelled += 1
    bulk = await show(scope, bulk_id)
    stopped = StoppedBulk(bulk, bulk.progress.left, bulk.progress.orange, cancelled)
    return Outcome(stopped, outcome.plan, applied=True)


@retries_on_conflict
async def _stop(
    scope: AccountScope, bulk_id: int, cancel_queued: bool, *, dry_run: bool
) -> Outcome[StoppedBulk]:
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await numbered_row(tx.session, BulkRow, account_id, bulk_id, lock=True)
        progress = (await progress_of(tx.session, [row.id]))[row.id]
        moving = row.state in {BulkState.RUNNING, BulkState.ATTENDED}
        if not moving and not (cancel_queued and progress.orange):
            hint = (
                "What is queued can be cancelled with --cancel-queued." if progress.orange else ""
            )
            raise Conflict(f"Bulk {bulk_id} is {row.state}: nothing is left to stop.", hint=hint)
        if moving:
            row.state = BulkState.STOPPED
            row.ended_at = tx.now
            _record(tx, row, AuditAction.STOP_BULK, {"left": progress.left})
        view = bulk_view(row, progress)
    return tx.outcome(StoppedBulk(view, progress.left, progress.orange, 0))


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


@retries_on_conflict
async def resume(scope: AccountScope, bulk_id: int, *, dry_run: bool = False) -> Outcome[BulkView]:
    """Go on with a stopped bulk; one that makes passwords needs somebody to `attend` it.

    Raises NotFound, and Conflict where it is not stopped or nothing is left.
    """
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await numbered_row(tx.session, BulkRow, account_id, bulk_id, lock=True)
        progress = (await progress_of(tx.session, [row.id]))[row.id]
        if row.state == BulkState.ATTENDED:
            tx.record(PlanVerb.UNCHANGED, "bulk", str(row.id))
        elif row.state != BulkState.STOPPED or not progress.left:
            raise Conflict(f"Bulk {bulk_id} is {row.state}: there is nothing to go on with.")
        else:
            row.state = BulkState.ATTENDED if row.params.get("attended") else BulkState.RUNNING
            row.ended_at = None
            _record(tx, row, AuditAction.RESUME_BULK, {"left": progress.left})
        view = bulk_view(row, progress)
    return tx.outcome(view)
