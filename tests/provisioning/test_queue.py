"""Order and limits: dependencies, interactive before bulk, one at a time for each service, connector limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.attempts import Run
from mission_control_tui.model.requests.outcomes import Observation, succeed
from mission_control_tui.model.requests.run_batch import write_one
from mission_control_tui.model.services.subjects import domain_subject
from mission_control_tui.model.states import Light, RequestState, Wish, Word
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.provisioning import give_bought
from tests.provisioning.support import ACCOUNT, DOMAIN, World, worker

REGISTRATION = "domain-registration"


async def buy_domain(world: World, catalogue: Catalogue) -> int | None:
    """Have the account's domain registered, as buying it does; returns the request."""
    async with world.store.write(world.caller) as tx:
        account = await account_row(tx.session, world.caller, ACCOUNT)
        domain = (await tx.session.scalars(select(DomainRow).where(DomainRow.name == DOMAIN))).one()
        domain.bought = True
        subject = domain_subject(domain)
        given = await give_bought(tx, account, catalogue, subject, REGISTRATION)
    return given.request_id


@pytest.mark.any_database
async def test_a_service_waits_for_what_it_requires_and_goes_on_when_that_is_mended(
    world: World, catalogue: Catalogue
) -> None:
    world.rules(
        f'service = "{REGISTRATION}"\nfail = "denied"\nfail_times = 1\nsaid = "Refused"\ndelay = 0.5'
    )
    (upn,) = await world.people("ann")
    registration = await buy_domain(world, catalogue)
    given = await world.give(upn)
    assert (await world.request(given.request_id)).state == RequestState.WAITING
    with worker(world):

        async def waits_for(words: str) -> bool:
            request = await world.request(given.request_id)
            row = await world.assignment(given.assignment_id)
            return words in request.waiting_for and words in row.step and row.word == Word.WAITING

        await world.until(lambda: waits_for("Refused"))
        assert "failed" in (await world.assignment(given.assignment_id)).step
        assert await world.light(given.assignment_id) == Light.ORANGE
        assert registration is not None
        await requests.retry(AccountScope(world.store, world.caller, ACCOUNT), registration)
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    order = [one.service for one in world.effects()]
    assert order[0] == REGISTRATION


async def test_what_waits_is_queued_by_the_commit_that_ends_its_waiting(
    world: World, catalogue: Catalogue
) -> None:
    (upn,) = await world.people("ann")
    registration = await buy_domain(world, catalogue)
    given = await world.give(upn)
    assert registration is not None
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.id == registration)
            .values(state=RequestState.RUNNING, attempt=1, worker_id="this test")
        )
    run = Run(registration, 1, "this test")
    await write_one(world.store, run, None, succeed(Observation(Wish.PRESENT)))
    assert (await world.request(given.request_id)).state == RequestState.QUEUED
    assert (await world.assignment(given.assignment_id)).word == Word.QUEUED


async def test_interactive_requests_do_not_wait_behind_bulk(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(simulator={"rate_per_second": 1000.0}, slots=6, interactive_slots=2)
    world.rules("delay = 0.05")
    bulk = await world.people(*(f"bulk{number}" for number in range(150)))
    people = await world.people("ann", "bob", "cem")
    await world.bulk_wish(bulk)
    with worker(world):

        async def begun() -> bool:
            return len(world.effects()) > 5

        await world.until(begun)
        begin = (await world.lights())[Light.GREEN]
        for upn in people:
            given = await world.give(upn)

            async def green(assignment_id: str = given.assignment_id) -> bool:
                return await world.light(assignment_id) == Light.GREEN

            await world.until(green)
        done = (await world.lights())[Light.GREEN] - begin
        # Each took about as long as one bulk request, of which four ran beside it.
        assert done < 60
        assert await world.active() > 75


@pytest.mark.proof
async def test_bulk_never_gets_the_interactive_slots(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(simulator={"concurrency": 50}, slots=6, interactive_slots=2)
    world.rules('call = "observe"\ndelay = 0.5')
    bulk = await world.people(*(f"bulk{number}" for number in range(12)))
    await world.bulk_wish(bulk)
    most = 0
    with worker(world):
        while await world.active():
            most = max(most, await running(world))
            await asyncio.sleep(0.03)
    assert most == 4


async def running(world: World) -> int:
    async with world.store.read() as session:
        rows = await session.scalars(
            select(RequestRow.id).where(RequestRow.state == RequestState.RUNNING)
        )
        return len(rows.all())


@pytest.mark.any_database
async def test_concurrency_and_rate_of_a_connector_hold(world: World) -> None:
    world.configure(simulator={"concurrency": 3, "rate_per_second": 4.0})
    upns = await world.people(*(f"user{number}" for number in range(9)))
    for upn in upns:
        await world.give(upn)
    most = 0
    with worker(world):
        while await world.active():
            most = max(most, await running(world))
            await asyncio.sleep(0.01)
    assert 0 < most <= 3
    async with world.store.read() as session:
        starts = sorted(
            await session.scalars(
                select(RequestStepRow.started_at).where(RequestStepRow.number == 1)
            )
        )
    assert len(starts) == 9
    # Four in any window of a second, give or take the time between claim and first step.
    slack = timedelta(seconds=0.7)
    for first, fifth in zip(starts, starts[4:], strict=False):
        assert fifth - first > timedelta(seconds=1) - slack


async def at_work_now(world: World) -> set[int]:
    """The processes that the engine has given a job to."""
    asked = f"""
        SELECT DISTINCT pid FROM {ENGINE_SCHEMA}.worker_processes
        JOIN {ENGINE_SCHEMA}.procrastinate_jobs USING (worker_id) WHERE status = 'doing'
    """
    async with world.store.read() as session:
        return set(await session.scalars(text(asked)))


@pytest.mark.proof
async def test_two_workers_share_the_queue_and_no_service_is_run_twice_at_once(
    postgres_world: World,
) -> None:
    world = postgres_world
    upns = await world.people(*(f"user{number}" for number in range(20)))
    at_work: set[int] = set()
    world.rules("delay = 0.05")
    # A busy machine must not let one take over from the other, nor one that is quick have room for all.
    world.configure(lease_seconds=60.0, slots=2, interactive_slots=1)
    with worker(world, "one") as one, worker(world, "two") as two:

        async def both() -> bool:
            return len(await world.working()) == 2

        await world.until(both)
        for upn in upns:
            await world.give(upn, "popx")
        for upn in upns:
            await world.give(upn, "pc-web")
        while await world.active():
            at_work |= await at_work_now(world)
            await asyncio.sleep(0.02)
        assert one.alive
        assert two.alive
    assert at_work == {one.pid, two.pid}
    async with world.store.read() as session:
        rows = (await session.scalars(select(AssignmentRow))).all()
    assert {(row.light, row.observed_level) for row in rows} == {(Light.GREEN, "pc-web")}
    created = [(one.key, one.step) for one in world.effects() if one.effect == "created"]
    assert len(created) == len(set(created)) == 3 * len(upns)


async def test_a_clock_that_was_moved_back_does_not_strand_a_retry(sqlite_world: World) -> None:
    world = sqlite_world
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    async with world.store.write(world.caller) as tx:
        request = (await tx.session.scalars(select(RequestRow))).one()
        request.next_try_at = (datetime.now(UTC) + timedelta(days=1)).timestamp()
    with worker(world):
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
