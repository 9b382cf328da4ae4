"""Orders that are placed once, however often their key is pressed while nobody knows whether they were."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable

from mission_control_tui.model.orders.queries import OrderView
from mission_control_tui.model.plan import Outcome
from mission_control_tui.screens.base.context import Context

KEYS = "order-keys"
"""Under which a draft keeps the keys of orders whose outcome is not known."""


async def order_once(
    context: Context,
    order: Callable[..., Awaitable[Outcome[OrderView]]],
    *what: str,
    dry_run: bool = False,
    **stated: object,
) -> Outcome[OrderView]:
    """Place an order with a key of its own, or try it; the same order takes the same key until it has an answer."""
    # What the registrar said makes no other order of it.
    told = {name: value for name, value in stated.items() if name != "registrar"}
    wanted = json.dumps(
        [context.account_id, order.__name__, what, told], sort_keys=True, default=str
    )
    key = context.order_keys.setdefault(wanted, secrets.token_hex(8))
    outcome = await order(context.scope, *what, **stated, idempotency_key=key, dry_run=dry_run)
    if outcome.applied:
        context.order_keys.pop(wanted, None)
    return outcome


def remember_keys(context: Context) -> dict[str, object]:
    """Return the keys for a draft: another console does not know either whether its order was placed."""
    return {KEYS: dict(context.order_keys)}


def recall_keys(context: Context, memory: dict[str, object]) -> None:
    """Take the keys out of a draft, to go on with them."""
    keys = memory.pop(KEYS, None)
    if isinstance(keys, dict):
        context.order_keys |= {str(wanted): str(key) for wanted, key in keys.items()}
