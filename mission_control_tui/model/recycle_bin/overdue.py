"""Whose time in the recycling bin is over: what a worker looks for every few minutes. `purge` takes them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.users import UserRow


@dataclass(frozen=True, slots=True)
class Overdue:
    """Somebody whose time in the recycling bin is over."""

    user_id: str
    account_id: int


async def overdue(store: Store, bin_days: int, limit: int) -> tuple[Overdue, ...]:
    """Return whoever has been in the recycling bin for longer than that, by the database's clock, the longest first."""
    if not bin_days:
        return ()
    async with store.read() as session:
        until = await too_old(store, bin_days)
        rows = await session.execute(
            select(UserRow.id, UserRow.account_id)
            .where(UserRow.in_bin, UserRow.purged_at.is_(None), UserRow.deleted_at <= until)
            .order_by(UserRow.deleted_at, UserRow.id)
            .limit(limit)
        )
        return tuple(Overdue(*row) for row in rows)


async def too_old(store: Store, bin_days: int) -> datetime:
    """Return until when somebody must have been deleted for that time to be over, by the database's clock."""
    return datetime.fromtimestamp(await store.now(), UTC) - timedelta(days=bin_days)
