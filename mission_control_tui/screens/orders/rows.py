"""Orders as rows of a list."""

from __future__ import annotations

from collections.abc import Iterable

from mission_control_tui.model.orders.queries import OrderView
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
