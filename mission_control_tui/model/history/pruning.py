"""Deleting what ended long ago: requests with their steps and events, bulks with their items, schedules.

The audit stays for good. So does what is still asked for: the newest request of a service, every request of a red one,
and whatever something that is kept refers to. Numbers are never given again, so the newest bulk and schedule stay too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.states import ACTIVE_STATES, BulkState, Light, ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.requests import (
    RequestDependencyRow,
    RequestEventRow,
    RequestPlanRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.worker_transaction import silent_write

AT_ONCE = 200
"""Requests or schedules that one transaction deletes."""
ITEMS_AT_ONCE = 1_000
"""Items of a bulk that one transaction deletes."""
LOOKED_AT = 1_000
"""Requests that are looked at in one reading."""
INTERVAL_SECONDS = 86_400.0
_ENDED_BULKS = (BulkState.DONE, BulkState.STOPPED)

_Child = aliased(RequestRow, name="child")
_Newer = aliased(RequestRow, name="newer")
_Dependent = aliased(RequestRow, name="dependent")


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice did: how many rows went, the request it came to, whether something is left to look at."""

    deleted: int
    after_id: int
    left: bool


async def is_due(store: Store) -> bool:
    """Tell whether a day has passed since the last time that all was looked through."""
    async with store.read() as session:
        since = await clock(session) - float(
            await session.scalar(select(InstallationRow.pruned_at)) or 0.0
        )
    return not 0.0 <= since < INTERVAL_SECONDS


@retries_on_conflict
async def prune(store: Store, keep_days: int, after_id: int = 0) -> Slice:
    """Delete the next slice of what ended more than `keep_days` ago, of requests those after `after_id`.

    A parent goes the day after the last of its children.
    """
    async with store.read() as session:
        now = await clock(session)
        until = datetime.fromtimestamp(now, UTC) - timedelta(days=keep_days)
        # Requests may go after what refers to them, so these come first and are not looked for again.
        schedules = [] if after_id else await _old_schedules(session, until)
        bulk_id = None if after_id or schedules else await _old_bulk(session, until)
        last, requests, is_end = await _old_requests(session, until, after_id)
    if schedules:
        async with silent_write(store) as session:
            await session.execute(delete(ScheduleRow).where(ScheduleRow.id.in_(schedules)))
        return Slice(len(schedules), after_id, left=True)
    if bulk_id is not None:
        async with silent_write(store) as session:
            return Slice(await _delete_items(session, bulk_id), after_id, left=True)
    deleted = 0
    if requests or is_end:
        async with silent_write(store) as session:
            deleted = await _delete_requests(session, requests, until)
            if is_end:
                await session.execute(update(InstallationRow).values(pruned_at=now))
    return Slice(deleted, last, left=not is_end)


async def _old_schedules(session: AsyncSession, until: datetime) -> list[int]:
    newest = select(func.max(ScheduleRow.id)).scalar_subquery()
    ids = await session.scalars(
        select(ScheduleRow.id)
        .where(ScheduleRow.state != ScheduleState.WAITING, ScheduleRow.ended_at <= until)
        .where(ScheduleRow.id < newest)
        .order_by(ScheduleRow.id)
        .limit(AT_ONCE)
    )
    return list(ids)


async def _old_bulk(session: AsyncSession, until: datetime) -> int | None:
    """Return a bulk that may go: all of its requests ended as long ago, and no other one undoes it."""
    newest = select(func.max(BulkRow.id)).scalar_subquery()
    moving = (
        select(BulkItemRow.id)
        .join(RequestRow, RequestRow.id == BulkItemRow.request_id)
        .where(BulkItemRow.bulk_id == BulkRow.id, ~_ended(until))
    )
    undone = select(BulkRow.undoes_id).where(BulkRow.undoes_id.is_not(None))
    return await session.scalar(
        select(BulkRow.id)
        .where(BulkRow.state.in_(_ENDED_BULKS), BulkRow.ended_at <= until)
        .where(BulkRow.id < newest, BulkRow.id.not_in(undone), ~exists(moving))
        .order_by(BulkRow.id)
        .limit(1)
    )


