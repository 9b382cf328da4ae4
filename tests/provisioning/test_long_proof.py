"""Three workers on PostgreSQL, killed, frozen, cut off and stopped at random under bulk and interactive load.

`./run-tests --all` does it for some seconds. All of it, for so many minutes, with another seed each time:

    MC_PROOF=20 pytest tests/provisioning/test_long_proof.py
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.engine import operator_error
from mission_control_tui.model.store.retry import retry_on_conflict
from tests.provisioning.connectors.proxy import LosingProxy, losing_proxy
from tests.provisioning.support import LARGE, SMALL, WorkerProcess, World
from tests.provisioning.test_torture import check, mend, wish_something

MINUTES = float(os.environ.get("MC_PROOF", "0"))
SECONDS = MINUTES * 60 if MINUTES else 15.0
LEASE = 3.0
WORKERS, PEOPLE, MANY, SLICE = 3, 4, 40, 8

pytestmark = [pytest.mark.kill, pytest.mark.proof]


@dataclass
class Place:
    """A worker and its way to the database, and what ends the last blow."""

    world: World
    proxy: LosingProxy
    number: int
    process: WorkerProcess | None = None
    recover_at: float = 0.0
    recover: Callable[[], None] = field(default=lambda: None)
    ends: list[str] = field(default_factory=list)

    def see_to_it(self) -> None:
        """End the last blow when its time has come, and have a worker."""
        if self.recover_at and time.monotonic() > self.recover_at:
            self.recover()
            self.recover_at = 0.0
        if self.process is not None and not self.process.alive:
            self.ends.append(str(self.process.wait()))
            self.process = None
        if self.process is None and not self.recover_at:
            self.process = WorkerProcess(self.world, f"worker-{self.number}")

    def strike(self, rng: random.Random) -> None:
        """Do something to the worker, if nothing is being done to it."""
        one = self.process
        if one is None or self.recover_at or not one.alive:
            return
        blow = rng.choice(("kill", "freeze", "black hole", "stop"))
        match blow:
            case "kill":
                one.kill()
            case "stop":
                one.terminate()
            case "freeze":
                one.freeze()
                self.recover = partial(self.thaw, one)
            case _:
                self.proxy.dark = True
                self.proxy.swallow()
                self.recover = self.light
        if blow in {"freeze", "black hole"}:
            self.recover_at = time.monotonic() + rng.choice((0.5, 2.0)) * LEASE

    def thaw(self, one: WorkerProcess) -> None:
        # It may have been about to end when it was frozen.
        with suppress(ProcessLookupError):
            one.thaw()

    def light(self) -> None:
        self.proxy.dark = False

    def end(self) -> None:
        if self.process is not None:
            self.process.end()


async def load(world: World, rng: random.Random, people: list[str], many: list[str]) -> None:
    """Wish what operators do, and for many at a time."""
    level = SMALL
    while True:
        try:
            await wish_something(world, rng, people)
        except (Conflict, DBAPIError) as error:
            # What a frozen worker holds is refused after a while, and tried again by whoever wishes.
            operator_error(error)
        if await world.active() < MANY // 2:
            level = LARGE if level == SMALL else SMALL
            for some in batches(many, SLICE):
                # One that is refused again and again, to end deadlocks, wishes nothing.
                with suppress(DBAPIError):
                    await retry_on_conflict(partial(world.bulk_wish, some, level))
        await asyncio.sleep(rng.uniform(0.3, 1.2))


@pytest.mark.timeout(SECONDS + 600)
async def test_nothing_is_lost_or_done_twice_whatever_becomes_of_three_workers(
    postgres_world: World,
) -> None:
    world = postgres_world
    seed = int(time.time()) if MINUTES else 1
    rng = random.Random(seed)
    world.configure(
        retry_limit=1000,
        lease_seconds=LEASE,
        slots=8,
        interactive_slots=2,
        simulator={"concurrency": 50, "rate_per_second": 1000.0},
    )
    world.rules("delay = 0\njitter = 0.1")
    people = await world.people(*(f"user{number}" for number in range(PEOPLE)))
    many = await world.people(*(f"bulk{number}" for number in range(MANY)))
    direct = make_url(world.where)
    places: list[Place] = []
    async with AsyncExitStack() as stack:
        for number in range(WORKERS):
            proxy = await stack.enter_async_context(losing_proxy(direct.port or 0, b""))
            through = direct.set(port=proxy.port).render_as_string(hide_password=False)
            places.append(Place(replace(world, where=through), proxy, number))
            stack.callback(places[-1].end)
        wishing = asyncio.create_task(load(world, rng, people, many))
        try:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until and not wishing.done():
                for place in places:
                    place.see_to_it()
                await asyncio.sleep(rng.uniform(0.5, 2.0))
                rng.choice(places).strike(rng)
        finally:
            wishing.cancel()
            with suppress(asyncio.CancelledError):
                await wishing
        try:
            for place in places:
                if place.recover_at:
                    place.recover_at = 0.0
                    place.recover()
            await settled(world, places)
            await mend(world)
            await check(world)
        except (AssertionError, MissionControlError):
            print(f"seed {seed}", [place.ends for place in places], await world.story())  # noqa: T201 - shown with the failure
            raise


async def settled(world: World, places: list[Place]) -> None:
    """Wait until nothing is under way, with a worker in every place."""

    async def nothing() -> bool:
        for place in places:
            place.see_to_it()
        return await world.active() == 0

    await world.until(nothing, 240.0, pause=0.2)
