"""The domains of an account with what matters about each: its state, when its term ends, who uses it, what waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.lookup import name_of
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.services.domain_terms import EXPIRING_DAYS, ends_on, renews_itself
from mission_control_tui.model.states import Light, OrderKind, OrderState, Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountItem, AccountScope, Reach, Within
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow, is_shown
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.text.instances import with_instance


class DomainState(StrEnum):
    """Where a domain is. One whose term is over is said to be so, and the registry decides."""

    ELSEWHERE = "owned elsewhere"
    AWAITING_APPROVAL = "waiting for approval"
    REGISTERING = "registering"
    FAILED = "registration failed"
    REGISTERED = "registered"
    EXPIRING = "expiring"
    OVER = "term is over"


@dataclass(frozen=True, slots=True)
class DomainService:
    """One service of a domain, such as its registration, with its light and why."""

    service_id: str
    service: str
    light: Light
    word: str
    error_said: str
    auto_renew: bool = False
    drift: bool = False
    suspended: bool = False
    registers: bool = False
    """Whether it is the domain's registration."""

    @property
    def now(self) -> str:
        """The light's word, with what it does not say."""
        marks = ((self.suspended, ", suspended"), (self.drift, " (drift)"))
        return self.word + "".join(text for shown, text in marks if shown)


@dataclass(frozen=True, slots=True)
class AccountDomain:
    """A domain, or an order for one that waits (`order_id`). `ends_on` is the last day of its term, None elsewhere.

    `users` are those with an address in it, aliases included.
    """

    name: str
    state: DomainState
    bought: bool
    term_months: int
    added_at: datetime
    ends_on: date | None = None
    users: int = 0
    order_id: int = 0
    services: tuple[DomainService, ...] = ()
    auto_renew: bool = False
    """Whether the worker renews it before its term ends."""

    @property
    def light(self) -> Light | None:
        """The worst light of its services, red where its term is over; None where it has none."""
        if self.state is DomainState.OVER:
            return Light.RED
        order = (Light.RED, Light.ORANGE, Light.GREY, Light.GREEN)
        return min((service.light for service in self.services), key=order.index, default=None)

    @property
    def drift(self) -> bool:
        """Whether a back end differs from what is wished of the domain."""
        return any(service.drift for service in self.services)


async def account_domains(
    scope: AccountScope, *, now: datetime | None = None
) -> tuple[AccountDomain, ...]:
    """Return the account's domains by name, those that wait for approval among them."""
    return tuple(found.item for found in await domains_of_all(scope, now=now))


async def domains_of_all(
    scope: Reach, *, limit: int | None = None, offset: int = 0, now: datetime | None = None
) -> tuple[AccountItem[AccountDomain], ...]:
    """Return the same of all accounts, by their codes and names."""
    moment = now or datetime.now(UTC)
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        most = None if limit is None else offset + limit
        owned = select(AccountRow.code, DomainRow.name, DomainRow.id)
        owned = owned.join(AccountRow, AccountRow.id == DomainRow.account_id)
        owned = owned.where(within(DomainRow.account_id), DomainRow.removed_at.is_(None))
        page = owned.order_by(AccountRow.code, DomainRow.name).limit(most)
        waiting = await _waiting(session, catalogue, within)
        places = [(code, name, domain_id) for code, name, domain_id in await session.execute(page)]
        places += [(code, domain.item.name, 0) for code, domain in waiting]
        wanted = sorted(places)[offset:most]
        domains = await _owned(session, catalogue, [key for *_, key in wanted if key], moment)
    of_orders = {(code, domain.item.name): domain for code, domain in waiting}
    return tuple(domains[key] if key else of_orders[code, name] for code, name, key in wanted)


async def _owned(
    session: AsyncSession, catalogue: Catalogue, ids: Sequence[int], moment: datetime
) -> dict[int, AccountItem[AccountDomain]]:
    """Return these domains by their ids."""
    found: dict[int, AccountItem[AccountDomain]] = {}
    for some in batches(ids):
        services = await _services(session, catalogue, some)
        rows = (
            await session.execute(
                select(DomainRow, AccountRow.time_zone)
                .join(AccountRow, AccountRow.id == DomainRow.account_id)
                .where(DomainRow.id.in_(some))
            )
        ).all()
        users = await _users(session, {row.account_id for row, _zone in rows})
        for row, named in rows:
            zone = zone_of(named)
            count = users.get((row.account_id, row.name), 0)
            today = moment.astimezone(zone).date()
            domain = _domain(row, services.get(row.id, ()), count, zone, today)
            found[row.id] = AccountItem(row.account_id, domain)
    return found


