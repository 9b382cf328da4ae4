"""How well an account uses what it pays for: seats that nobody has, and seats whose holders do not use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Select,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.lookup import known, name_of
from mission_control_tui.model.catalogue.types import Catalogue, ProductLevel
from mission_control_tui.model.money import Money
from mission_control_tui.model.services import seats
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.scope import AccountItem, AccountScope, Reach, Within
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.orders import SubscriptionRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import Seats

Ts = TypeVarTuple("Ts")

_UNUSED: dict[str, ColumnExpressionArgument[bool]] = {
    "disabled": UserRow.disabled,
    "suspended": AssignmentRow.wish == Wish.SUSPENDED,
    "never provisioned": (AssignmentRow.observed_generation == 0)
    & (AssignmentRow.light != Light.ORANGE),
}
"""Why a seat that somebody holds is not used."""


@dataclass(frozen=True, slots=True)
class LevelUsage:
    """Seats of one level: how many of the held ones are of disabled users, suspended, never provisioned, of test users.

    A seat may count in several of these. `monthly` is what all seats of the level cost a month, `idle` the part of it
    for seats that nobody holds, or disabled users hold; rounded half up.
    """

    seats: Seats
    disabled: int
    suspended: int
    never_provisioned: int
    test: int
    monthly: Money
    idle: Money


@dataclass(frozen=True, slots=True)
class IdleSeat:
    """A user who holds a seat without using it, and why: "disabled", "suspended", "never provisioned"."""

    user_id: str
    upn: str
    display_name: str
    service_id: str
    service: str
    level_id: str
    level: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """All levels in the catalogue's order, with their sums; `idle_seats` by UPN, at most as many as were asked for."""

    levels: tuple[LevelUsage, ...]
    monthly: Money
    idle: Money
    idle_seats: tuple[IdleSeat, ...]
    more_idle_seats: int


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """How the seats of one of several accounts are used."""

    account_id: int
    levels: tuple[LevelUsage, ...]


async def usage(scope: AccountScope, *, limit: int = 200, offset: int = 0) -> Usage:
    """Return how the account's seats are used; `limit` and `offset` are of the idle ones."""
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        found = await _by_account(session, catalogue, within)
        levels = found.get(within.one, ())
        idle = await _idle_seats(session, catalogue, within, limit, offset)
        count = await session.scalar(_idle_ones(select(func.count()), within)) or 0
    return Usage(
        levels,
        Money.total((level.monthly for level in levels), catalogue.currency),
        Money.total((level.idle for level in levels), catalogue.currency),
        tuple(seat.item for seat in idle),
        max(0, count - offset - len(idle)),
    )


async def usage_of_all(
    scope: Reach, *, limit: int | None = None, offset: int = 0
) -> tuple[AccountUsage, ...]:
    """Return how seats are used in each account that bought some, by their codes; read at once, however many."""
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        bought = select(SeatPoolRow.id).where(SeatPoolRow.account_id == AccountRow.id).exists()
        accounts = select(AccountRow.id).where(within(AccountRow.id), bought)
        page = accounts.order_by(AccountRow.code).limit(limit).offset(offset or None)
        ids = (await session.scalars(page)).all()
        found = await _by_account(session, catalogue, Within(None, frozenset(ids)))
    return tuple(AccountUsage(account_id, found.get(account_id, ())) for account_id in ids)


async def idle_seats(
    scope: Reach, *, limit: int | None = None, offset: int = 0
) -> tuple[AccountItem[IdleSeat], ...]:
    """Return who holds seats without using them, by their accounts' codes and UPNs."""
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        return await _idle_seats(session, catalogue, within, limit, offset)


async def _by_account(
    session: AsyncSession, catalogue: Catalogue, within: Within
) -> dict[int, tuple[LevelUsage, ...]]:
    counts = await _counts(session, within)
    costs = await _monthly(session, catalogue, within)
    return {
        account_id: tuple(
            _level(
                seat,
                counts.get((account_id, seat.service_id, seat.level_id), (0, 0, 0, 0)),
                costs.get((account_id, seat.service_id, seat.level_id), catalogue.money(0)),
                catalogue,
            )
            for seat in owned
        )
        for account_id, owned in (await seats.overviews(session, catalogue, within)).items()
    }


