"""Orders: the list of all that were placed."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.orders.rows import ORDER_COLUMNS, order_rows
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import CursorLines

SHOWN = 500


class OrdersScreen(MissionScreen):
    """All orders of the account, newest first."""

    NAME = "orders"
    MEMORY_NAME = "OrdersScreen"
    HEADING = "Orders"
    ABOUT = "All orders of the account, newest first. Enter opens one."
    VERBS = ("buy", "copy")

    def body(self) -> Iterable[Widget]:
        yield Quadrant(
            "Orders",
            columns=ORDER_COLUMNS,
            empty="No orders yet: b buys",
            id="orders",
        )

    async def load(self) -> None:
        orders = await list_orders(self.context.scope, limit=SHOWN)
        full = len(orders) == SHOWN
        note = f"the newest {SHOWN}; `mission-control orders list` has all" if full else ""
        self.query_one("#orders", Quadrant).set_rows(order_rows(orders), note=note)

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "orders":
            self.go_to("order", event.row.key)

    def verb_buy(self) -> None:
        self.console.follow_link("home")

    def verb_copy(self) -> None:
        row = self.query_one("#orders", Quadrant).current
        if row is not None:
            self.copy(str(row.key))