def _domain(
    row: DomainRow, services: tuple[DomainService, ...], users: int, zone: tzinfo, today: date
) -> AccountDomain:
    ends = ends_on(row, zone)
    return AccountDomain(
        name=row.name,
        state=_state(services, ends, today) if row.bought else DomainState.ELSEWHERE,
        bought=row.bought,
        term_months=row.term_months,
        added_at=row.added_at,
        ends_on=ends,
        users=users,
        services=services,
        auto_renew=row.bought and any(service.auto_renew for service in services),
    )


def _state(services: tuple[DomainService, ...], ends: date | None, today: date) -> DomainState:
    lights = {service.light for service in services if service.registers} or {
        service.light for service in services
    }
    if Light.RED in lights:
        return DomainState.FAILED
    if Light.ORANGE in lights or Light.GREEN not in lights:
        return DomainState.REGISTERING
    if ends is not None and ends < today:
        return DomainState.OVER
    if ends is not None and ends <= today + timedelta(days=EXPIRING_DAYS):
        return DomainState.EXPIRING
    return DomainState.REGISTERED


async def _services(
    session: AsyncSession, catalogue: Catalogue, domains: Sequence[int]
) -> dict[int | None, tuple[DomainService, ...]]:
    rows = await session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.domain_id.in_(domains), is_shown())
        .order_by(AssignmentRow.service_id, AssignmentRow.instance)
    )
    registrations = catalogue.registrations
    found: dict[int | None, tuple[DomainService, ...]] = {}
    for row in rows:
        registers = row.service_id in registrations
        if not registers and row.light == Light.GREY:
            continue
        name = with_instance(name_of(catalogue.services, row.service_id), row.instance)
        service = DomainService(
            *(row.service_id, name, Light(row.light), row.word, row.error_said),
            renews_itself(row.settings),
            drift=row.drift,
            suspended=row.wish == Wish.SUSPENDED,
            registers=registers,
        )
        found[row.domain_id] = (*found.get(row.domain_id, ()), service)
    return found


async def _users(session: AsyncSession, accounts: Collection[int]) -> dict[tuple[int, str], int]:
    """Return how many users have addresses in each domain of these accounts."""
    domain: ColumnElement[str] = func.substr(AddressRow.key, func.instr(AddressRow.key, "@") + 1)
    if session.get_bind().dialect.name == "postgresql":
        domain = func.split_part(AddressRow.key, "@", 2)
    rows = await session.execute(
        select(AddressRow.account_id, domain, func.count(AddressRow.user_id.distinct()))
        .where(AddressRow.account_id.in_(accounts), AddressRow.user_id.is_not(None))
        .group_by(AddressRow.account_id, domain)
    )
    return {(account_id, str(name)): int(count) for account_id, name, count in rows}


async def _waiting(
    session: AsyncSession, catalogue: Catalogue, within: Within
) -> list[tuple[str, AccountItem[AccountDomain]]]:
    """Return what is ordered and waits for an approval, each with its account's code."""
    sold = [product.id for product in catalogue.products if product.buys is PurchaseKind.DOMAIN]
    rows = await session.execute(
        select(AccountRow.code, OrderRow, OrderLineRow)
        .join(AccountRow, AccountRow.id == OrderRow.account_id)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .where(
            within(OrderRow.account_id),
            OrderRow.kind == OrderKind.PURCHASE,
            OrderRow.state == OrderState.AWAITING_APPROVAL,
            OrderLineRow.product_id.in_(sold),
        )
    )
    return [
        (
            code,
            AccountItem(
                order.account_id,
                AccountDomain(
                    name=line.domain,
                    state=DomainState.AWAITING_APPROVAL,
                    bought=True,
                    term_months=line.term_months,
                    added_at=order.placed_at,
                    order_id=order.id,
                ),
            ),
        )
        for code, order, line in rows
    ]
