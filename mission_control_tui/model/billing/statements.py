"""Monthly statements: the open month as it stands, closed months as they were kept, and closing them.

A month that is over is kept when it is closed: by the worker soon after its end, or when somebody who may make changes
first asks for it. From then on its statement never changes. Who is a test user, and the price of renewals, are those of
that moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.billing.charges import (
    MONTHS,
    LineKind,
    Price,
    SeatPurchase,
    SeatReturn,
    StatementLine,
    Sums,
    charges,
    sums,
)
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.catalogue.codec import from_json
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.prices import tax_label, term_words
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.domains.ownership import locked_account
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.queries import CHARGED
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow
from mission_control_tui.model.store.tables.installation import CatalogueVersionRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import view_of

NAMED = 50
"""How many test users a statement names."""

_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account pays for one month ("2026-11", in its time zone). `closed_at` is None while the month runs.

    It is None, and `is_over` True, for a month that a read-only caller asked for before it was closed.
    `sums` has one entry for each currency, at least one. `test_users` name who holds seats that are not billed, at most
    `NAMED` of them; `awaiting_approval` orders are not in it.
    """

    account_code: str
    account_name: str
    period: str
    time_zone: str
    tax_label: str
    prices_are_examples: bool
    closed_at: datetime | None
    lines: tuple[StatementLine, ...]
    sums: tuple[Sums, ...]
    test_users: tuple[str, ...]
    test_seats: int
    awaiting_approval: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class StatementHead:
    """A month that has a statement. `closed_at` is None where it runs, or was not asked for since it ended."""

    period: str
    closed_at: datetime | None


async def statement(
    scope: AccountScope, period: str | None = None, *, now: datetime | None = None
) -> Statement:
    """Return the statement of a month, "2026-11" (the running one where None); one that is over is closed by asking.

    A read-only caller closes nothing: such a month is shown as it would be closed now.
    Raises InvalidInput for what is no month or lies ahead, NotFound for one before the account was made.
    """
    async with scope.store.read() as session:
        row = await scope.row(session)
        moment = now or await _now(session)
        running = period_of(moment, zone_of(row.time_zone))
        wanted = period or running
        _check_period(row, wanted, running)
        if wanted == running:
            return await _draft(session, row, wanted)
        kept = await _kept(session, row.id, wanted)
        if kept is not None:
            return kept
        if not scope.caller.may_write:
            return await _draft(session, row, wanted, is_over=True)
    return await close_month(scope.store, row.id, wanted)


async def list_statements(
    scope: AccountScope, *, now: datetime | None = None
) -> tuple[StatementHead, ...]:
    """Return the months since the account was made, the running one first."""
    async with scope.store.read() as session:
        row = await scope.row(session)
        zone = zone_of(row.time_zone)
        kept = select(StatementRow.period, StatementRow.closed_at)
        rows = await session.execute(kept.where(StatementRow.account_id == row.id))
        closed = dict(rows.all())
        first, last = period_of(row.created_at, zone), period_of(now or datetime.now(UTC), zone)
    return tuple(
        StatementHead(period, closed.get(period)) for period in reversed(_periods(first, last))
    )


async def months_due(store: Store, *, now: datetime | None = None) -> tuple[tuple[int, str], ...]:
    """Return the months that are over and not closed yet, as (account id, month), for the worker to `close_month`."""
    due: list[tuple[int, str]] = []
    async with store.read() as session:
        moment = now or await _now(session)
        counted = select(StatementRow.account_id, func.count()).group_by(StatementRow.account_id)
        counts = dict((await session.execute(counted)).all())
        for row in (await session.scalars(select(AccountRow).order_by(AccountRow.id))).all():
            zone = zone_of(row.time_zone)
            over = _periods(period_of(row.created_at, zone), period_of(moment, zone))[:-1]
            if counts.get(row.id, 0) >= len(over):
                continue
            # A later month may have been asked for, and so closed, before an earlier one.
            kept = select(StatementRow.period).where(StatementRow.account_id == row.id)
            closed = set(await session.scalars(kept))
            due += [(row.id, period) for period in over if period not in closed]
    return tuple(due)


async def _now(session: AsyncSession) -> datetime:
    """Return the time of the database: a month that is closed stays closed, whatever this machine thinks that it is."""
    return datetime.fromtimestamp(await clock(session), UTC)


