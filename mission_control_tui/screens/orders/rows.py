"""Orders as rows of a list, and as the lines that the review and the order itself show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mission_control_tui.model.catalogue.types import OrderField as Question
from mission_control_tui.model.catalogue.types import Product
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.orders.queries import OrderView
from mission_control_tui.widgets.cells import fit
from mission_control_tui.widgets.rows import Cell, Column, Row

WAITS = "awaiting approval"


ORDER_COLUMNS = (
    Column("No.", width=5, right=True),
    Column("Placed", width=10),
    Column("What"),
    Column("Total", width=13, right=True),
)


def what(order: OrderView) -> Cell:
    """Return what was ordered, after the state where that is not complete."""
    text = ", ".join(f"{line.quantity} x {line.label}" for line in order.lines)
    if order.state == "complete":
        return text
    return ((f"{order.state}: ", "orange" if order.state == WAITS else "dim"), (text, ""))


def order_rows(orders: Iterable[OrderView]) -> list[Row]:
    """Return one row an order."""
    return [
        Row(
            order.id,
            (str(order.id), f"{order.placed_at:%Y-%m-%d}", what(order), str(order.total)),
            order,
        )
        for order in orders
    ]


WIDTH = 74


def sum_lines(order: OrderView, tax_label: str) -> list[str]:
    """Return lines with quantity and price, then tax and total."""
    lines = []
    for line in order.lines:
        lines += [line.label, _sum(f"{line.quantity} x {line.unit}", str(line.net))]
    return [*lines, _sum(tax_label, str(order.tax)), _sum("Total", str(order.total)), ""]


def review_lines(order: OrderView, product: Product, tax_label: str) -> list[str]:
    """Lines with quantity and price, tax, total, and what was answered."""
    lines = sum_lines(order, tax_label)
    given: Mapping[str, object] = order.lines[0].fields
    for question in product.fields:
        if (value := given.get(question.id)) not in (None, "", []):
            lines.append(f"{fit(question.name, 20)} {_said(question, value)}")
    return lines


def _sum(label: str, amount: str) -> str:
    return fit(label, WIDTH - 18) + fit(amount, 18, right=True)


def _said(question: Question, value: object) -> str:
    if question.type is ValueType.BOOL:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return question.choices.get(str(value), str(value))
