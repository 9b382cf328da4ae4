"""Each item of a bulk tried and rolled back, for those who have to know every single wish and not one of each kind."""

from __future__ import annotations

import asyncio
import time

from mission_control_tui.model.bulk.actions import BulkContext, act, subjects
from mission_control_tui.model.bulk.slices import SLICE_ITEMS, SLICE_SECONDS, breath
from mission_control_tui.model.bulk.targets import BulkOrder
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope


async def try_each(scope: AccountScope, order: BulkOrder) -> frozenset[str]:
    """Try every item, in slices as short as the worker's; returns the services that the items are about.

    `scope.tried` gets each slice before it is rolled back. What is refused is left out.
    """
    about: set[str] = set()
    done = 0
    while done < len(order.targets):
        begun = time.monotonic()
        done += await _try(scope, order, done, about)
        await asyncio.sleep(breath(time.monotonic() - begun))
    return frozenset(about)


@retries_on_conflict
async def _try(scope: AccountScope, order: BulkOrder, first: int, about: set[str]) -> int:
    begun, done = time.monotonic(), 0
    async with scope.change(dry_run=True) as (tx, account_id):
        context = await BulkContext.of(tx, account_id, order.action, order.params)
        for target in order.targets[first : first + SLICE_ITEMS]:
            (subject,) = await subjects(tx, context, [target])
            acted = await act(tx, context, subject)
            done += 1
            if acted.assignment_id is not None:
                about.add(acted.assignment_id)
            if time.monotonic() - begun > SLICE_SECONDS:
                break
    return done
