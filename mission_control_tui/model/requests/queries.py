"""Reading the queue: lists of requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.states import ACTIVE_STATES, RequestState
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.requests import (
    RequestDependencyRow,
    RequestRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import RequestView, view_of


async def list_requests(
    scope: Reach,
    *,
    states: Iterable[RequestState] = (),
    user: str | None = None,
    limit: int = 200,
    offset: int = 0,
    before_id: int | None = None,
) -> tuple[RequestView, ...]:
    """Return requests of the account, or of all, newest first."""
    async with scope.reading() as (session, within):
        statement = select(RequestRow.id).where(within(RequestRow.account_id))
        wanted = list(states)
        if wanted:
            statement = statement.where(RequestRow.state.in_(wanted))
        if user is not None:
            target = await user_row(session, within.one, user, binned=True)
            statement = statement.where(RequestRow.user_id == target.id)
        if before_id is not None:
            statement = statement.where(RequestRow.id < before_id)
        page = statement.order_by(RequestRow.id.desc()).limit(limit).offset(offset)
        return await _views(session, page)


async def latest_requests(
    session: AsyncSession, account_id: int, limit: int
) -> tuple[tuple[RequestView, ...], tuple[RequestView, ...]]:
    """Return the account's requests that have not ended and those that have, newest first, `limit` of each."""
    of_account = select(RequestRow.id).where(RequestRow.account_id == account_id)
    newest = of_account.order_by(RequestRow.id.desc()).limit(limit)
    ended = frozenset(RequestState) - ACTIVE_STATES
    active, past = [
        (await session.scalars(newest.where(RequestRow.state.in_(sorted(states))))).all()
        for states in (ACTIVE_STATES, ended)
    ]
    views = await request_views(session, [*active, *past])
    return views[: len(active)], views[len(active) :]


async def count_requests(
    scope: AccountScope, *, states: Iterable[RequestState] = (), after_id: int = 0
) -> int:
    """Return how many requests the account has in these states (all, without any), those up to `after_id` left out."""
    async with scope.read() as (session, account_id):
        statement = select(func.count()).where(
            RequestRow.account_id == account_id, RequestRow.id > after_id
        )
        wanted = list(states)
        if wanted:
            statement = statement.where(RequestRow.state.in_(wanted))
        return int(await session.scalar(statement) or 0)


async def _views(session: AsyncSession, ids: Select[int]) -> tuple[RequestView, ...]:
    return await request_views(session, tuple(await session.scalars(ids)))


async def request_views(session: AsyncSession, wanted: Sequence[int]) -> tuple[RequestView, ...]:
    """Return these requests in the same order."""
    if not wanted:
        return ()
    rows = await session.execute(
        select(RequestRow, AssignmentRow, func.coalesce(UserRow.upn, SUBJECT))
        .outerjoin(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .outerjoin(UserRow, UserRow.id == RequestRow.user_id)
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
        row.id: _view(row, assignment, subject, depends.get(row.id, ()))
        for row, assignment, subject in rows
    }
    return tuple(found[request_id] for request_id in wanted)


def _view(
    row: RequestRow, assignment: AssignmentRow | None, subject: str, depends: Sequence[int]
) -> RequestView:
    return view_of(
        RequestView,
        row,
        state=RequestState(row.state),
        subject=subject,
        service_id=assignment.service_id if assignment else "",
        instance=assignment.instance if assignment else "",
        level_id=row.previous.get("asked_level", assignment.level_id) if assignment else "",
        depends_on=tuple(sorted(depends)),
        object_id=assignment.object_id if assignment else None,
        connector=assignment.connector if assignment else "",
    )
