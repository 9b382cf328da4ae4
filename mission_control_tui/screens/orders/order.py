"""One order, also the confirmation of a purchase that leads on to its use; whoever approves decides here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.catalogue.prices import tax_label
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.orders.approval import (
    NotChecked,
    PriceChanged,
    approve_order,
    ask_again,
    cancel_order,
    decline_order,
)
from mission_control_tui.model.orders.queries import OrderView, show_order
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.orders.rows import WAITS, sum_lines
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import Field
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

LINKS = (
    ("service-area", "Service Management Area", "where users are given what was bought"),
    ("new-user", "New User", "and give services in one pass"),
    ("home", "Home", "buy something else"),
    ("orders", "Orders", "all orders of the account"),
)
"""Where one goes from an order: the screen, its words, and why."""
DECISIONS = (
    ("approve", "Approve", "brings what was ordered, after another look at price and availability"),
    ("decline", "Decline", "refuses the order; the reason is kept"),
    (
        "cancel",
        "Cancel order",
        "takes back what was a mistake; what it brought is removed, its cost credited this month",
    ),
)


class OrderScreen(MissionScreen):
    """One order. With `confirms` it was placed just now, and QUICK LINKS has the focus."""

    CSS_PATH = "order.tcss"
    NAME = "order"
    MEMORY_NAME = "OrderScreen"
    HEADING = "Order"
    ABOUT = (
        "What was ordered, for how much, by whom. What an order brought is given to users in the Service Management "
        "Area: QUICK LINKS leads there. An order that waits for approval brings nothing until somebody approves it. "
        "Cancel order takes one back that was a mistake, with a reason: seats or domain are removed unless users hold "
        "them, and while the term that it paid for runs its cost is credited in this month's statement."
    )
    VERBS = ("copy",)

    def __init__(self, order_id: int, *, confirms: bool = False) -> None:
        super().__init__()
        self._order_id = order_id
        self.subject = f":{order_id}"
        self._confirms = confirms
        self._order: OrderView | None = None

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="title")
        yield TextLines("", id="lines")
        yield TextLines("", "strong", id="brings")
        links = Quadrant("QUICK LINKS", columns=(Column(width=26), Column()), id="links")
        links.set_rows([Row(name, (words, (about, "dim"))) for name, words, about in LINKS])
        yield links
        yield Field(
            "Reason",
            help_text="Kept with the order; needed to decline it, and for a credit.",
            id="reason",
        )
        with Horizontal(id="decisions"):
            for name, label, words in DECISIONS:
                yield ActionButton(label, help_text=words, run=partial(self._ask, name), id=name)

    def on_mount(self) -> None:
        self.frame.top.title = f"Order {self._order_id}"
        self._offer(())
        self.query_one("#links").focus()

    def _offer(self, names: Sequence[str]) -> None:
        """Show these decisions and no others."""
        for widget in self.query("#reason, #decisions"):
            widget.display = bool(names)
        for name, _label, _words in DECISIONS:
            self.query_one(f"#{name}").display = name in names

    async def load(self) -> None:
        context = self.context
        order = await show_order(context.scope, self._order_id)
        what = "is placed" if self._confirms and order.state == "complete" else f"is {order.state}"
        thanks = "Thank you. " if self._confirms else ""
        self.query_one("#title", TextLines).set(f"{thanks}Order {order.id} {what}")
        self.query_one("#lines", TextLines).set(
            "\n".join(order_lines(order, self.context.catalogue))
        )
        self.query_one("#brings", TextLines).set(brings(context.catalogue, order))
        waits = order.state == WAITS
        first = self._order is None
        self._order = order
        decides = waits and not self._confirms
        if waits:
            self._offer(("approve", "decline", "cancel"))
        else:
            self._offer(("cancel",) if order.state == "complete" and not self._confirms else ())
        links = self.query_one("#links")
        links.display = not decides
        self.query_one("#cancel", ActionButton).reason = (
            "a removal is not taken back" if order.kind == "removal" else ""
        )
        if first and decides and not self.memory.kept:
            self.query_one("#approve").focus()
        elif not decides and self.focused is None:
            links.focus()

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "links":
            self.console.follow_link(str(event.row.key))

    def verb_copy(self) -> None:
        self.copy(str(self._order_id))

    # Approval

    def _ask(self, name: str) -> None:
        order, field = self._order, self.query_one("#reason", Field)
        if order is None:
            return
        credits_it = name == "cancel" and order.state != WAITS
        if (name == "decline" or credits_it) and not field.value.strip():
            field.error = "say why"
            field.focus()
            return
        then: Callable[[], object]
        lines = [f"{line.quantity} x {line.label}" for line in order.lines]
        nothing = ["It brings nothing, and is kept."]
        if name == "decline":
            then, yes, lines = self._decline, "Decline", nothing
        elif name == "approve":
            then, yes = self._approve, "Approve"
            lines.append("Price and availability are looked at again; then it is delivered.")
        elif order.state == WAITS:
            then, yes, lines = self._cancel, "Cancel it", nothing
        else:
            then, yes = self._cancel, "Take it back"
            lines.append(
                "Lost: seats or domain; refused while users hold them. "
                "Its cost is credited this month, while the term that it paid for runs."
            )
        about = f"{self.context.account.name}: {name} order {order.id}, {order.total}?"
        self.prompts.confirm([about, *lines], then, yes=yes, takes_away=name != "approve")

    def on_field_changed(self, event: Field.Changed) -> None:
        event.field.error = ""

    @property
    def _reason(self) -> str:
        return self.query_one("#reason", Field).value.strip()

    async def _approve(self, *, agreed_price: bool = False, unchecked: bool = False) -> None:
        scope = self.context.scope
        answer = await ask_again(scope, self._order_id, self.context.ask_registrar)
        try:
            done = await approve_order(
                *(scope, self._order_id),
                note=self._reason,
                registrar=answer,
                agreed_price=agreed_price,
                unchecked=unchecked,
            )
        except PriceChanged as error:
            self.prompts.confirm(
                [error.what, "Approve it at the agreed price?"],
                lambda: self._approve(agreed_price=True, unchecked=unchecked),
                yes="Approve at the agreed price",
            )
            return
        except NotChecked as error:
            self.prompts.confirm(
                [error.what, "Approve it all the same?"],
                lambda: self._approve(agreed_price=agreed_price, unchecked=True),
                yes="Approve it unchecked",
            )
            return
        await self._decided("approved", *done.plan.warnings)

    async def _decline(self) -> None:
        await decline_order(self.context.scope, self._order_id, self._reason)
        await self._decided("declined")

    async def _cancel(self) -> None:
        outcome = await cancel_order(self.context.scope, self._order_id, self._reason)
        await self._decided(str(outcome.result.state))

    async def _decided(self, word: str, *warnings: str) -> None:
        await self.queue_changed()
        self._confirms = False
        self.set_focus(None)
        self.announce(" ".join((f"Order {self._order_id} is {word}.", *warnings)).rstrip("."))
        self.reload()


def order_lines(order: OrderView, catalogue: Catalogue) -> list[str]:
    """Return the lines of an order with their sums, and who placed it."""
    # Without its rate, which the review named, where the order was placed at another one.
    same = all(line.tax == line.net.share(catalogue.tax_basis_points) for line in order.lines)
    lines = sum_lines(order, tax_label(catalogue) if same else catalogue.tax_name)
    ticket = f", ticket {order.ticket}" if order.ticket else ""
    lines.append(f"Placed by {order.operator} on {order.placed_at:%Y-%m-%d %H:%M} UTC{ticket}.")
    if order.state == WAITS and order.note:
        lines.append(f"Waits for approval: {order.note}")
    elif order.note:
        lines.append(order.note)
    if order.decided_at is not None:
        lines.append(
            f"{order.state.capitalize()} by {order.decided_by} on {order.decided_at:%Y-%m-%d %H:%M} UTC."
        )
    if order.reason:
        lines.append(f"Reason: {order.reason}")
    return lines


def brings(catalogue: Catalogue, order: OrderView) -> str:
    """Return what can be used now because of the order."""
    if order.state != "complete" or order.kind != "purchase":
        return ""
    texts = []
    for line in order.lines:
        if line.domain and catalogue.product(line.product_id).buys == "domain":
            texts.append(f"{line.domain} is being registered.")
        else:
            level = catalogue.product(line.product_id).level(line.level_id)
            service = catalogue.service(level.grants_service)
            given = service.level(level.grants_level).name
            texts.append(f"{line.quantity} x {given} now available in the Service Management Area.")
    return " ".join(texts)
