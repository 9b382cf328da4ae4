"""Reading bulks: one and how far it is, its items by what became of them, all of an account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.bulk.views import (
    BulkItemView,
    BulkOnlyAction,
    BulkProgress,
    BulkView,
    ItemOutcome,
    ItemState,
)
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.states import ACTIVE_STATES, BulkState, Light, RequestState, known
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.lookups import numbered_row
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.tables.bulk import BulkItemRow, BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import view_of

_Own = aliased(AssignmentRow, name="own")
_Child = aliased(RequestRow, name="child")
_ChildAssignment = aliased(AssignmentRow, name="child_assignment")


async def show(scope: AccountScope, bulk_id: int) -> BulkView:
    """Return one bulk and how far it is. Raises NotFound."""
    async with scope.read() as (session, account_id):
        row = await numbered_row(session, BulkRow, account_id, bulk_id)
        return bulk_view(row, (await progress_of(session, [row.id]))[row.id])


async def list_bulks(
    scope: Reach, *, limit: int = 50, before_id: int | None = None, moving: bool = False
) -> tuple[BulkView, ...]:
    """Return bulks of the account, or of all, the newest first.

    `moving` keeps those that the worker or somebody goes on with.
    """
    async with scope.reading() as (session, within):
        statement = select(BulkRow).where(within(BulkRow.account_id))
        if moving:
            statement = statement.where(BulkRow.state.in_([BulkState.RUNNING, BulkState.ATTENDED]))
        if before_id is not None:
            statement = statement.where(BulkRow.id < before_id)
        rows = (await session.scalars(statement.order_by(BulkRow.id.desc()).limit(limit))).all()
        progress = await progress_of(session, [row.id for row in rows])
        return tuple(bulk_view(row, progress[row.id]) for row in rows)


async def items(
    scope: AccountScope,
    bulk_id: int,
    *,
    outcomes: Iterable[ItemOutcome] = (),
    limit: int = 200,
    after_id: int = 0,
    offset: int = 0,
) -> tuple[BulkItemView, ...]:
    """Return the bulk's items in order, of these `outcomes` (all, without any); FAILED is red and refused.

    The next page has `after_id` = the last id; `offset` leaves so many out. Raises NotFound.
    """
    async with scope.read() as (session, account_id):
        await numbered_row(session, BulkRow, account_id, bulk_id)
        outcome = _outcome().label("outcome")
        statement = (
            select(
                *(BulkItemRow, AssignmentRow.service_id, AssignmentRow.instance),
                *(AssignmentRow.domain_id, AssignmentRow.error_said, outcome),
            )
            .outerjoin(RequestRow, RequestRow.id == BulkItemRow.request_id)
            .outerjoin(AssignmentRow, AssignmentRow.id == BulkItemRow.assignment_id)
            .where(BulkItemRow.bulk_id == bulk_id, BulkItemRow.id > after_id)
            .order_by(BulkItemRow.id)
            .limit(limit)
            .offset(offset)
        )
        wanted = [str(outcome) for outcome in outcomes]
        if wanted:
            statement = statement.where(_outcome().in_(wanted))
        rows = (await session.execute(statement)).all()
        return tuple(
            view_of(
                BulkItemView,
                row,
                service_id=service_id or "",
                instance=instance or "",
                domain_id=row.domain_id or domain_id,
                outcome=ItemOutcome(found),
                reason=row.reason or (said or "" if found == ItemOutcome.RED else ""),
            )
            for row, service_id, instance, domain_id, said, found in rows
        )


def _outcome() -> Any:
    """Return where an item is: by its own state, then by its request's, then by the lights where that failed."""
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


async def progress_of(session: AsyncSession, bulk_ids: Sequence[int]) -> dict[int, BulkProgress]:
    counts: dict[int, dict[str, int]] = {bulk_id: {} for bulk_id in bulk_ids}
    for some in batches(bulk_ids):
        each = (
            select(BulkItemRow.bulk_id, _outcome().label("outcome"))
            .outerjoin(RequestRow, RequestRow.id == BulkItemRow.request_id)
            .where(BulkItemRow.bulk_id.in_(some))
            .subquery()
        )
        rows = await session.execute(
            select(each.c.bulk_id, each.c.outcome, func.count()).group_by(
                each.c.bulk_id, each.c.outcome
            )
        )
        for bulk_id, found, count in rows:
            counts[bulk_id][str(found)] = count
    return {
        bulk_id: BulkProgress(total=sum(found.values()), **found)
        for bulk_id, found in counts.items()
    }


def bulk_view(row: BulkRow, progress: BulkProgress) -> BulkView:
    return view_of(
        BulkView,
        row,
        action=known(BulkOnlyAction, row.action),
        state=BulkState(row.state),
        params=ActionParams.from_json(row.params),
        attended=bool(row.params.get("attended")),
        progress=progress,
    )


async def require_items(session: AsyncSession, bulk_id: int) -> None:
    """Raise Conflict where items of an old bulk are being deleted: a part of it is not undone as if it were all."""
    total = await session.scalar(select(BulkRow.total).where(BulkRow.id == bulk_id))
    kept = await session.scalar(select(func.count()).where(BulkItemRow.bulk_id == bulk_id))
    if (kept or 0) < (total or 0):
        raise Conflict(
            f"Bulk {bulk_id} cannot be undone: its items are no longer kept.",
            hint=f"`mission-control audit --bulk {bulk_id}` says what it changed; undo its entries.",
        )
