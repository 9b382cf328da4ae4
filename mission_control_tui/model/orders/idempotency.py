"""An order's idempotency key: whoever does not know whether an order was placed repeats it with its key."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import Conflict, InvalidInput
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.states import OrderKind
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction


async def placed_before(
    tx: Transaction,
    account_id: int,
    key: str,
    kind: OrderKind,
    *,
    domain: str | None = None,
    **stated: str | int | None,
) -> OrderRow | None:
    """Return the order that was placed with this key, None where there is none; the account is locked.

    `domain`, as it was typed, and `stated` are what is wanted now, by the columns of an order's line; None is whatever
    it was.
    Raises Conflict where the key is that of another order than is wanted now.
    """
    if not key:
        return None
    found = (
        await tx.session.execute(
            select(OrderRow, OrderLineRow)
            .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
            .where(OrderRow.account_id == account_id, OrderRow.idempotency_key == key)
        )
    ).first()
    if found is None:
        return None
    order, line = found
    stated["domain"] = domain and _stored(domain)
    if order.kind != kind or any(
        value not in (None, getattr(line, column)) for column, value in stated.items()
    ):
        raise Conflict(
            f"The key {key} is that of order {order.id}, which is another one: {line.label}.",
            hint="Take a new key for a new order.",
        )
    tx.record(PlanVerb.UNCHANGED, "order", str(order.id))
    tx.warn(f"Order {order.id} was placed with this key already: nothing is ordered again.")
    return order


def _stored(domain: str) -> str:
    try:
        return normalise(domain)
    except InvalidInput:
        # No order is about what is no name.
        return domain
