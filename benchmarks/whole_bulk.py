"""A change of level for 20,000 users, from the operator's word until the last light is green, beside other work.

    python -m benchmarks.whole_bulk [sqlite] [postgresql] [--users N]

One worker, a simulator without delays; another process writes all the time, and an operator gives a service now and
then. The users are made and provisioned first, which takes longer than what is measured. Exit status 1 when a verdict
is broken.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bulk import another_writer
from benchmarks.engine import (
    BEHIND_BULK_MS,
    LARGE_BULK,
    LARGE_MINUTES,
    kept_all,
    latency,
    made,
    most,
    own_megabytes,
    show,
    wishes,
    without_delays,
    worker,
)
from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from tests.provisioning.support import ACCOUNT, EXCHANGE, LARGE, SMALL, World

WRITES_MS = 100.0
"""How long another process may wait for a write of its own meanwhile."""


async def change(world: World, users: list[str], level: str) -> float:
    """Seconds from the word until nothing of it is under way."""
    begun = time.perf_counter()
    params = ActionParams(EXCHANGE, level)
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    started = await bulks.start(scope, users, "provision", params)

    async def over() -> bool:
        view = await queries.show(scope, started.result.id)
        return view.state != BulkState.RUNNING and await world.active() == 0

    await world.until(over, 7200, pause=0.5)
    return time.perf_counter() - begun


async def main(kind: str, users: int) -> bool:
    """Build, measure, print; True when every verdict is kept."""
    with TemporaryDirectory(prefix="mc-whole-bulk-") as name:
        async with made(kind, Path(name), users) as (world, _):
            without_delays(world)
            (upn,) = await world.people("ann")
            people = await world.people(*(f"user{number}" for number in range(users)))
            with worker(world) as pid:
                await world.give(upn, LARGE)
                first = await change(world, people, SMALL)
                show(
                    f"{kind}: {users} users provisioned in {first:.0f} s; load {os.getloadavg()[0]:.1f}"
                )
                async with another_writer(world.where) as writer:
                    changing = asyncio.create_task(change(world, people, LARGE))
                    starts = []
                    while not changing.done():
                        starts += (await wishes(world, upn))[0]
                        await asyncio.sleep(5.0)
                    minutes = await changing / 60 * LARGE_BULK / users
                    waited = await writer.longest()
                kept = most(
                    f"level of {LARGE_BULK} at that rate", minutes, LARGE_MINUTES, "minutes"
                )
                kept &= most("longest write of another process", waited * 1000, WRITES_MS, "ms")
                kept &= latency("wish to start meanwhile", starts, BEHIND_BULK_MS)
                show(f"       own memory of the worker: {own_megabytes(pid):.1f} MB")
            return kept


if __name__ == "__main__":
    raise SystemExit(0 if kept_all("whole_bulk", __doc__, LARGE_BULK, main) else 1)
