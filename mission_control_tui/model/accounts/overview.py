"""Everything about one account on one page, and its seats."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.accounts.contacts import Contact, contacts_of
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.domains.ownership import DomainView, domain_views
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.queries import month_start, spent_since
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.domain_terms import (
    ExpiringDomain,
    domains_over,
    expiring_domains,
)
from mission_control_tui.model.services.lights import past_term
from mission_control_tui.model.states import Light, OrderState, ScheduleState
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.account_rows import account_view
from mission_control_tui.model.store.scope import AccountItem, AccountScope, Reach, Within
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.rules import policy_of
from mission_control_tui.model.views import Account, LightCounts, Seats

K = TypeVar("K")

FAILED_DAYS = 7
"""A schedule that failed is counted for so many days."""


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """One account as a whole.

    `users` are those outside the recycling bin. `this_month` is what complete purchases of this month (in the
    account's time zone) come to, one amount for each currency, at least one. Orders of more than `approval_above` wait
    for an approval; None for none. `objects` are groups, contacts and shared mailboxes; `schedules_failed` are those of
    the last FAILED_DAYS, the last of them at `schedule_failed_at`. `clock_doubt` says why the clock is not trusted.
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
    objects: int = 0
    schedules_waiting: int = 0
    schedules_failed: int = 0
    schedule_failed_at: datetime | None = None
    expiring: tuple[ExpiringDomain, ...] = ()
    """Domains whose term ends within 60 days or is over, the first to end first."""
    clock_doubt: str = ""


async def show(scope: AccountScope, *, now: datetime | None = None) -> AccountDetails:
    """Return the account with everything that it owns, counted. Raises NotFound, Denied."""
    async with scope.store.read() as session:
        row = await scope.row(session)
        catalogue = (await in_force(session)).catalogue
        over = await domains_over(session, Within(row.id))
        return await details_of(session, catalogue, row, now or datetime.now(UTC), over)


async def details_of(
    session: AsyncSession,
    catalogue: Catalogue,
    row: AccountRow,
    moment: datetime,
    over: Collection[int],
) -> AccountDetails:
    """Return what `show` does, of an account and its domains whose term is `over` that were read in this session."""
    since = month_start(moment, zone_of(row.time_zone))
    spent = await spent_since(session, row.id, since)
    users = await _counted(session, UserRow.in_bin, UserRow.account_id == row.id)
    purged = await _purged(session, row.id) if users.get(True) else 0
    orders = await _counted(session, OrderRow.state, OrderRow.account_id == row.id)
    objects, waiting, failed, failed_at = await _beside_users(session, row.id, moment)
    domains = await domain_views(session, row, catalogue, now=moment)
    return AccountDetails(
        account=account_view(row, (domain.name for domain in domains)),
        created_at=row.created_at,
        policy=policy_of(row),
        domains=domains,
        expiring=await expiring_domains(session, {row.id}, now=moment),
        contacts=await contacts_of(session, row.id),
        seats=await seats.overview(session, catalogue, row.id),
        lights=await light_counts(session, row.id, over),
        users=users.get(False, 0),
        users_in_bin=users.get(True, 0) - purged,
        orders=sum(orders.values()),
        orders_awaiting_approval=orders.get(OrderState.AWAITING_APPROVAL, 0),
        this_month=spent or (catalogue.money(0),),
        approval_above=(
            None if row.approval_above_minor is None else catalogue.money(row.approval_above_minor)
        ),
        objects=objects,
        schedules_waiting=waiting,
        schedules_failed=failed,
        schedule_failed_at=failed_at,
        clock_doubt=(await trusted_clock.state(session)).doubt,
    )


async def _counted(
    session: AsyncSession, column: InstrumentedAttribute[K], condition: ColumnElement[bool]
) -> dict[K, int]:
    rows = await session.execute(select(column, func.count()).where(condition).group_by(column))
    return {key: int(count) for key, count in rows}


async def _purged(session: AsyncSession, account_id: int) -> int:
    """Return how many of those in the recycling bin are there by their id only."""
    statement = select(func.count()).where(
        UserRow.account_id == account_id, UserRow.in_bin, UserRow.purged_at.is_not(None)
    )
    return int(await session.scalar(statement) or 0)


async def _beside_users(
    session: AsyncSession, account_id: int, moment: datetime
) -> tuple[int, int, int, datetime | None]:
    """Count objects, schedules that wait and those that failed lately, with the last moment: in one question."""
    of_account = ScheduleRow.account_id == account_id
    failed = (
        of_account
        & (ScheduleRow.state == ScheduleState.FAILED)
        & (ScheduleRow.ended_at > moment - timedelta(days=FAILED_DAYS))
    )
    row = (
        await session.execute(
            select(
                select(func.count())
                .where(ObjectRow.account_id == account_id, ObjectRow.removed_at.is_(None))
                .scalar_subquery(),
                select(func.count())
                .where(of_account, ScheduleRow.state == ScheduleState.WAITING)
                .scalar_subquery(),
                select(func.count()).where(failed).scalar_subquery(),
                select(func.max(ScheduleRow.ended_at)).where(failed).scalar_subquery(),
            )
        )
    ).one()
    return row[0], row[1], row[2], row[3]


async def light_counts(
    session: AsyncSession, account_id: int, over: Collection[int]
) -> LightCounts:
    """Return how many service instances of the account show each light; a domain whose term is `over` shows red."""
    found = await _counted(session, AssignmentRow.light, AssignmentRow.account_id == account_id)
    past = len(await past_term(session, over))
    moved = {Light.GREEN: -past, Light.RED: past}
    return LightCounts(
        **{light.value: found.get(light.value, 0) + moved.get(light, 0) for light in Light}
    )


async def seats_of_all(
    scope: Reach, *, limit: int | None = None, offset: int = 0
) -> tuple[AccountItem[Seats], ...]:
    """Return the seats of every level that any of the accounts bought, by their codes, services and levels."""
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        pools = within.by_code(
            select(SeatPoolRow.account_id, SeatPoolRow.service_id, SeatPoolRow.level_id),
            SeatPoolRow.account_id,
        )
        pools = pools.order_by(SeatPoolRow.service_id, SeatPoolRow.level_id)
        page = (await session.execute(pools.limit(limit).offset(offset or None))).all()
        asked = Within(None, frozenset(account_id for account_id, _service, _level in page))
        found = await seats.overviews(session, catalogue, asked)
    levels = {
        (account_id, owned.service_id, owned.level_id): AccountItem(account_id, owned)
        for account_id, every in found.items()
        for owned in every
    }
    return tuple(levels[key] for row in page if (key := tuple(row)) in levels)


async def list_seats(scope: AccountScope) -> tuple[Seats, ...]:
    """Return owned, used, queued and free seats of every level that the account bought, in the catalogue's order."""
    async with scope.read() as (session, account_id):
        return await seats.overview(session, (await in_force(session)).catalogue, account_id)
