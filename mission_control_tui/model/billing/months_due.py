"""Months that are over and not closed yet: what a worker looks for every few minutes. `statements` closes them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.billing.periods import period_of, periods
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow


async def months_due(store: Store, *, now: datetime | None = None) -> tuple[tuple[int, str], ...]:
    """Return the months that are over and not closed yet, as (account id, month), for the worker to `close_month`."""
    due: list[tuple[int, str]] = []
    async with store.read() as session:
        moment = now or await database_now(session)
        month = StatementRow.period
        counted = select(StatementRow.account_id, func.count(), func.min(month), func.max(month))
        kept_of = {
            account_id: kept
            for account_id, *kept in await session.execute(
                counted.group_by(StatementRow.account_id)
            )
        }
        for row in (await session.scalars(select(AccountRow).order_by(AccountRow.id))).all():
            zone = zone_of(row.time_zone)
            over = periods(period_of(row.created_at, zone), period_of(moment, zone))[:-1]
            # In another time zone an account may have begun in another month: what is kept may be more than that.
            if not over or kept_of.get(row.id) == [len(over), over[0], over[-1]]:
                continue
            # A later month may have been asked for, and so closed, before an earlier one.
            kept = select(StatementRow.period).where(StatementRow.account_id == row.id)
            closed = set(await session.scalars(kept))
            due += [(row.id, period) for period in over if period not in closed]
    return tuple(due)


async def database_now(session: AsyncSession) -> datetime:
    """Return the time of the database: a month that is closed stays closed, whatever this machine thinks that it is."""
    return datetime.fromtimestamp(await clock(session), UTC)