def period_of(moment: datetime, zone: tzinfo) -> str:
    """Return the month of `moment` in `zone`, "2026-11"."""
    return f"{moment.astimezone(zone):%Y-%m}"


def _periods(first: str, last: str) -> list[str]:
    """Return the months from `first` to `last`, both included."""
    start, end = _number(first), _number(last)
    return [f"{number // MONTHS:04d}-{number % MONTHS + 1:02d}" for number in range(start, end + 1)]


def _number(period: str) -> int:
    year, _, month = period.partition("-")
    return int(year) * MONTHS + int(month) - 1


def _check_period(row: AccountRow, wanted: str, running: str) -> None:
    if not _PERIOD.fullmatch(wanted):
        problem = Problem("month", "it is not a month", "as in 2026-11")
        raise InvalidInput("There is no such statement.", problems=[problem])
    if wanted > running:
        problem = Problem("month", f"{wanted} has not begun", f"this is {running}")
        raise InvalidInput("There is no such statement.", problems=[problem])
    first = period_of(row.created_at, zone_of(row.time_zone))
    if wanted < first:
        raise NotFound(f"Account {row.code} has no statement of {wanted}: it began in {first}.")


@retries_on_conflict
async def close_month(store: Store, account_id: int, period: str) -> Statement:
    """Keep the statement of a month that is over, once; the one that is kept comes back."""
    async with store.write(WORKER, account_id) as tx:
        row = await locked_account(tx, account_id)
        kept = await _kept(tx.session, account_id, period)
        if kept is not None:
            return kept
        draft = await _draft(tx.session, row, period, closed_at=tx.now, is_over=True)
        await tx.session.execute(
            insert(StatementRow).values(
                account_id=account_id,
                period=period,
                document=_document(draft),
                closed_at=tx.now,
            )
        )
        tx.record(
            PlanVerb.CREATED,
            "statement",
            period,
            after={"total": ", ".join(str(amounts.total) for amounts in draft.sums)},
            action=AuditAction.CLOSE_STATEMENT,
        )
        return draft


async def _kept(session: AsyncSession, account_id: int, period: str) -> Statement | None:
    row = await session.scalar(
        select(StatementRow).where(
            StatementRow.account_id == account_id, StatementRow.period == period
        )
    )
    return None if row is None else _statement(row.document, row.closed_at)


async def _draft(
    session: AsyncSession,
    row: AccountRow,
    period: str,
    *,
    closed_at: datetime | None = None,
    is_over: bool = False,
) -> Statement:
    catalogue = (await in_force(session)).catalogue
    zone = zone_of(row.time_zone)
    year, month = divmod(_number(period), MONTHS)
    test_seats, test_users = await _test_seats(session, row.id)
    bought, given_back, waiting = await _traded(session, row.id, catalogue, zone, period)
    lines = charges((year, month + 1), bought, given_back, test_seats, _pricing(catalogue))
    nothing = Money(0, catalogue.currency)
    return Statement(
        account_code=row.code,
        account_name=row.name,
        period=period,
        time_zone=row.time_zone,
        tax_label=tax_label(catalogue),
        prices_are_examples=catalogue.prices_are_examples,
        closed_at=closed_at,
        lines=lines,
        sums=sums(lines) or (Sums(nothing, nothing),),
        test_users=test_users,
        test_seats=sum(test_seats.values()),
        awaiting_approval=waiting,
        is_over=is_over,
    )


async def _test_seats(
    session: AsyncSession, account_id: int
) -> tuple[dict[Hashable, int], tuple[str, ...]]:
    """Return seats that test users hold, by (service, level), and the first of those users by UPN."""
    held = (
        select(SeatPoolRow.service_id, SeatPoolRow.level_id, UserRow.upn)
        .join(SeatHoldRow, SeatHoldRow.pool_id == SeatPoolRow.id)
        .join(AssignmentRow, AssignmentRow.id == SeatHoldRow.assignment_id)
        .join(UserRow, UserRow.id == AssignmentRow.user_id)
        .where(SeatPoolRow.account_id == account_id, UserRow.test_user)
        .order_by(UserRow.upn)
    )
    counts: dict[Hashable, int] = {}
    names: dict[str, None] = {}
    for service, level, upn in await session.execute(held):
        counts[service, level] = counts.get((service, level), 0) + 1
        names[upn] = None
    return counts, tuple(names)[:NAMED]


