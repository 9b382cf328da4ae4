"""A back end that is away or asks for patience: what it would do waits, is no failed try, and goes on by itself."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.states import ErrorKind, Light, RequestState, Word
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.provisioning.rate_limits import pause_delay
from mission_control_tui.settings.settings import WorkerSettings
from tests.provisioning.support import World, worker


async def state(world: World) -> ConnectorStateRow | None:
    async with world.store.read() as session:
        return await session.scalar(select(ConnectorStateRow))


@pytest.mark.any_database
async def test_an_outage_is_orange_however_long_and_then_green_by_itself(world: World) -> None:
    world.configure(retry_limit=2)
    world.rules(
        'call = "observe"\nfail = "unreachable"\nfail_times = 1\nsaid = "mail1 is away"',
        'call = "check"\nfail = "unreachable"\nfail_times = 8\nsaid = "mail1 is away"',
    )
    ann, bob = await world.people("ann", "bob")
    with worker(world):
        given = [await world.give(ann), await world.give(bob)]

        async def waits() -> bool:
            found = await state(world)
            return found is not None and found.paused and found.failed_checks > 3

        await world.until(waits)
        rows = [await world.assignment(one.assignment_id) for one in given]
        assert {(row.light, row.word) for row in rows} == {(Light.ORANGE, Word.WAITING)}
        assert {row.step for row in rows} == {"Waits for connector simulator: mail1 is away"}
        await world.settled()
    for one in given:
        assert await world.light(one.assignment_id) == Light.GREEN
        assert (await world.request(one.request_id)).failures == 0


async def test_a_request_that_fails_while_the_back_end_answers_turns_red(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.configure(retry_limit=3)
    world.rules('step = "mailbox"\nupn = "ann@*"\nfail = "unreachable"\nsaid = "Hangs"')
    ann, bob = await world.people("ann", "bob")
    with worker(world):
        bad, good = await world.give(ann), await world.give(bob)
        await world.settled()
    row = await world.assignment(bad.assignment_id)
    assert (row.light, row.error_kind, row.error_said) == (Light.RED, "unreachable", "Hangs")
    assert (await world.request(bad.request_id)).failures == 3
    assert await world.light(good.assignment_id) == Light.GREEN


async def test_a_back_end_that_asks_for_patience_never_turns_red(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(retry_limit=2)
    world.rules('step = "mailbox"\nfail = "throttled"\nfail_times = 6\nretry_after = 0.01')
    (ann,) = await world.people("ann")
    with worker(world):
        given = await world.give(ann)
        await world.settled()
    request = await world.request(given.request_id)
    assert (request.state, request.failures) == (RequestState.SUCCEEDED, 0)
    events = [event.kind for event in await world.events(given.request_id)]
    assert events.count("waits") == 6


def test_waits_grow_with_jitter_and_keep_what_the_back_end_asked_for() -> None:
    settings, rng = WorkerSettings(), random.Random(1)

    def waits(kind: ErrorKind, asked: float | None = None) -> list[float]:
        return [pause_delay(kind, asked, settings, rng, times) for times in range(12)]

    grown = waits(ErrorKind.UNREACHABLE)
    assert 0.5 <= grown[0] <= 1.0
    assert 15.0 < grown[-1] <= 60.0
    assert len(set(grown[-4:])) == 4
    assert all(90.0 < wait <= 150.0 for wait in waits(ErrorKind.THROTTLED, 90.0))
    assert set(waits(ErrorKind.AUTH)) == {15.0}


async def test_where_a_back_end_compares_nothing_one_act_at_a_time(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(simulator={"fence": "advisory"})
    world.rules('step = "mailbox"\ndelay = 0.5')
    (ann,) = await world.people("ann")
    given = await world.give(ann)
    until = await world.store.now() + 1.0
    async with world.store.write(world.caller) as tx:
        # A worker that was lost in the middle of an act left this.
        await tx.session.execute(update(AssignmentRow).values(acting_until=until))
    with worker(world):

        async def acts() -> bool:
            return await world.running_step("mailbox")

        await world.until(acts)
        assert await world.store.now() >= until
        assert (await world.assignment(given.assignment_id)).acting_until > until
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.acting_until) == (Light.GREEN, 0.0)
