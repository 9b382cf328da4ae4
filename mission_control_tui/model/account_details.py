"""Everything about one account on one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model import seats
from mission_control_tui.model.accounts import zone_of
from mission_control_tui.model.addresses import domains_of
from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.contacts import Contact, contacts_of
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.domains import DomainView, domain_views
from mission_control_tui.model.lookups import account_row
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders import OrderState, month_start, spent_since
from mission_control_tui.model.people.password import PasswordPolicy
from mission_control_tui.model.states import Light
from mission_control_tui.model.tables import AssignmentRow, OrderRow, UserRow
from mission_control_tui.model.user_rules import policy_of
from mission_control_tui.model.views import Account, LightCounts, Seats

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """One account as a whole.

    `users` are those outside the recycling bin. `this_month` is what complete purchases of this month (in the
    account's time zone) come to, one amount for each currency, at least one. Orders of more than `approval_above` wait
    for an approval; None for none.
    """

    account: Account
    created_at: datetime
    policy: PasswordPolicy
    domains: tuple[DomainView, ...]
    contacts: tuple[Contact, ...]
    seats: tuple[Seats, ...]
    lights: LightCounts
    users: int
    users_in_bin: int
    orders: int
    orders_awaiting_approval: int
    this_month: tuple[Money, ...]
    approval_above: Money | None = None


async def show(
    store: Store, caller: Caller, account: int | str, *, now: datetime | None = None
) -> AccountDetails:
    """The account with everything that it owns, counted. Raises NotFound, Denied."""
    async with store.read() as session:
        row = await account_row(session, caller, account)
        catalogue = (await in_force(session)).catalogue
        since = month_start(now or datetime.now(UTC), zone_of(row.time_zone))
        spent = await spent_since(session, row.id, since)
        users = await _counted(session, UserRow.in_bin, UserRow.account_id == row.id)
        purged = await _purged(session, row.id) if users.get(True) else 0
        orders = await _counted(session, OrderRow.state, OrderRow.account_id == row.id)
        names = await domains_of(session, row.id)
        return AccountDetails(
            account=Account(
                row.id, row.code, row.name, row.is_sample, row.time_zone, names, row.version
            ),
            created_at=row.created_at,
            policy=policy_of(row),
            domains=await domain_views(session, row.id),
            contacts=await contacts_of(session, row.id),
            seats=await seats.overview(session, catalogue, row.id),
            lights=await light_counts(session, row.id),
            users=users.get(False, 0),
            users_in_bin=users.get(True, 0) - purged,
            orders=sum(orders.values()),
            orders_awaiting_approval=orders.get(OrderState.AWAITING_APPROVAL, 0),
            this_month=spent or (catalogue.money(0),),
            approval_above=(
                None
                if row.approval_above_minor is None
                else catalogue.money(row.approval_above_minor)
            ),
        )


async def _counted(
    session: AsyncSession, column: InstrumentedAttribute[K], condition: ColumnElement[bool]
) -> dict[K, int]:
    rows = await session.execute(select(column, func.count()).where(condition).group_by(column))
    return {key: int(count) for key, count in rows}


async def _purged(session: AsyncSession, account_id: int) -> int:
    """How many of those in the recycling bin are there by their id only."""
    statement = select(func.count()).where(
        UserRow.account_id == account_id, UserRow.in_bin, UserRow.purged_at.is_not(None)
    )
    return int(await session.scalar(statement) or 0)


async def light_counts(session: AsyncSession, account_id: int) -> LightCounts:
    """How many service instances of the account show each light."""
    found = await _counted(session, AssignmentRow.light, AssignmentRow.account_id == account_id)
    return LightCounts(**{light.value: found.get(light.value, 0) for light in Light})


async def list_seats(store: Store, caller: Caller, account: int | str) -> tuple[Seats, ...]:
    """Owned, used, queued and free seats of every level that the account bought, in the catalogue's order."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        return await seats.overview(session, (await in_force(session)).catalogue, account_id)
