"""Orders that are placed once, however often their key is pressed while nobody knows whether they were."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from mission_control_tui.model.orders.queries import OrderView
from mission_control_tui.model.plan import Outcome
from mission_control_tui.screens.base.context import Context


async def order_once(
    context: Context,
    order: Callable[..., Awaitable[Outcome[OrderView]]],
    *what: str,
    dry_run: bool = False,
    **stated: str | int | None,
) -> Outcome[OrderView]:
    """Place an order with a key of its own, or try it; the same order takes the same key until it has an answer."""
    wanted = (context.account_id, order.__name__, *what, *sorted(stated.items()))
    key = context.order_keys.setdefault(wanted, secrets.token_hex(8))
    outcome = await order(context.scope, *what, **stated, idempotency_key=key, dry_run=dry_run)
    if outcome.applied:
        context.order_keys.pop(wanted, None)
    return outcome
