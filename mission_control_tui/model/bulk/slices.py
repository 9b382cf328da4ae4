"""Turning a bulk's items into wishes, a slice at a time: one short transaction each, so that nobody else waits.

An item that becomes a wish leaves `left` in the same transaction. So it happens once, whoever is killed and however
many work on the same bulk. A slice ends after `SLICE_ITEMS` or, on a slow disk, after `SLICE_SECONDS`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select

from mission_control_tui.model.bulk.actions import BulkContext, ItemResult, act, subjects
from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.bulk.views import (
    BulkAction,
    ItemState,
    Slice,
    bulk_action,
)
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.states import BulkState, Priority, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import FLAWS, NOW
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import KeepPasswords

SLICE_ITEMS = 50
SLICE_SECONDS = 0.05
FEW = 10
"""Items that are read together within a slice."""
BREATH_SECONDS = 0.03
"""Between two slices of one process others get their turn: at least so long, and as long as the slice took. Whoever
waits for SQLite looks again after 25 ms at most, in the first tenth of a second."""
ROWS_SECONDS = 0.005
"""The same on PostgreSQL, where others wait for the same rows alone, and have them as soon as they are let go of."""
AHEAD = 200
"""The worker turns no more items into wishes while so many bulk requests are due: a bulk that is stopped has little
on its way, and the queue stays short."""
REASON_LIMIT = 1000

_FLAWS = (
    *FLAWS,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
)


@dataclass(frozen=True, slots=True)
class _Bulk:
    id: int
    account_id: int
    caller: Caller
    action: BulkAction
    params: ActionParams
    stated_at: datetime


async def next_bulk(store: Store) -> int | None:
    """Return the oldest bulk that runs; None where there is none or enough of its like is on its way."""
    async with store.glance() as session:
        statement = _OLDEST_WITH_ROOM[session.get_bind().dialect.name]
        found: int | None = await session.scalar(statement)
        return found


def _oldest_with_room(now: ColumnElement[float]) -> Select[int | None]:
    due = (
        select(RequestRow.id)
        .where(
            RequestRow.state == RequestState.QUEUED,
            RequestRow.priority >= Priority.BULK,
            RequestRow.next_try_at <= now,
        )
        .limit(AHEAD)
    )
    on_their_way = select(func.count()).select_from(due.subquery()).scalar_subquery()
    oldest = select(func.min(BulkRow.id)).where(BulkRow.state == BulkState.RUNNING)
    return oldest.where(on_their_way < AHEAD)


_OLDEST_WITH_ROOM = {dialect: _oldest_with_room(now) for dialect, now in NOW.items()}


def breath(took: float, *, is_sqlite: bool = True) -> float:
    """Return how long to leave the database to others after a slice that took so long."""
    return max(BREATH_SECONDS, took) if is_sqlite else ROWS_SECONDS


async def work_slice(
    store: Store,
    bulk_id: int,
    *,
    attended: bool = False,
    keep: KeepPasswords | None = None,
    limit: int = SLICE_ITEMS,
) -> Slice:
    """Turn the bulk's next items into wishes, as the operator who started it. Nothing is done where it is stopped.

    `attended`: by the process that takes the passwords, which `keep` gets before they are committed. An error in the
    program itself is recorded as that of the item, so that it does not hold up the others.
    """
    try:
        return await _slice(store, bulk_id, attended, keep, limit)
    except _FLAWS as error:
        if limit > 1:
            return await work_slice(store, bulk_id, attended=attended, keep=keep, limit=1)
        return await _give_up_first(store, bulk_id, type(error).__name__)


@retries_on_conflict
async def _slice(
    store: Store, bulk_id: int, attended: bool, keep: KeepPasswords | None, limit: int
) -> Slice:
    bulk = await _bulk(store, bulk_id)
    async with store.write(bulk.caller, bulk.account_id, keep=keep) as tx:
        row = await _locked(tx, bulk_id)
        states = {BulkState.RUNNING, *({BulkState.ATTENDED} if attended else set())}
        if row is None or row.state not in states:
            tx.dry_run = True  # nothing is done, so nobody has to hear of it
            return Slice(bulk_id, 0, last=row is not None)
        done = await _work(tx, bulk, limit)
        last = await _conclude(tx, row)
        return Slice(bulk_id, len(done), last, tuple(tx.requests), tuple(tx.revealed))


async def _bulk(store: Store, bulk_id: int) -> _Bulk:
    async with store.read() as session:
        row = await session.get_one(BulkRow, bulk_id)
        undone = await session.get(BulkRow, row.undoes_id) if row.undoes_id else None
        caller = Caller(
            row.operator,
            ticket=row.ticket,
            source=str(row.params.get("source", "cli")),
            session=row.session,
        )
        return _Bulk(
            row.id,
            row.account_id,
            caller,
            bulk_action(row.action),
            ActionParams.from_json(row.params),
            undone.created_at if undone is not None else row.created_at,
        )


async def _locked(tx: Transaction, bulk_id: int) -> BulkRow | None:
    """Return the bulk's row; None where another worker is at it."""
    return await tx.session.scalar(
        select(BulkRow).where(BulkRow.id == bulk_id).with_for_update(skip_locked=True)
    )


