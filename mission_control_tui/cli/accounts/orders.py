"""`orders`: list, show, approve, decline, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.options import (
    changes,
    choices,
    destroys,
    exports,
    reads,
    waits,
)
from mission_control_tui.cli.common.output import attributes, line, when
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import change_and_tell, tell_survey, under
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.orders.queries import OrderView

STATES = {state.replace(" ", "-"): state for state in OrderState}


@click.group()
def orders() -> None:
    """Orders: list, show, approve, decline, cancel."""


@orders.command("list")
@option("--awaiting-approval", is_flag=True, help="Only those that a person has to look at.")
@choices("--state", "state", STATES, "Only orders in this state")
@option("--kind", type=click.Choice(("purchase", "removal")), help="Only such orders.")
@option("--find", "text", default="", metavar="TEXT", help="Part of what, by whom, ticket.")
@limited(200)
@option("--before", "before_id", type=int, metavar="ID", help="Only those older than this order.")
@exports
@reads(
    "mission-control orders list --state returned --state cancelled --limit 20",
    "mission-control orders list --all-accounts --awaiting-approval",
)
def list_orders(
    session: Session,
    awaiting_approval: bool,
    state: tuple[str, ...],
    kind: str | None,
    limit: int,
    **wanted: Any,
) -> None:
    """The account's orders, newest first; those of all accounts too."""
    from mission_control_tui.model.orders import queries as model

    states = [STATES[name] for name in state]
    states += [OrderState.AWAITING_APPROVAL] if awaiting_approval else []
    of_kind = OrderKind(kind) if kind else None
    asked = {"states": states, "kind": of_kind, "limit": limit + 1, **wanted}
    found = session.survey(model.list_orders, **asked)
    headings = ("ORDER", "PLACED", "STATE", "TOTAL", "WHAT")
    tell_survey(
        *(session, "orders", found, headings, _row, attributes),
        nothing="No orders.",
        limit=limit,
        older=lambda last: f"orders list --before {last.id}",
    )


def _row(order: OrderView) -> tuple[object, ...]:
    what = "; ".join(f"{bought.quantity} x {bought.label}" for bought in order.lines)
    return order.id, when(order.placed_at), order.state, order.total, what


@orders.command("show")
@argument("number", type=int)
@reads("mission-control orders show 1")
def show_order(session: Session, number: int) -> None:
    """One order with its lines, prices and answers, as they were agreed."""
    from mission_control_tui.model.orders import queries as model

    found = session.query(model.show_order, number)
    if not session.printed({"order": found}):
        _print_order(found)


def _print_order(order: OrderView) -> None:
    ticket = f", ticket {order.ticket}" if order.ticket else ""
    line(f"Order {order.id}: {order.kind}, {order.state}")
    line(f"Placed {when(order.placed_at)} by {order.operator}{ticket}")
    if order.decided_at is not None:
        line(f"Decided {when(order.decided_at)} by {order.decided_by}")
    if order.note:
        line(f"Note: {order.note}")
    if order.reason:
        line(f"Reason: {order.reason}")
    for bought in order.lines:
        line("")
        line(f"{bought.quantity} x {bought.label}")
        line(f"  each {bought.unit}, net {bought.net}, tax {bought.tax}")
        for key, value in bought.fields.items():
            if value not in (None, "", []):
                line(f"  {key}: {value_text(value)}")
    line("")
    line(f"net    {order.net}")
    line(f"tax    {order.tax}")
    line(f"total  {order.total}")


@orders.command("approve")
@argument("number", type=int)
@option("--note", default="", help="Kept with the order.")
@option("--agreed-price", is_flag=True, help="At the agreed price, if it changed meanwhile.")
@option("--unchecked", is_flag=True, help="Also where the registrar does not say that it is free.")
@waits
@changes("mission-control orders approve 1 --note 'Seen the certificate' --dry-run")
def approve(session: Session, number: int, **stated: Any) -> None:
    """Let an order that waits for approval bring what was ordered.

    Price, details and availability are looked at again, and the registrar is asked again; what cannot be bought any
    more is refused, with the reason.
    """
    from mission_control_tui.console.registrar import asking
    from mission_control_tui.model.orders import approval

    answer = session.query(
        lambda scope: approval.ask_again(scope, number, asking(session.settings, scope.store))
    )
    change_and_tell(
        session, under("order"), approval.approve_order, number, registrar=answer, **stated
    )


@orders.command("decline")
@argument("number", type=int)
@option("--reason", required=True, help="Kept with the order.")
@changes("mission-control orders decline 1 --reason 'No such company' --dry-run")
def decline(session: Session, number: int, reason: str) -> None:
    """Refuse an order that waits for approval."""
    from mission_control_tui.model.orders import approval

    change_and_tell(session, under("order"), approval.decline_order, number, reason)


@orders.command("cancel")
@argument("number", type=int)
@option(
    "--reason", default="", help="Kept with the order; needed for a credit, which it stands beside."
)
@option("--credit/--no-credit", default=True, help="Whether its cost is credited (default).")
@waits
@destroys("mission-control orders cancel 1 --reason 'Ordered twice' --dry-run")
def cancel(session: Session, number: int, reason: str, credit: bool) -> None:
    """Take an order back that was a mistake.

    One that waits for approval ends. The seats or the domain that a complete one brought are removed, as `remove` does:
    refused while users hold them. While the term that it paid for runs, its cost is credited in this month's statement;
    a month that is closed stays as it is. To give up what is no longer needed, `remove` it: nothing is paid back.
    """
    from mission_control_tui.model.orders import approval

    session.confirm(f"Cancel order {number} and remove what it brought?")

    change_and_tell(session, under("order"), approval.cancel_order, number, reason, credit=credit)
