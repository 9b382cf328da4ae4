"""The engine, in latencies, throughput and cost.

    python -m benchmarks.engine [sqlite] [postgresql] [--users N]

Times mean something only beside others of the same run on the same machine: what was promised is printed beside them,
and bare DBOS runs as many workflows of three recorded steps on a database of its own, a bare Procrastinate has nothing
to do. `--users` is how many are in a bulk: 500, or as many as you have patience for. Exit status 1 when a verdict is
broken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME, shipped
from mission_control_tui.model.states import RequestState
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.settings.settings import WorkerSettings
from tests.postgres import PostgresServer
from tests.provisioning.support import EXCHANGE, LARGE, SMALL, World, furnish
from tests.provisioning.test_change_feed import commits_elsewhere, listening

CHANGES, WISHES, BULK = 20, 20, 500
KINDS = ("sqlite", "postgresql")
PROMISED_MS = {"sqlite": 120, "postgresql": 30}
"""The median from a wish to its start, and from a commit to its being heard in another process."""
BEHIND_BULK_MS = 150
"""The same for a wish to its start while a bulk runs."""
IDLE_PERCENT = 0.3
"""Of a processor, embedded; on PostgreSQL so many points more than the bare engine."""
IDLE_SECONDS = 20.0
LARGE_BULK, LARGE_MINUTES = 20_000, 8.0
TWO_WORKERS = 1.5
"""So many times as many requests are done by two workers as by one."""
SLOW_SECONDS = 0.05
PROCESSORS = os.cpu_count() or 1
OWN_MEGABYTES = 60.0
"""What a worker may own after all that."""
STEPS = {
    "account": "",
    "mail level": '["level"]',
    "mail limits": '["limits.*"]',
    "mail quota": '["settings.*"]',
}
"""What the simulator makes of a service: a change of level is three of these steps, and needs no password's hash."""


Measure = Callable[[str, int], Coroutine[object, object, bool]]
"""Measures a kind of database with so many users; whether every verdict is kept."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How many were done in a second, milliseconds of processor for each, and how busy the whole machine was."""

    rate: float
    processor: float
    busy: float = 0.0


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


async def bulk(world: World, upns: Sequence[str], level: str, *pids: int) -> Cost:
    """Changes of level, of three steps each, by the workers that run."""
    worked = sum(map(processor, pids))
    await world.bulk_wish(upns, level)
    begun, of_all = time.perf_counter(), machine()
    await world.settled(3600)
    took = time.perf_counter() - begun
    busy = (machine() - of_all) / took / PROCESSORS
    count = len(upns)
    return Cost(count / took, (sum(map(processor, pids)) - worked) / count * 1000, busy)


async def behind(world: World, upns: Sequence[str], level: str, upn: str) -> list[float]:
    """Seconds from the commit of a wish to its start while such changes run, or wait."""
    await world.bulk_wish(upns, level)
    starts, _ = await wishes(world, upn)
    await world.settled(3600)
    return starts


async def idle(pid: int) -> float:
    """Return the percentage of a processor that a worker takes while it has nothing to do."""
    await asyncio.sleep(5.0)
    worked = worked_by_threads(pid)
    await asyncio.sleep(IDLE_SECONDS)
    return (worked_by_threads(pid) - worked) / IDLE_SECONDS * 100


@contextmanager
def worker(world: World) -> Iterator[int]:
    """The pid of a worker that the interpreter starts: a forked one shares its memory with whom it is forked from."""
    with (world.directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mission_control_tui.provisioning.worker_main"),
                *("--database", world.where),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def own_megabytes(pid: int) -> float:
    """Return what the process shares with no other, in megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def processor(pid: int) -> float:
    """Seconds that the process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def worked_by_threads(pid: int) -> float:
    """Seconds that its threads have worked, to the nanosecond; those of threads that have ended are not in it."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text("ascii").split()[0]) for thread in threads) / 1e9


async def bare_idle(url: str) -> float:
    """Return the percentage of a processor that a worker of bare Procrastinate takes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bare_procrastinate", url)
    )
    try:
        return await idle(process.pid)
    finally:
        process.kill()
        await process.wait()


async def bare(url: str, count: int) -> Cost:
    """Bare DBOS in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bare_dbos", url, str(count)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    rate, milliseconds = said.split()
    return Cost(float(rate), float(milliseconds))


def machine() -> float:
    """Seconds that all processors have worked, for whomever."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waits, interrupts, soft = map(int, fields[:7])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def compare(ours: Cost, theirs: Cost) -> bool:
    """Two lines with verdicts; whether both are kept."""
    faster, cheaper = ours.rate >= theirs.rate, ours.processor <= theirs.processor
    show(
        f"{verdict(faster)} bulk, three steps each: {ours.rate:.0f} requests a second;"
        f" bare DBOS {theirs.rate:.0f}"
    )
    show(
        f"{verdict(cheaper)} the worker's processor: {ours.processor:.1f} ms each;"
        f" bare DBOS {theirs.processor:.1f}"
    )
    return faster and cheaper


def verdict(kept: bool) -> str:
    """One word, as wide as the other."""
    return "kept  " if kept else "BROKEN"


def least(what: str, found: float, promised: float, unit: str) -> bool:
    """One line with its verdict; whether it is kept."""
    kept = found >= promised
    show(f"{verdict(kept)} {what}: {found:.2f} {unit}; promised {promised:g}")
    return kept


def most(what: str, found: float, promised: float, unit: str) -> bool:
    """One line with its verdict; whether it is kept."""
    kept = found <= promised
    show(f"{verdict(kept)} {what}: {found:.2f} {unit}; promised {promised:g}")
    return kept


