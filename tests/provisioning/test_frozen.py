"""A worker that is frozen until another has taken over: nothing happens twice, and it goes when it wakes."""

from __future__ import annotations

import asyncio

import pytest

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.requests.workers import LeaseLost
from mission_control_tui.model.states import Light
from tests.provisioning.support import EXCHANGE_STEPS, World, doubled, freeze_harmlessly, worker

pytestmark = [pytest.mark.kill, pytest.mark.any_database]


async def test_frozen_until_another_has_taken_over(world: World) -> None:
    world.configure(lease_seconds=600.0)
    upns = await world.people("ann", "bob", "cem")
    world.rules('step = "mailbox"\ndelay = 0.8')
    with worker(world, "frozen") as frozen:
        given = [await world.give(upn) for upn in upns]

        async def all_there() -> bool:
            rows = [await world.assignment(one.assignment_id) for one in given]
            return all(row.step.startswith("mailbox") for row in rows)

        await world.until(all_there)
        await freeze_harmlessly(world, frozen)
        if world.store.is_sqlite:
            with worker(world, "too early") as early:
                assert early.wait() == Conflict.exit_code
        await world.leases_run_out()
        with worker(world, "next") as successor:
            await world.settled()
            frozen.thaw()
            assert frozen.wait() == LeaseLost.exit_code
            assert successor.alive
    for one in given:
        row = await world.assignment(one.assignment_id)
        assert row.light == Light.GREEN
        assert (await world.request(one.request_id)).attempt == 2
    assert not doubled(world.effect_counts())
    created = [one.step for one in world.effects() if one.effect == "created"]
    assert sorted(created) == sorted(EXCHANGE_STEPS * len(upns))


@pytest.mark.proof
async def test_a_frozen_worker_that_nobody_missed_goes_on(sqlite_world: World) -> None:
    sqlite_world.configure(lease_seconds=0.6)
    (upn,) = await sqlite_world.people("ann")
    with worker(sqlite_world) as sleeper:
        first = await sqlite_world.give(upn)
        await sqlite_world.settled()
        await freeze_harmlessly(sqlite_world, sleeper)
        await asyncio.sleep(1.0)
        await sqlite_world.give(upn, "pc-web")
        sleeper.thaw()
        await sqlite_world.settled()
        assert (await sqlite_world.assignment(first.assignment_id)).observed_level == "pc-web"
        assert sleeper.alive
