"""A wish, a worker, a green light: each kind of request on both databases."""

from __future__ import annotations

from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.provisioning.connectors.simulator.connector import login
from tests.provisioning.support import (
    EXCHANGE_STEPS,
    LARGE,
    PASSWORD,
    SMALL,
    World,
    doubled,
    worker,
)


async def test_every_kind_of_request_ends_with_the_light_that_it_wished(world: World) -> None:
    (upn,) = await world.people("ann")
    with worker(world):
        given = await world.give(upn, SMALL)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.word, row.observed_level) == (Light.GREEN, Word.PROVISIONED, SMALL)
        assert login(world.simulator_path, row.backend_name, PASSWORD)
        assert await world.held() == {SMALL: 1, LARGE: 0}

        await world.give(upn, LARGE)
        await world.settled()
        assert (await world.assignment(given.assignment_id)).observed_level == LARGE
        assert await world.held() == {SMALL: 0, LARGE: 1}

        await world.turn(upn, RequestKind.SUSPEND)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.observed_wish) == (Light.GREEN, Wish.SUSPENDED)
        assert not login(world.simulator_path, row.backend_name, PASSWORD)

        await world.turn(upn, RequestKind.RESUME)
        await world.settled()
        assert login(world.simulator_path, row.backend_name, PASSWORD)

        last = await world.turn(upn, RequestKind.DEPROVISION)
        await world.settled()
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.word) == (Light.GREY, Word.NOT_PROVISIONED)
        assert await world.held() == {SMALL: 0, LARGE: 0}
        assert (await world.request(last.request_id)).state == RequestState.SUCCEEDED
    assert not doubled(world.effect_counts())
    created = [one.step for one in world.effects() if one.effect == "created"]
    assert created == list(EXCHANGE_STEPS)