def latency(what: str, seconds: Sequence[float], promised: int) -> bool:
    """One line about latencies, whose median has a verdict; whether it is kept."""
    kept = statistics.median(seconds) * 1000 <= promised
    show(f"{verdict(kept)} {line(what, seconds, promised)}")
    return kept


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
async def made(kind: str, directory: Path, users: int = BULK) -> AsyncIterator[tuple[World, str]]:
    """A furnished world on a database of this kind, and the URL of an empty one for DBOS."""
    catalogue = parse(shipped(), SHIPPED_NAME)
    if kind == "sqlite":
        where = str(directory / "store.db")
        await upgrade.upgrade(database_url(where))
        store = await Store.open(where)
        world = await furnish(store, where, directory, catalogue, users + 10)
        yield world, f"sqlite:///{directory}/dbos.db"
        await store.close()
        return
    with PostgresServer.start() as server:
        where = server.url(server.create_database())
        await upgrade.upgrade(database_url(where), directory / "worker.key")
        store = await Store.open(where)
        world = await furnish(store, where, directory, catalogue, users + 10)
        bare_url = make_url(server.url(server.create_database()))
        yield (
            world,
            bare_url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False),
        )
        await store.close()


async def main(kind: str, users: int) -> bool:
    with TemporaryDirectory(prefix="mc-engine-") as name:
        async with made(kind, Path(name), users) as (world, bare_url):
            without_delays(world)
            (upn,) = await world.people("ann")
            show(f"{kind}: median / 95 of 100 / longest; load {os.getloadavg()[0]:.1f}")
            kept = latency("commit heard in another process", await feed(world), PROMISED_MS[kind])
            with worker(world) as pid:
                await world.give(upn, LARGE)
                await world.settled()
                starts, greens = await wishes(world, upn)
                kept &= latency("wish to start", starts, PROMISED_MS[kind])
                show(f"       {line('wish to green (three steps)', greens)}")
                upns = await world.people(*(f"user{number}" for number in range(users)))
                await bulk(world, upns, SMALL, pid)
                ours = await bulk(world, upns, LARGE, pid)
                minutes = LARGE_BULK / ours.rate / 60
                kept &= most(f"{LARGE_BULK} at that rate", minutes, LARGE_MINUTES, "minutes")
                starts = await behind(world, upns, SMALL, upn)
                kept &= latency(f"wish to start behind {users} of a bulk", starts, BEHIND_BULK_MS)
                if kind == "postgresql":
                    kept &= await beside_another(world, upns, pid, ours)
                allowed = IDLE_PERCENT
                if kind == "postgresql":
                    allowed += await bare_idle(bare_url)
                kept &= most("idle worker", await idle(pid), allowed, "% of a processor")
                kept &= most("own memory", own_megabytes(pid), OWN_MEGABYTES, "MB")
            return compare(ours, await bare(bare_url, users)) and kept


async def beside_another(world: World, upns: Sequence[str], pid: int, alone: Cost) -> bool:
    """How much more two workers do than one; whether it is enough.

    Workers and database share the machine: how busy it was says what it could have given at most. Where it is the back
    end that takes its time, which a worker waits for, the machine is no limit.
    """
    with worker(world) as other:
        await world.until(partial(_works, world, other))
        await bulk(world, upns, LARGE, pid, other)  # the other has its statements to prepare
        both = await bulk(world, upns, SMALL, pid, other)
        world.rules_path.write_text(rules(SLOW_SECONDS), "utf-8")
        slow_both = await bulk(world, upns, LARGE, pid, other)
    await world.until(partial(_works_alone, world))
    slow_alone = await bulk(world, upns, SMALL, pid)
    without_delays(world)
    kept = least(
        f"two workers, {SLOW_SECONDS * 1000:g} ms for each call of the back end",
        slow_both.rate / slow_alone.rate,
        TWO_WORKERS,
        "times as many a second",
    )
    times = both.rate / alone.rate
    kept &= least("two workers, no delays", times, TWO_WORKERS, "times as many a second")
    show(
        f"       one kept {PROCESSORS} processors {alone.busy:.0%} busy, two {both.busy:.0%}: no more than"
        f" {times / both.busy:.2f} times can be had here"
    )
    return kept


async def _works_alone(world: World) -> bool:
    return len(await world.working()) == 1


async def _works(world: World, pid: int) -> bool:
    return pid in await world.working()


def without_delays(world: World) -> None:
    """Let the world's simulator answer at once, within limits that nothing here reaches."""
    world.rules_path.write_text(rules(), "utf-8")
    world.configure(
        simulator={"concurrency": 50, "rate_per_second": 100000.0},
        lease_seconds=WorkerSettings().lease_seconds,
    )


def rules(seconds: float = 0.0) -> str:
    """The simulator's rules: `STEPS`, each call of the back end taking so many seconds."""
    delay = f"[[rule]]\ndelay = {seconds}\n" if seconds else ""
    return f"seed = 1\n{delay}" + "".join(
        f'[[step]]\nservice = "{EXCHANGE}"\nname = "{name}"\n'
        + (f"carries = {carries}\n" if carries else "")
        for name, carries in STEPS.items()
    )


def kept_all(module: str, about: str | None, users: int, run: Measure) -> bool:
    """Measure each kind of database that the command line names; whether every verdict is kept."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=about)
    parser.add_argument("kinds", nargs="*", metavar="sqlite|postgresql")
    parser.add_argument("--users", type=int, default=users)
    given = parser.parse_args()
    verdicts = [asyncio.run(run(kind, given.users)) for kind in given.kinds or KINDS]
    return all(verdicts)


if __name__ == "__main__":
    raise SystemExit(0 if kept_all("engine", __doc__, BULK, main) else 1)
