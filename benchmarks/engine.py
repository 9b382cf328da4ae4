"""The engine's latencies and throughput, through real processes: `python -m benchmarks.engine [sqlite|postgresql]`.

Times mean something only beside others of the same run on the same machine; what was promised is printed beside them.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME, shipped
from mission_control_tui.model.states import RequestState
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from tests.postgres import PostgresServer
from tests.provisioning.support import LARGE, SMALL, World, furnish, worker
from tests.provisioning.test_change_feed import commits_elsewhere, listening

CHANGES, WISHES, BULK = 20, 20, 200
PROMISED_MS = {"sqlite": 200, "postgresql": 50}


async def feed(world: World) -> list[float]:
    """Seconds from a commit by another process to its being heard in this one."""
    async with listening(world.store) as heard:
        committed = await commits_elsewhere(world, CHANGES)
        await asyncio.sleep(0.5)
    return [min(at - then for at in heard.at if at >= then - 0.02) for then in committed]


async def wishes(world: World, upn: str) -> tuple[list[float], list[float]]:
    """Seconds from the commit of a wish to its start, and to green, on a simulator without delays."""
    starts, greens = [], []
    for number in range(WISHES):
        given = await world.give(upn, LARGE if number % 2 else SMALL)
        if given.request_id is None:
            continue
        begun = time.perf_counter()
        await leaves(world, given.request_id, {RequestState.QUEUED, RequestState.WAITING})
        starts.append(time.perf_counter() - begun)
        await leaves(world, given.request_id, {RequestState.RUNNING})
        greens.append(time.perf_counter() - begun)
        await asyncio.sleep(0.05)
    return starts, greens


async def leaves(world: World, request_id: int, states: set[RequestState]) -> None:
    """Wait until the request is in none of these states; looks more often than World.until does."""
    while (await world.request(request_id)).state in states:  # noqa: ASYNC110 - polled on purpose
        await asyncio.sleep(0.002)


async def bulk(world: World) -> float:
    """Requests of three steps each, a second."""
    upns = await world.people(*(f"user{number}" for number in range(BULK)))
    begun = time.perf_counter()
    await world.bulk_wish(upns)
    await world.settled(600)
    return BULK / (time.perf_counter() - begun)


def line(what: str, seconds: Sequence[float], promised: int | None = None) -> str:
    """Median, 95 of 100, and the longest, in milliseconds."""
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.95)]
    numbers = " / ".join(
        f"{value * 1000:.0f}" for value in (statistics.median(ordered), late, ordered[-1])
    )
    return f"{what:34} {numbers} ms" + (f" (promised: {promised})" if promised else "")


def show(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@asynccontextmanager
async def made(kind: str, directory: Path) -> AsyncIterator[World]:
    """A furnished world on a database of this kind."""
    catalogue = parse(shipped(), SHIPPED_NAME)
    if kind == "sqlite":
        where = str(directory / "store.db")
        await upgrade.upgrade(database_url(where))
        store = await Store.open(where)
        yield await furnish(store, where, directory, catalogue)
        await store.close()
        return
    with PostgresServer.start() as server:
        where = server.url(server.create_database())
        await upgrade.upgrade(database_url(where), directory / "worker.key")
        store = await Store.open(where)
        yield await furnish(store, where, directory, catalogue)
        await store.close()


async def main(kind: str) -> None:
    with TemporaryDirectory(prefix="mc-engine-") as name:
        async with made(kind, Path(name)) as world:
            world.configure(simulator={"concurrency": 50, "rate_per_second": 1000.0})
            (upn,) = await world.people("ann")
            show(f"{kind}: median / 95 of 100 / longest; load {os.getloadavg()[0]:.1f}")
            show(line("commit heard in another process", await feed(world), PROMISED_MS[kind]))
            with worker(world):
                await world.give(upn, LARGE)
                await world.settled()
                starts, greens = await wishes(world, upn)
                show(line("wish to start", starts))
                show(line("wish to green (one step)", greens))
                show(f"{'bulk, three steps each':34} {await bulk(world):.0f} requests a second")


if __name__ == "__main__":
    for one in sys.argv[1:] or ["sqlite", "postgresql"]:
        asyncio.run(main(one))