def _level(
    one: Seats,
    counts: tuple[int, int, int, int],
    monthly: Money,
    catalogue: Catalogue,
) -> LevelUsage:
    disabled, suspended, never_provisioned, test = counts
    idle = min(one.free + disabled, one.owned)
    part = catalogue.money(_rounded(monthly.minor * idle, one.owned)) if one.owned else monthly
    return LevelUsage(one, disabled, suspended, never_provisioned, test, monthly, part)


def _rounded(amount: int, by: int) -> int:
    """Return `amount` / `by`, half up; neither is negative."""
    return (2 * amount + by) // (2 * by)


def _of_holders(statement: Select[*Ts]) -> Select[*Ts]:
    return (
        statement.select_from(SeatHoldRow)
        .join(SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id)
        .join(AssignmentRow, AssignmentRow.id == SeatHoldRow.assignment_id)
        .join(UserRow, UserRow.id == AssignmentRow.user_id)
    )


async def _counts(
    session: AsyncSession, within: Within
) -> dict[tuple[int, str, str], tuple[int, int, int, int]]:
    def count(condition: ColumnExpressionArgument[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    rows = await session.execute(
        _of_holders(
            select(
                SeatPoolRow.account_id,
                SeatPoolRow.service_id,
                SeatPoolRow.level_id,
                *map(count, (*_UNUSED.values(), UserRow.test_user)),
            )
        )
        .where(within(SeatPoolRow.account_id))
        .group_by(SeatPoolRow.account_id, SeatPoolRow.service_id, SeatPoolRow.level_id)
    )
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5], row[6]) for row in rows}


async def _monthly(
    session: AsyncSession, catalogue: Catalogue, within: Within
) -> dict[tuple[int, str, str], Money]:
    """Return what seats of each (service, level) cost a month without tax, by the term they were last bought for."""
    rows = await session.scalars(select(SubscriptionRow).where(within(SubscriptionRow.account_id)))
    sold = {
        (product.id, level.id): level
        for product in catalogue.products
        for level in product.levels
        if level.prices
    }
    costs: dict[tuple[int, str, str], Money] = {}
    for row in rows:
        level = sold.get((row.product_id, row.level_id))
        if level is None:
            continue
        term, price = _price(level, row.term_months)
        key = (row.account_id, level.grants_service, level.grants_level)
        cost = catalogue.money(_rounded(price * row.quantity, term))
        costs[key] = costs.get(key, catalogue.money(0)) + cost
    return costs


def _price(level: ProductLevel, term: int) -> tuple[int, int]:
    """Return the term, and its price; the shortest where this one is no longer sold."""
    months = term if term in level.prices else min(level.prices)
    return months, level.prices[months]


def _idle_ones(statement: Select[*Ts], within: Within) -> Select[*Ts]:
    """Narrow a statement to seats that are held and not used."""
    return within.by_code(_of_holders(statement), SeatPoolRow.account_id).where(
        or_(*_UNUSED.values())
    )


async def _idle_seats(
    session: AsyncSession,
    catalogue: Catalogue,
    within: Within,
    limit: int | None,
    offset: int = 0,
) -> tuple[AccountItem[IdleSeat], ...]:
    page = _idle_ones(
        select(UserRow, AssignmentRow, SeatPoolRow.level_id, *_UNUSED.values()), within
    )
    page = page.order_by(UserRow.upn, AssignmentRow.service_id, AssignmentRow.id)
    rows = await session.execute(page.limit(limit).offset(offset or None))
    return tuple(AccountItem(row[0].account_id, _idle(catalogue, *row)) for row in rows)


def _idle(
    catalogue: Catalogue, user: UserRow, held: AssignmentRow, level_id: str, *unused: bool
) -> IdleSeat:
    service = known(catalogue.services, held.service_id)
    return IdleSeat(
        user.id,
        user.upn,
        user.display_name,
        held.service_id,
        name_of(catalogue.services, held.service_id),
        level_id,
        name_of(service.levels if service else (), level_id),
        tuple(why for why, so in zip(_UNUSED, unused, strict=True) if so),
    )
