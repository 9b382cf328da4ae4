"""What a month is reckoned from: what the account bought and gave back, the seats of test users, prices in force."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import tzinfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.billing.charges import Price, SeatPurchase, SeatReturn
from mission_control_tui.model.billing.periods import period_of
from mission_control_tui.model.catalogue.codec import from_json
from mission_control_tui.model.catalogue.prices import term_words
from mission_control_tui.model.catalogue.types import Catalogue, PurchaseKind
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.queries import CHARGED
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.tables.installation import CatalogueVersionRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import view_of

NAMED = 50
"""How many test users a statement names."""


async def test_seats_of(
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


async def traded(
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
            given_back.append(view_of(SeatReturn, line, at=at, returns=order.returns_id or 0))
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


def pricing(catalogue: Catalogue) -> Callable[[SeatPurchase], Price]:
    """Return what seats cost when they are renewed, by the catalogue in force."""

    def price(bought: SeatPurchase) -> Price:
        product = catalogue.product(bought.product_id)
        level = product.level(bought.level_id)
        minor = level.prices.get(bought.term)
        unit = bought.unit if minor is None else catalogue.money(minor)
        label = f"{product.name}: {level.name}, {term_words(bought.term)}, renewed"
        return Price(label, unit, catalogue.tax_basis_points)

    return price
