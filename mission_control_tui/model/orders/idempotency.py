"""An order's idempotency key: whoever does not know whether an order was placed repeats it with its key."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.states import OrderKind
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.transaction import Transaction


async def placed_before(
    tx: Transaction,
    account_id: int,
    key: str,
    kind: OrderKind,
    product_id: str,
    quantity: int | None,
) -> OrderRow | None:
    """Return the order that was placed with this key, None where there is none; the account is locked.

    Raises Conflict where the key is that of another order than is wanted now. `quantity` None is any.
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
    if (order.kind, line.product_id) != (kind, product_id) or quantity not in (None, line.quantity):
        raise Conflict(
            f"The key {key} is that of order {order.id}, which is another one: {line.label}.",
            hint="Take a new key for a new order.",
        )
    tx.record(PlanVerb.UNCHANGED, "order", str(order.id))
    tx.warn(f"Order {order.id} was placed with this key already: nothing is ordered again.")
    return order