def _ended(until: datetime) -> ColumnElement[bool]:
    return and_(RequestRow.state.not_in(ACTIVE_STATES), RequestRow.ended_at <= until)


async def _delete_items(session: AsyncSession, bulk_id: int) -> int:
    """Delete the next items of a bulk, and the bulk after its last; how many rows went."""
    found = await session.scalar(
        select(BulkRow.id)
        .where(BulkRow.id == bulk_id, BulkRow.state.in_(_ENDED_BULKS))
        .with_for_update()
    )
    if found is None:
        return 0
    items = (
        await session.scalars(
            select(BulkItemRow.id).where(BulkItemRow.bulk_id == bulk_id).limit(ITEMS_AT_ONCE)
        )
    ).all()
    await session.execute(delete(BulkItemRow).where(BulkItemRow.id.in_(items)))
    if len(items) == ITEMS_AT_ONCE:
        return len(items)
    await session.execute(delete(BulkRow).where(BulkRow.id == bulk_id))
    return len(items) + 1


async def _old_requests(
    session: AsyncSession, until: datetime, after_id: int
) -> tuple[int, list[int], bool]:
    """Return up to which request was looked, those of them that may go, and whether all others are too young."""
    window = (
        await session.execute(
            select(RequestRow.id, RequestRow.created_at)
            .where(RequestRow.id > after_id)
            .order_by(RequestRow.id)
            .limit(LOOKED_AT)
        )
    ).all()
    if not window:
        return after_id, [], True
    last = window[-1].id
    statement = _prunable(until).where(RequestRow.id > after_id, RequestRow.id <= last)
    found = list(await session.scalars(statement.order_by(RequestRow.id).limit(AT_ONCE)))
    if len(found) == AT_ONCE:
        return found[-1], found, False
    return last, found, len(window) < LOOKED_AT or window[-1].created_at > until


def _prunable(until: datetime) -> Select[int]:
    """Return what finds requests that nobody needs any more."""
    waits = (
        select(RequestDependencyRow.request_id)
        .join(_Dependent, _Dependent.id == RequestDependencyRow.request_id)
        .where(
            RequestDependencyRow.depends_on_id == RequestRow.id, _Dependent.state.in_(ACTIVE_STATES)
        )
    )
    newer = select(_Newer.id).where(
        _Newer.assignment_id == RequestRow.assignment_id, _Newer.id > RequestRow.id
    )
    parent_moves = select(_Newer.id).where(
        _Newer.id == RequestRow.parent_id, _Newer.state.in_(ACTIVE_STATES)
    )
    return (
        select(RequestRow.id)
        .outerjoin(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(
            _ended(until),
            or_(
                RequestRow.assignment_id.is_(None),
                and_(AssignmentRow.light != Light.RED, exists(newer)),
            ),
            ~exists(parent_moves),
            ~exists(select(_Child.id).where(_Child.parent_id == RequestRow.id)),
            ~exists(select(BulkItemRow.id).where(BulkItemRow.request_id == RequestRow.id)),
            ~exists(select(ScheduleRow.id).where(ScheduleRow.request_id == RequestRow.id)),
            ~exists(waits),
        )
    )


async def _delete_requests(session: AsyncSession, wanted: list[int], until: datetime) -> int:
    """Delete those that may still go, with all that is theirs; how many."""
    if not wanted:
        return 0
    ids = list(await session.scalars(_prunable(until).where(RequestRow.id.in_(wanted))))
    for statement in (
        delete(RequestDependencyRow).where(
            or_(
                RequestDependencyRow.request_id.in_(ids),
                RequestDependencyRow.depends_on_id.in_(ids),
            )
        ),
        delete(RequestStepRow).where(RequestStepRow.request_id.in_(ids)),
        delete(RequestPlanRow).where(RequestPlanRow.request_id.in_(ids)),
        delete(RequestEventRow).where(RequestEventRow.request_id.in_(ids)),
        delete(RequestRow).where(RequestRow.id.in_(ids)),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))
    return len(ids)
