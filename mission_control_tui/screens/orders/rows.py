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
    """What was ordered, after the state where that is not complete."""
    text = ", ".join(f"{one.quantity} x {one.label}" for one in order.lines)
    if order.state == "complete":
        return text
    return ((f"{order.state}: ", "orange" if order.state == WAITS else "dim"), (text, ""))


def order_rows(orders: Iterable[OrderView]) -> list[Row]:
    """One row an order."""
    return [
        Row(
            one.id,
            (str(one.id), f"{one.placed_at:%Y-%m-%d}", what(one), str(one.total)),
            one,
        )
        for one in orders
    ]
