"""What wishes cost that wait for a connector in observe mode: `python -m benchmarks.observing [sqlite|postgresql]`.

    python -m benchmarks.observing [--wishes N] [--age SECONDS] [--seconds SECONDS] [sqlite|postgresql]

A worker's processor while it has nothing to do, then while N wishes wait that were looked at for so long already, both
a minute. Exit status 1 where a minute of waiting costs more than it may beside an idle one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from benchmarks.engine import made, most, processor, show
from mission_control_tui.model.states import RequestState
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.settings.settings import WorkerSettings
from tests.provisioning.support import SMALL, World, worker

WAITING_MS = 1500.0
"""What a minute of waiting may cost beside an idle one, in milliseconds of processor, whatever waits."""


async def looked(world: World) -> tuple[int, int]:
    """How many wishes were looked at at least once, and how many looks there were in all."""
    async with world.store.read() as session:
        once, all_of_them = (
            await session.execute(
                select(
                    func.count().filter(RequestRow.attempt > 0),
                    func.coalesce(func.sum(RequestRow.attempt), 0),
                ).where(RequestRow.state.in_([RequestState.QUEUED, RequestState.RUNNING]))
            )
        ).one()
        return int(once), int(all_of_them)


async def minute(world: World, pid: int, seconds: float) -> tuple[float, float]:
    """Milliseconds of processor and looks, both a minute."""
    worked, (_, before) = processor(pid), await looked(world)
    await asyncio.sleep(seconds)
    _, after = await looked(world)
    share = 60.0 / seconds
    return (processor(pid) - worked) * 1000 * share, (after - before) * share


async def main(kind: str, wishes: int, age: float, seconds: float) -> bool:
    with TemporaryDirectory(prefix="mc-observing-") as name:
        async with made(kind, Path(name)) as (world, _):
            world.configure(
                simulator={"mode": "observe"},
                retry_first_seconds=WorkerSettings().retry_first_seconds,
                lease_seconds=WorkerSettings().lease_seconds,
            )
            upns = await world.people(*(f"user{number}" for number in range(wishes)))
            with worker(world) as process:
                await asyncio.sleep(5.0)
                idle, _ = await minute(world, process.pid, seconds)
                show(
                    f"{kind}: idle, {idle:.0f} ms of processor a minute; load {os.getloadavg()[0]:.1f}"
                )
                begun, worked = time.monotonic(), processor(process.pid)
                await world.bulk_wish(upns, SMALL)

                async def all_looked_at() -> bool:
                    return (await looked(world))[0] == wishes

                await world.until(all_looked_at, 600, pause=0.5)
                first = (processor(process.pid) - worked) * 1000
                show(
                    f"       the first look at {wishes}: {first:.0f} ms, {first / wishes:.1f} each"
                )
                await asyncio.sleep(max(0.0, age - (time.monotonic() - begun)))
                waiting, looks = await minute(world, process.pid, seconds)
                show(
                    f"       {wishes} wait: {looks:.0f} looks, {waiting:.0f} ms of processor a minute,"
                )
                show(f"       {waiting / max(idle, 1.0):.1f} times an idle worker's")
                return most("waiting beside idle", waiting - idle, WAITING_MS, "ms a minute")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("kinds", nargs="*", default=["sqlite"])
    options.add_argument("--wishes", type=int, default=300)
    options.add_argument("--age", type=float, default=60.0)
    options.add_argument("--seconds", type=float, default=60.0)
    given = options.parse_args()
    verdicts = [
        asyncio.run(main(kind, given.wishes, given.age, given.seconds)) for kind in given.kinds
    ]
    raise SystemExit(0 if all(verdicts) else 1)
