"""Domains that renew themselves now: what a worker looks for every few minutes. `renewing` orders their renewal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.dates import today_of, zone_of
from mission_control_tui.model.services.domain_terms import ends_on, may_renew_itself, renews_itself
from mission_control_tui.model.states import OrderKind, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow

FROM = "renews from"
"""Under which name a renewal keeps the end of the term that it follows."""
MOVED = timedelta(days=7)
"""Another time zone of the account moves an end by less, and no term is so short."""


@dataclass(frozen=True, slots=True)
class DueRenewal:
    """A domain that renews itself, and the end of the term that it is to be renewed from."""

    account_id: int
    domain_id: int
    name: str
    ends_on: date


async def due_renewals(store: Store) -> tuple[DueRenewal, ...]:
    """Return what the worker has to renew now, by the database's clock and each account's time zone."""
    found: list[DueRenewal] = []
    async with store.read() as session:
        now = datetime.fromtimestamp(await clock(session), UTC)
        rows = await session.execute(
            select(DomainRow, AssignmentRow.settings, AccountRow.time_zone)
            .join(AccountRow, AccountRow.id == DomainRow.account_id)
            .join(AssignmentRow, AssignmentRow.domain_id == DomainRow.id)
            .where(
                DomainRow.bought,
                DomainRow.removed_at.is_(None),
                AssignmentRow.wish == Wish.PRESENT,
            )
            .order_by(DomainRow.id)
        )
        for domain, settings, zone in rows.all():
            end = ends_on(domain, zone_of(zone))
            if end is None or not renews_itself(settings):
                continue
            if may_renew_itself(end, today_of(zone, now)) and not await was_ordered(
                session, domain, end
            ):
                found.append(DueRenewal(domain.account_id, domain.id, domain.name, end))
    return tuple(found)


async def was_ordered(session: AsyncSession, row: DomainRow, end: date) -> bool:
    """Tell whether a renewal from this end of the term was ordered, whatever became of the order and the time zone."""
    first, last = (day.isoformat() for day in (end - MOVED, end + MOVED))
    return bool(
        await session.scalar(
            select(OrderRow.id)
            .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
            .where(
                OrderRow.account_id == row.account_id,
                OrderRow.kind == OrderKind.RENEWAL,
                # What was ordered for a name that was bought again is of its former registration.
                OrderRow.placed_at >= row.added_at,
                OrderLineRow.domain == row.name,
                OrderLineRow.details[FROM].as_string().between(first, last),
            )
            .limit(1)
        )
    )
