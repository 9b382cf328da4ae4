"""The sample account as commands make it and start it over, at the simulators too."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.waiting import wake
from mission_control_tui.model.installation import sample_account
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.views import Account

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store

SIMULATOR = "simulator"


async def make_sample(session: Session, store: Store) -> None:
    """Make the sample account where there is no account at all, and let its lights begin to move."""
    made = await sample_account.ensure_sample(store)
    if made is None:
        return
    say(
        "First start: a sample account was made, on a simulator."
        " To set up a real one, run: mission-control init"
    )
    await wake(session, store)


async def reset_sample(session: Session, store: Store) -> Outcome[Account]:
    """Delete the sample account and make it anew, at its simulators too.

    Raises Conflict when a real account has its code or one of its domains.
    """
    # Tried first: what refuses it does so before the simulators are emptied.
    outcome = await sample_account.reset_sample(store, session.caller, dry_run=True)
    if not session.dry_run:
        # Twice: a worker may add to it until the old account is gone, and reads it from then on.
        await _forget(session, await sample_account.sample_objects(store))
        outcome = await sample_account.reset_sample(store, session.caller)
        await _forget(session, outcome.result.forgotten)
        await wake(session, store)
    return Outcome(outcome.result.account, outcome.plan, outcome.applied)


async def _forget(session: Session, objects: Iterable[sample_account.ForgottenObject]) -> None:
    from mission_control_tui.provisioning.connectors.simulator.connector import forget

    keys: dict[str, list[str]] = defaultdict(list)
    for forgotten in objects:
        keys[forgotten.connector].append(forgotten.assignment_id)
    for name, assignment_ids in keys.items():
        table = session.settings.connectors.get(name, {})
        if table.get("type", name) == SIMULATOR:
            await asyncio.to_thread(forget, table, assignment_ids)
