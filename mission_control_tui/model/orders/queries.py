"""Orders as they were agreed: list them, show one, add up a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, or_, select

from mission_control_tui.model.money import Money
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.lookups import numbered_row
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.views import view_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mission_control_tui.model.store.scope import AccountScope, Reach


CHARGED = (OrderState.COMPLETE, OrderState.RETURNED)
"""Orders that cost money: nothing is paid back for what is given back."""


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """One line; label and price are those of the day. `term_months` 0 stands for a removal."""

    product_id: str
    level_id: str
    label: str
    quantity: int
    term_months: int
    unit: Money
    net: Money
    tax: Money
    domain: str
    fields: Mapping[str, object]

    @property
    def total(self) -> Money:
        """Net and tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its lines. `note` says why it waits for approval; `reason` what who decided about it said."""

    id: int
    account_id: int
    kind: OrderKind
    state: OrderState
    operator: str
    ticket: str
    placed_at: datetime
    net: Money
    tax: Money
    total: Money
    note: str
    lines: tuple[OrderLineView, ...]
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""


async def list_orders(
    scope: Reach,
    *,
    states: Iterable[OrderState] = (),
    kind: OrderKind | None = None,
    text: str = "",
    limit: int = 200,
    before_id: int | None = None,
) -> tuple[OrderView, ...]:
    """Return orders of the account, or of all, newest first.

    `text` is a part of a line's label or domain, of the operator or the ticket, or the order's number; digits alone are
    not looked for in labels.
    """
    async with scope.reading() as (session, within):
        statement = select(OrderRow).where(within(OrderRow.account_id))
        wanted = list(states)
        if wanted:
            statement = statement.where(OrderRow.state.in_(wanted))
        if kind is not None:
            statement = statement.where(OrderRow.kind == kind)
        if text.strip():
            statement = statement.where(_holds(text.strip()))
        if before_id is not None:
            statement = statement.where(OrderRow.id < before_id)
        rows = await session.scalars(statement.order_by(OrderRow.id.desc()).limit(limit))
        return await views(session, rows.all())


async def show_order(scope: AccountScope, order_id: int) -> OrderView:
    """Return one order of the account. Raises NotFound."""
    async with scope.read() as (session, account_id):
        row = await numbered_row(session, OrderRow, account_id, order_id)
        (view,) = await views(session, [row])
        return view


async def views(session: AsyncSession, rows: Sequence[OrderRow]) -> tuple[OrderView, ...]:
    """Return the orders with their lines, in the order given."""
    lines: dict[int, list[OrderLineRow]] = {row.id: [] for row in rows}
    found = await session.scalars(
        select(OrderLineRow).where(OrderLineRow.order_id.in_(lines)).order_by(OrderLineRow.id)
    )
    for line in found:
        lines[line.order_id].append(line)
    return tuple(_view(row, lines[row.id]) for row in rows)


async def spent_since(session: AsyncSession, account_id: int, since: datetime) -> tuple[Money, ...]:
    """Return the totals of purchases that were placed (or approved) since then, one for each currency, by its code."""
    rows = await session.execute(
        select(OrderRow.currency, func.sum(OrderRow.total_minor))
        .where(
            OrderRow.account_id == account_id,
            OrderRow.state.in_(CHARGED),
            func.coalesce(OrderRow.decided_at, OrderRow.placed_at) >= since,
        )
        .group_by(OrderRow.currency)
        .order_by(OrderRow.currency)
    )
    return tuple(Money(int(total), currency) for currency, total in rows)


def _holds(text: str) -> ColumnElement[bool]:
    """Tell whether an order says `text` anywhere; digits are a number or a ticket, not the months in a label."""
    places = [
        OrderRow.operator.icontains(text, autoescape=True),
        OrderRow.ticket.icontains(text, autoescape=True),
    ]
    if text.isascii() and text.isdigit():
        return or_(*places, OrderRow.id == int(text[:9]))
    of_lines = select(OrderLineRow.order_id).where(
        or_(
            OrderLineRow.label.icontains(text, autoescape=True),
            OrderLineRow.domain.icontains(text, autoescape=True),
        )
    )
    return or_(*places, OrderRow.id.in_(of_lines))


def month_start(now: datetime, zone: tzinfo) -> datetime:
    """When the month of `now` began in `zone`, in UTC."""
    local = now.astimezone(zone)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _view(row: OrderRow, lines: Iterable[OrderLineRow]) -> OrderView:
    def money(minor: int) -> Money:
        return Money(minor, row.currency)

    return view_of(
        OrderView,
        row,
        kind=OrderKind(row.kind),
        state=OrderState(row.state),
        net=money(row.net_minor),
        tax=money(row.tax_minor),
        total=money(row.total_minor),
        lines=tuple(
            view_of(
                OrderLineView,
                line,
                unit=money(line.unit_minor),
                net=money(line.net_minor),
                tax=money(line.tax_minor),
                fields=line.details,
            )
            for line in lines
        ),
    )