async def _work(tx: Transaction, bulk: _Bulk, limit: int) -> list[ItemResult]:
    """Return the next items, at least one, until there are `limit` of them or the slice has taken its time."""
    until = time.monotonic() + SLICE_SECONDS
    tx.bulk_id = bulk.id
    context = await BulkContext.of(tx, bulk.account_id, bulk.action, bulk.params, bulk.stated_at)
    done: list[ItemResult] = []
    while some := await _few(tx, bulk, context, min(FEW, limit - len(done)), until):
        done += some
        if len(done) >= limit or time.monotonic() >= until:
            break
    return done


async def _few(
    tx: Transaction, bulk: _Bulk, context: BulkContext, limit: int, until: float
) -> list[ItemResult]:
    rows = (await tx.session.scalars(_left(bulk.id, limit))).all()
    items = [
        BulkTarget(row.user_id, row.assignment_id, row.name, row.previous, row.domain_id)
        for row in rows
    ]
    done: list[ItemResult] = []
    for row, subject in zip(rows, await subjects(tx, context, items), strict=True):
        acted = await act(tx, context, subject)
        row.state = acted.state
        row.reason = acted.reason[:REASON_LIMIT]
        row.request_id = acted.request_id
        row.assignment_id = acted.assignment_id or row.assignment_id
        row.previous = {**row.previous, **acted.previous}
        done.append(acted)
        if time.monotonic() > until:
            break
    await tx.session.flush()
    return done


def _left(bulk_id: int, limit: int) -> Select[BulkItemRow]:
    return (
        select(BulkItemRow)
        .where(BulkItemRow.bulk_id == bulk_id, BulkItemRow.state == ItemState.LEFT)
        .order_by(BulkItemRow.id)
        .limit(limit)
    )


async def _conclude(tx: Transaction, row: BulkRow) -> bool:
    if await tx.session.scalar(_left(row.id, 1)) is not None:
        return False
    row.state = BulkState.DONE
    row.ended_at = tx.now
    return True


@retries_on_conflict
async def _give_up_first(store: Store, bulk_id: int, error: str) -> Slice:
    """Take the item that the program fails at out of the way, and say so."""
    bulk = await _bulk(store, bulk_id)
    async with store.write(bulk.caller, bulk.account_id) as tx:
        row = await _locked(tx, bulk_id)
        item = await tx.session.scalar(_left(bulk_id, 1))
        if row is None or item is None:
            return Slice(bulk_id, 0, last=item is None)
        item.state = ItemState.REFUSED
        item.reason = f"Mission Control has a defect here ({error}); please report it."
        await tx.session.flush()
        return Slice(bulk_id, 1, await _conclude(tx, row))