async def _traded(
    session: AsyncSession, account_id: int, catalogue: Catalogue, zone: tzinfo, period: str
) -> tuple[list[SeatPurchase], list[SeatReturn], int]:
    """Return all that was ever bought and given back, and how many orders wait for approval."""
    rows = (
        await session.execute(
            select(OrderRow, OrderLineRow)
            .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
            .where(OrderRow.account_id == account_id)
            .order_by(OrderLineRow.id)
        )
    ).all()
    ordered = {
        order.catalogue_number
        for order, _line in rows
        if period_of(order.decided_at or order.placed_at, zone) == period
    }
    rates = await _rates(session, ordered)
    bought: list[SeatPurchase] = []
    given_back: list[SeatReturn] = []
    waiting = sum(order.state == OrderState.AWAITING_APPROVAL for order, _line in rows)
    for order, line in rows:
        at = (order.decided_at or order.placed_at).astimezone(zone)
        if order.kind == OrderKind.REMOVAL:
            given_back.append(SeatReturn(at, line.product_id, line.level_id, line.quantity))
        elif order.state in CHARGED:
            bought.append(
                view_of(
                    SeatPurchase,
                    line,
                    at=at,
                    pool=_pool(catalogue, line),
                    term=line.term_months,
                    unit=Money(line.unit_minor, order.currency),
                    net=Money(line.net_minor, order.currency),
                    tax=Money(line.tax_minor, order.currency),
                    basis_points=rates.get(order.catalogue_number, 0),
                )
            )
    return bought, given_back, waiting


async def _rates(session: AsyncSession, numbers: Iterable[int]) -> dict[int, int]:
    """Return the tax of these versions of the catalogue, in ten-thousandths."""
    rows = await session.execute(
        select(CatalogueVersionRow.number, CatalogueVersionRow.document).where(
            CatalogueVersionRow.number.in_(list(numbers))
        )
    )
    return {number: from_json(document).tax_basis_points for number, document in rows}


def _pool(catalogue: Catalogue, line: OrderLineRow) -> Hashable | None:
    try:
        product = catalogue.product(line.product_id)
        level = product.level(line.level_id)
    except NotFound:
        # What the catalogue no longer knows is owned by nobody, and renewed for nobody.
        return None
    if product.buys is not PurchaseKind.SEATS:
        return None
    return level.grants_service, level.grants_level


def _pricing(catalogue: Catalogue) -> Callable[[SeatPurchase], Price]:
    def price(bought: SeatPurchase) -> Price:
        product = catalogue.product(bought.product_id)
        level = product.level(bought.level_id)
        minor = level.prices.get(bought.term)
        unit = bought.unit if minor is None else catalogue.money(minor)
        label = f"{product.name}: {level.name}, {term_words(bought.term)}, renewed"
        return Price(label, unit, catalogue.tax_basis_points)

    return price


def _document(draft: Statement) -> dict[str, Any]:
    """Return the statement as it is kept: plain values, amounts as [minor, currency], sums as [net, tax]."""

    def shaped(attributes: list[tuple[str, Any]]) -> Any:
        named = dict(attributes)
        is_list = named.keys() in ({"minor", "currency"}, {"net", "tax"})
        return list(named.values()) if is_list else named

    document: dict[str, Any] = asdict(draft, dict_factory=shaped)
    # The row has the one, and whatever is kept is over.
    del document["closed_at"], document["is_over"]
    return document


def _statement(document: Mapping[str, Any], closed_at: datetime) -> Statement:
    lines = tuple(
        StatementLine(
            **{
                **line,
                "kind": LineKind(line["kind"]),
                **{name: Money(*line[name]) for name in ("unit", "net", "tax")},
            }
        )
        for line in document["lines"]
    )
    return Statement(
        **{
            **document,
            "lines": lines,
            "sums": tuple(Sums(Money(*net), Money(*tax)) for net, tax in document["sums"]),
            "test_users": tuple(document["test_users"]),
            "closed_at": closed_at,
            "is_over": True,
        }
    )
