"""Which schedules are due by the database's clock: asked often, so it loads little."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, select

from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.schedules import ScheduleRow


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule whose moment has come."""

    id: int
    user_id: str | None
    domain_id: int | None
    action: str


_NEXT = (
    select(ScheduleRow.due_at)
    .where(
        ScheduleRow.state == ScheduleState.WAITING,
        ScheduleRow.action.not_in(bindparam("held", expanding=True)),
    )
    .order_by(ScheduleRow.due_at)
    .limit(1)
)


async def next_moment(store: Store, held: Collection[str] = ()) -> float | None:
    """Return the seconds until the next schedule is due, 0 or less when one is; None when none waits.

    Those of the verbs that are `held` back are left out.
    """
    async with store.read() as session:
        first = await session.scalar(_NEXT, {"held": list(held)})
        return None if first is None else first.timestamp() - await clock(session)


async def due(store: Store, held: Collection[str] = (), limit: int = 50) -> tuple[DueSchedule, ...]:
    """Return schedules whose moment has come, the longest overdue first, without those that are `held` back."""
    async with store.read() as session:
        now = datetime.fromtimestamp(await clock(session), UTC)
        rows = await session.execute(
            select(ScheduleRow.id, ScheduleRow.user_id, ScheduleRow.domain_id, ScheduleRow.action)
            .where(ScheduleRow.state == ScheduleState.WAITING, ScheduleRow.due_at <= now)
            .where(ScheduleRow.action.not_in(held))
            .order_by(ScheduleRow.due_at, ScheduleRow.id)
            .limit(limit)
        )
        return tuple(DueSchedule(*row) for row in rows)
