"""Cancelling, superseding, resetting: before the start, in the middle, too late."""

from __future__ import annotations

import pytest

from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from tests.provisioning.support import ACCOUNT, EXCHANGE_STEPS, LARGE, SMALL, World, doubled, worker

pytestmark = pytest.mark.any_database


async def cancel(world: World, request_id: int | None) -> RequestState:
    assert request_id is not None
    outcome = await requests.cancel(AccountScope(world.store, world.caller, ACCOUNT), request_id)
    return outcome.result


async def test_cancelled_before_the_start_nothing_ever_happens(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    assert await cancel(world, given.request_id) == RequestState.CANCELLED
    other = await world.people("bob")
    with worker(world):
        done = await world.give(other[0])
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.wish) == (Light.GREY, Wish.ABSENT)
    assert {one.key for one in world.effects()} == {done.assignment_id}
    assert await world.held() == {SMALL: 1, LARGE: 0}


async def test_cancelled_half_way_it_stops_between_steps_and_shows_what_is(world: World) -> None:
    (upn,) = await world.people("ann")
    world.rules('step = "directory account"\ndelay = 1.0')
    with worker(world):
        given = await world.give(upn)
        await world.until(lambda: world.running_step("directory account"))
        assert await cancel(world, given.request_id) == RequestState.RUNNING
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.word) == (Light.RED, Word.ERROR)
        assert "half-way" in row.error_said
        assert "Provision again" in row.error_remedy
        assert {one.step for one in world.effects()} == {"directory account"}
        assert (await world.request(given.request_id)).state == RequestState.CANCELLED
        assert await world.held() == {SMALL: 1, LARGE: 0}

        await world.give(upn)
        await world.settled()
        assert await world.light(given.assignment_id) == Light.GREEN
    created = [one.step for one in world.effects() if one.effect == "created"]
    assert created == list(EXCHANGE_STEPS)


async def test_cancelled_while_looking_the_previous_wish_is_restored(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    with worker(world, "before"):
        given = await world.give(upn, SMALL)
        await world.settled()
    world.rules('call = "observe"\ndelay = 1.0')
    with worker(world):
        change = await world.give(upn, LARGE)
        await world.until(lambda: world.running_step("Looking"))
        assert await world.held() == {SMALL: 1, LARGE: 1}
        await cancel(world, change.request_id)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.level_id, row.observed_level) == (Light.GREEN, SMALL, SMALL)
    assert row.generation == row.observed_generation
    assert await world.held() == {SMALL: 1, LARGE: 0}
    assert (await world.request(change.request_id)).state == RequestState.CANCELLED


async def test_cancelled_in_the_last_step_it_is_done_all_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    world.rules('step = "addresses"\ndelay = 1.0')
    with worker(world):
        given = await world.give(upn)
        await world.until(lambda: world.running_step("addresses"))
        await cancel(world, given.request_id)
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    assert (await world.request(given.request_id)).state == RequestState.SUCCEEDED


@pytest.mark.parametrize("begun", [False, True])
async def test_a_newer_wish_takes_the_place_of_an_older_one(
    sqlite_world: World, begun: bool
) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    world.rules('step = "directory account"\ndelay = 1.0')
    given = await world.give(upn, SMALL)
    if not begun:
        newer = await world.give(upn, LARGE)
        assert (await world.request(given.request_id)).state == RequestState.SUPERSEDED
    with worker(world):
        if begun:
            await world.until(lambda: world.running_step("directory account"))
            newer = await world.give(upn, LARGE)
            while "directory account" not in {one.step for one in world.effects()}:
                # One at a time: the newer request waits until the older one's step is over.
                assert (await world.request(newer.request_id)).state == RequestState.QUEUED
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.observed_level) == (Light.GREEN, LARGE)
    assert (await world.request(given.request_id)).state == RequestState.SUPERSEDED
    assert (await world.request(newer.request_id)).state == RequestState.SUCCEEDED
    assert await world.held() == {SMALL: 0, LARGE: 1}
    created = [one.step for one in world.effects() if one.effect == "created"]
    assert created == list(EXCHANGE_STEPS)
    # The older wish got no further than the step that it was in.
    of_older = {one.step for one in world.effects() if one.generation == 1}
    assert of_older == ({"directory account"} if begun else set())
    assert not doubled(world.effect_counts())


async def test_a_reset_request_is_red_and_its_late_result_is_refused(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    world.rules('step = "addresses"\ndelay = 1.0')
    with worker(world):
        given = await world.give(upn)
        await world.until(lambda: world.running_step("addresses"))
        assert given.request_id is not None
        await requests.reset(AccountScope(world.store, world.caller, ACCOUNT), given.request_id)
        assert await world.light(given.assignment_id) == Light.RED

        async def act_is_over() -> bool:
            return "addresses" in {one.step for one in world.effects()}

        await world.until(act_is_over)
        other = await world.people("bob")
        await world.give(other[0])
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.observed_wish) == (Light.RED, Wish.ABSENT)

        await world.give(upn)
        await world.settled()
        assert await world.light(given.assignment_id) == Light.GREEN
    assert not doubled(world.effect_counts())


async def test_suspending_while_it_is_being_provisioned_ends_suspended(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    world.rules('step = "mailbox"\ndelay = 0.7')
    with worker(world):
        given = await world.give(upn)
        await world.until(lambda: world.running_step("mailbox"))
        await world.turn(upn, RequestKind.SUSPEND)
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.wish, row.observed_wish) == (
        Light.GREEN,
        Wish.SUSPENDED,
        Wish.SUSPENDED,
    )
