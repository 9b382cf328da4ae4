"""Wishes at random, workers killed, frozen and stopped at random, answers lost: in the end all is as wished, once.

A seed gives the same wishes and the same blows, though not the same moment of each. `./run-tests --all` runs one short
seed on each database. All of it, a seed after the other until one fails:

    MC_TORTURE=50 pytest tests/provisioning/test_torture.py
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.workers import LeaseLost
from mission_control_tui.model.states import ACTIVE_STATES, Light, RequestKind, Wish
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.users.passwords import set_password
from tests.provisioning.support import (
    ACCOUNT,
    LARGE,
    PASSWORD,
    SMALL,
    WorkerProcess,
    World,
    doubled,
    freeze_harmlessly,
    wish,
    worker,
)

SEEDS = int(os.environ.get("MC_TORTURE", "0"))
ROUNDS = 10 if SEEDS else 3
USERS = 6
NEXT_KINDS: dict[str, tuple[str, ...]] = {
    Wish.ABSENT: ("provision",),
    Wish.PRESENT: ("change", "provision", "suspend", "deprovision", "password"),
    Wish.SUSPENDED: ("resume", "deprovision", "change"),
}
TROUBLE = (
    'call = "observe"\nfail = "transient"\nfail_times = 1',
    'step = "mailbox"\nfail = "transient"\nfail_times = 2\nwhen = "after"',
    'step = "directory account"\nfail = "throttled"\nfail_times = 1\nretry_after = 0.1',
    'step = "addresses"\npending = 0.3',
    'step = "addresses"\nfail = "stale"\nfail_times = 1',
)

pytestmark = [pytest.mark.kill, pytest.mark.proof]


async def wish_something(world: World, rng: random.Random, upns: list[str]) -> None:
    for upn in rng.sample(upns, rng.randint(1, 4)):
        rows = await world.services()
        present = str(rows[upn].wish) if upn in rows else str(Wish.ABSENT)
        kind = rng.choice(NEXT_KINDS[present])
        if kind == "password" or (kind == "provision" and present == Wish.ABSENT):
            # Also before a service is given again: the last password was wiped on its delivery.
            await set_password(
                AccountScope(world.store, world.caller, ACCOUNT), upn, f"{PASSWORD}-{rng.random()}"
            )
        if kind != "password":
            await wish(world, upn, kind)


async def cancel_something(world: World, rng: random.Random) -> None:
    async with world.store.read() as session:
        active = (
            await session.scalars(select(RequestRow.id).where(RequestRow.state.in_(ACTIVE_STATES)))
        ).all()
    if active:
        try:
            await requests.cancel(
                AccountScope(world.store, world.caller, ACCOUNT), rng.choice(active)
            )
        except Conflict:
            return  # it has ended meanwhile


async def freeze(world: World, victim: WorkerProcess) -> None:
    """Freeze it, and let its lease have run out."""
    await freeze_harmlessly(world, victim)
    await world.leases_run_out()


async def thaw_the_replaced(world: World, frozen: list[WorkerProcess]) -> None:
    """Wake those whose place another has taken, in the midst of its work."""
    working = await world.working()
    for one in frozen:
        if one.pid not in working:
            one.thaw()


async def strike(
    world: World, rng: random.Random, victim: WorkerProcess, frozen: list[WorkerProcess]
) -> None:
    blow = rng.choice(("kill", "kill", "freeze", "stop"))
    at_work = victim.pid in await world.working()
    match blow if at_work else "kill":
        case "kill":
            victim.kill()
        case "freeze":
            await freeze(world, victim)
            frozen.append(victim)
        case _:
            victim.terminate()
            assert victim.wait() == 0


async def torture(world: World, seed: int) -> None:
    rng = random.Random(seed)
    world.configure(retry_limit=1000, lease_seconds=60.0)
    upns = await world.people(*(f"user{number}" for number in range(USERS)))
    frozen: list[WorkerProcess] = []
    with ExitStack() as workers:
        for number in range(ROUNDS):
            world.rules(
                *rng.sample(TROUBLE, rng.randint(0, 3)),
                f"delay = 0\njitter = {rng.choice((0.0, 0.05, 0.3))}",
            )
            await wish_something(world, rng, upns)
            victim = workers.enter_context(worker(world, f"worker-{number}"))
            await asyncio.sleep(rng.uniform(0.9, 2.5))
            if rng.random() < 0.3:
                await thaw_the_replaced(world, frozen)
            if rng.random() < 0.5:
                await wish_something(world, rng, upns)
            if rng.random() < 0.4:
                await cancel_something(world, rng)
            await asyncio.sleep(rng.uniform(0.0, 0.4))
            await strike(world, rng, victim, frozen)
        world.rules()
        workers.enter_context(worker(world, "last"))
        await world.settled(120)
        for one in frozen:
            one.thaw()
        for one in frozen:
            assert one.wait() == LeaseLost.exit_code
        await mend(world)
    await check(world)


async def mend(world: World) -> None:
    """What was cancelled half-way is red, and says what to do: do it."""
    for upn, row in (await world.services()).items():
        if row.light == Light.RED:
            assert "half-way" in row.error_said, row.error_said
            if row.wish == Wish.ABSENT:
                await world.turn(upn, RequestKind.DEPROVISION)
            else:
                await world.give(upn, row.level_id)
    await world.settled(60)


async def check(world: World) -> None:
    rows = list((await world.services()).values())
    for row in rows:
        gone = row.wish == Wish.ABSENT
        assert row.light == (Light.GREY if gone else Light.GREEN), row.error_said
        assert row.observed_wish == row.wish
        assert row.observed_level == ("" if gone else row.level_id)
        assert row.observed_generation == row.generation
    assert not doubled(world.effect_counts())
    there = Counter[str]()
    for effect in world.effects():
        there[effect.key] += {"created": 1, "removed": -1}.get(effect.effect, 0)
    assert {row.id: there[row.id] for row in rows} == {
        row.id: 0 if row.wish == Wish.ABSENT else 3 for row in rows
    }
    async with world.store.read() as session:
        holds = await session.execute(
            select(SeatHoldRow.assignment_id, SeatPoolRow.level_id).join(
                SeatPoolRow, SeatPoolRow.id == SeatHoldRow.pool_id
            )
        )
        assert sorted(tuple(hold) for hold in holds) == sorted(
            (row.id, row.level_id) for row in rows if row.wish != Wish.ABSENT
        )
        assert (await session.scalars(select(AssignmentRow.drift))).all().count(True) == 0
    wished = Counter(row.level_id for row in rows if row.wish != Wish.ABSENT)
    assert await world.held() == {SMALL: wished[SMALL], LARGE: wished[LARGE]}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, max(SEEDS, 1) + 1))
async def test_torture(world: World, seed: int) -> None:
    try:
        await torture(world, seed)
    except (AssertionError, MissionControlError):
        print(await world.story())  # noqa: T201 - pytest shows it with the failure
        raise
