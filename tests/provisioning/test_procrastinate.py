"""The engine of workers on PostgreSQL: its tables may go, its workers too, and nobody's work is lost or done twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from procrastinate.jobs import Status
from sqlalchemy import delete, insert, make_url, select, text, update

from mission_control_tui.model.requests.attempts import RunLost
from mission_control_tui.model.requests.claims import Slots
from mission_control_tui.model.requests.outcomes import Observation, succeed
from mission_control_tui.model.requests.releases import (
    Job,
    begin,
    give_back_jobs,
    release,
    return_work,
)
from mission_control_tui.model.requests.run_batch import RunWrite, write
from mission_control_tui.model.requests.workers import Identity, LeaseLost, live_workers
from mission_control_tui.model.states import Light, RequestState, Wish
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.epochs import raise_above
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.workers import WorkerRow
from mission_control_tui.provisioning.procrastinate_engine import ProcrastinateEngine
from mission_control_tui.provisioning.rate_limits import RateLimits
from mission_control_tui.settings.settings import ConnectorSettings, WorkerSettings
from tests.provisioning.connectors.proxy import LosingProxy, losing_proxy
from tests.provisioning.support import LARGE, SMALL, WorkerProcess, World, doubled, worker

MANY = Slots(100, 100)
GREEN = succeed(Observation(Wish.PRESENT, SMALL))


async def nothing(_: object) -> None:
    """Run a request that asks for nothing."""


@asynccontextmanager
async def engine(world: World) -> AsyncIterator[ProcrastinateEngine]:
    """An engine in this process, which has made its tables and takes nothing."""
    made = ProcrastinateEngine(
        world.store, Identity.of_this_process("1.0.0"), WorkerSettings(), nothing
    )
    await made._make()
    yield made
    await made.close()


def limits(concurrency: int = 100) -> RateLimits:
    settings = ConnectorSettings("simulator", concurrency=concurrency, rate_per_second=1000.0)
    return RateLimits(WorkerSettings(), lambda _: settings)


@retries_on_conflict
async def run_sql(world: World, statement: str) -> None:
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(text(statement))


async def jobs(world: World) -> list[tuple[str, str]]:
    """Queue and key of every job, in the order in which they are taken."""
    asked = f"""
        SELECT queue_name, queueing_lock FROM {ENGINE_SCHEMA}.procrastinate_jobs
        ORDER BY priority DESC, id
    """
    async with world.store.read() as session:
        return [tuple(row) for row in await session.execute(text(asked))]


async def test_what_may_start_gets_one_job_within_the_limits_of_all_workers(
    postgres_world: World,
) -> None:
    world = postgres_world
    upns = await world.people(*(f"user{number}" for number in range(6)))
    await world.bulk_wish(upns[1:])
    given = await world.give(upns[0])
    async with engine(world):
        assert await release(world.store, MANY, limits(3)) == ("simulator",) * 3
        assert await release(world.store, MANY, limits(3)) == ()
        found = await jobs(world)
        assert found[0] == ("interactive", f"{given.request_id}-1")
        assert [queue for queue, _ in found] == ["interactive", "bulk", "bulk"]
        # What waits for a worker is counted among the slots that are free.
        assert await release(world.store, Slots(4, 1), limits()) == ()
        assert len(await release(world.store, Slots(8, 4), limits())) == 2
        assert len(await release(world.store, MANY, limits())) == 1


async def test_a_job_begins_once_and_for_no_other_attempt(postgres_world: World) -> None:
    world = postgres_world
    (upn,) = await world.people("ann")
    request = (await world.give(upn)).request_id
    assert request is not None
    async with engine(world):
        assert await begin(world.store, [Job(request, 2), Job(request + 9, 1)]) == [None, None]
        (begun,) = await begin(world.store, [Job(request, 1)])
        assert begun is not None
        assert await begin(world.store, [Job(request, 1)]) == [None]
        # It runs and has no job: whoever began it is gone.
        assert await return_work(world.store, ()) == (request,)
        assert await give_back_jobs(world.store, [Job(request, 1)], "again") == ()
        assert len(await release(world.store, MANY, limits())) == 1
        assert await jobs(world) == [("interactive", f"{request}-2")]


async def test_a_run_from_before_a_restore_says_nothing_of_its_namesake(
    postgres_world: World,
) -> None:
    world = postgres_world
    (upn,) = await world.people("ann")
    request = (await world.give(upn)).request_id
    assert request is not None
    async with engine(world):
        (before,) = await begin(world.store, [Job(request, 1)])
        assert before is not None
        async with world.store.write(world.caller) as tx:
            await raise_above(tx, 1, "restored")
            await tx.session.execute(delete(RequestStepRow))
            await tx.session.execute(
                update(RequestRow).values(state=RequestState.QUEUED, attempt=0, worker_id="")
            )
        (after,) = await begin(world.store, [Job(request, 1)])
        assert after is not None
        ends = [RunWrite(run, None, GREEN) for run in (before.run, after.run)]
        lost, counted = await write(world.store, ends)
        assert isinstance(lost, RunLost)
        assert counted is None


@pytest.mark.proof
@pytest.mark.kill
async def test_tables_that_are_dropped_are_made_anew_and_nothing_loops(
    postgres_world: World,
) -> None:
    world = postgres_world
    world.configure(lease_seconds=1.0)
    world.rules('step = "mailbox"\ndelay = 1.0')
    upns = await world.people("ann", "bob", "cem")
    with worker(world) as steady:
        given = [await world.give(upn) for upn in upns]
        await world.until(lambda: world.running_step("mailbox"))
        await run_sql(world, f"DROP SCHEMA {ENGINE_SCHEMA} CASCADE")
        await world.settled()
        (late,) = await world.people("dan")
        given.append(await world.give(late))
        await world.settled()
        assert steady.alive
    for one in given:
        assert await world.light(one.assignment_id) == Light.GREEN
        assert (await world.request(one.request_id)).attempt <= 3
    assert not doubled(world.effect_counts())


@pytest.mark.proof
@pytest.mark.kill
async def test_without_the_right_to_make_its_tables_it_waits_and_then_goes_on(
    postgres_world: World,
) -> None:
    world = postgres_world
    world.configure(lease_seconds=1.0)
    (upn,) = await world.people("ann")
    with worker(world) as steady:
        await world.give(upn)
        await world.settled()
        taken = f"CREATE TABLE {ENGINE_SCHEMA}.mine(); ALTER SCHEMA {ENGINE_SCHEMA} RENAME TO aside"
        for statement in taken.split(";"):
            await run_sql(world, statement)
        await run_sql(
            world,
            "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'no'; END $$",
        )
        await run_sql(
            world,
            "CREATE EVENT TRIGGER no ON ddl_command_start"
            " WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION no()",
        )
        given = await world.give(upn, LARGE)
        await asyncio.sleep(3.0)
        assert (await world.request(given.request_id)).attempt == 0
        async with world.store.read() as session:
            events = await session.scalars(
                select(RequestEventRow.id).where(RequestEventRow.request_id == given.request_id)
            )
            assert len(events.all()) == 1
        await run_sql(world, "DROP EVENT TRIGGER no")
        await world.settled()
        assert steady.alive
    assert (await world.request(given.request_id)).attempt == 1


@pytest.mark.kill
async def test_a_job_whose_answer_was_lost_comes_again(postgres_world: World) -> None:
    world = postgres_world
    world.configure(lease_seconds=1.0)
    (upn,) = await world.people("ann")
    with worker(world) as steady:
        await world.until(lambda: is_at_work(world, steady))
        given = await world.give(upn)
        await world.settled()
        later = await world.give(upn, LARGE)
        await world.settled()
        # As the engine has it when it gave a job to a worker that never heard of it.
        async with world.store.write(world.caller) as tx:
            await tx.session.execute(
                update(RequestRow)
                .where(RequestRow.id == later.request_id)
                .values(state=RequestState.QUEUED, attempt=1)
            )
            await tx.session.execute(
                text(
                    f"INSERT INTO {ENGINE_SCHEMA}.procrastinate_jobs"
                    "(queue_name, task_name, queueing_lock, args, status, worker_id)"
                    f" SELECT 'interactive', 'run', '{later.request_id}-2',"
                    f" '{{\"request\": {later.request_id}, \"attempt\": 2}}', 'doing', min(id)"
                    f" FROM {ENGINE_SCHEMA}.procrastinate_workers"
                )
            )
        await world.settled()
    assert (await world.request(later.request_id)).attempt == 2
    assert await world.light(given.assignment_id) == Light.GREEN


async def is_at_work(world: World, one: WorkerProcess) -> bool:
    return one.pid in await world.working()


async def test_who_lives_is_what_the_engine_hears_whatever_the_clock_did(
    postgres_world: World,
) -> None:
    world = postgres_world
    async with engine(world) as first:
        await first.start()
        assert [one.pid for one in await live_workers(world.store, 15.0)] == [os.getpid()]
        heartbeats = f"UPDATE {ENGINE_SCHEMA}.procrastinate_workers SET last_heartbeat = now()"
        for moved in ("- interval '16 s'", "- interval '1 day'", "+ interval '1 day'"):
            await run_sql(world, f"{heartbeats} {moved}")
            assert await live_workers(world.store, 15.0) == ()
        # The clock was moved back: from now on it is silent.
        await first.take_over()
        assert len(await live_workers(world.store, 15.0)) == 1
        await run_sql(world, f"{heartbeats} - interval '16 s'")
        async with engine(world) as second:
            await second.start()
            with pytest.raises(LeaseLost):
                await first.beat()
            await second.beat()


@pytest.mark.proof
@pytest.mark.kill
async def test_workers_of_another_engine_drain_and_what_they_left_gets_jobs(
    postgres_world: World,
) -> None:
    world = postgres_world
    world.configure(lease_seconds=3.0)
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    me = Identity.of_this_process("0.0.1")
    now = await world.store.now()
    lease = now + 50.0
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(text("CREATE SCHEMA dbos"))
        await tx.session.execute(
            insert(WorkerRow).values(
                id=me.id,
                host=me.host,
                pid=me.pid,
                pid_started=me.pid_started,
                app_version=me.app_version,
                started_at=lease,
                lease_until=lease,
            )
        )
        await tx.session.execute(
            update(RequestRow).values(state=RequestState.RUNNING, attempt=1, worker_id=me.id)
        )
    with worker(world) as newer:

        async def asked_to_drain() -> bool:
            return [row.draining for row in await world.workers()] == [True]

        await world.until(asked_to_drain)
        assert (await world.request(given.request_id)).worker_id == me.id
        # Its lease runs out once the newer one is seen to wait, however long that took to come up.
        async with world.store.write(world.caller) as tx:
            await tx.session.execute(update(WorkerRow).values(lease_until=now))
        await world.settled()
        assert newer.alive
    request = await world.request(given.request_id)
    assert (request.state, request.attempt) == (RequestState.SUCCEEDED, 2)
    assert await world.workers() == []
    async with world.store.read() as session:
        kept = await session.scalar(text("SELECT to_regnamespace('dbos') IS NOT NULL"))
    assert kept, "it may be another program's"


async def test_workers_of_two_versions_do_not_drop_each_others_tables(
    postgres_world: World,
) -> None:
    async with engine(postgres_world) as older:
        await run_sql(postgres_world, f"COMMENT ON SCHEMA {ENGINE_SCHEMA} IS '10'")
        with pytest.raises(asyncpg.PostgresError, match="a newer Mission Control"):
            await older._make()
        assert await jobs(postgres_world) == []
        await run_sql(postgres_world, f"COMMENT ON SCHEMA {ENGINE_SCHEMA} IS 'somebody''s words'")
        await older._make()
        found = f"SELECT obj_description('{ENGINE_SCHEMA}'::regnamespace, 'pg_namespace')"
        async with postgres_world.store.read() as session:
            assert await session.scalar(text(found)) == "1"


async def test_jobs_of_tables_made_anew_are_not_ended_as_those_before(
    postgres_world: World,
) -> None:
    world = postgres_world
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    async with engine(world) as made:
        worker_id = await made._manager.register_worker()
        await release(world.store, MANY, limits())
        before = await made._manager.fetch_job(None, worker_id)
        assert before is not None
        await run_sql(world, f"DROP SCHEMA {ENGINE_SCHEMA} CASCADE")
        await made._make()
        await release(world.store, MANY, limits())
        await made._manager.finish_job(before, Status.SUCCEEDED, delete_job=True)
        await made._manager.ended()
        assert [key for _, key in await jobs(world)] == [f"{given.request_id}-1"]


async def test_every_silence_of_the_database_is_told_as_one(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(postgres_world) as made:
        for error in (asyncpg.InterfaceError("closed"), OSError("no route"), TimeoutError()):

            async def silent(*_: object, error: Exception = error) -> list[dict[str, object]]:
                raise error

            monkeypatch.setattr(made._line, "ask", silent)
            with pytest.raises(ConnectionError):
                await made.beat()


@asynccontextmanager
async def behind_a_proxy(world: World) -> AsyncIterator[LosingProxy]:
    """The world's workers reach the database through a proxy."""
    direct = make_url(world.where)
    async with losing_proxy(direct.port or 0, b"") as proxy:
        world.where = direct.set(port=proxy.port).render_as_string(hide_password=False)
        yield proxy


async def ended(one: WorkerProcess, seconds: float) -> int:
    return await asyncio.to_thread(one.wait, seconds)


@pytest.mark.proof
@pytest.mark.kill
@pytest.mark.parametrize("told", [False, True], ids=["by itself", "when told"])
async def test_a_worker_in_a_black_hole_ends(postgres_world: World, told: bool) -> None:
    world = postgres_world
    world.configure(lease_seconds=3.0 if not told else 600.0)
    world.rules('step = "mailbox"\ndelay = 1.0')
    upns = await world.people("ann", "bob", "cem")
    async with behind_a_proxy(world) as proxy:
        with worker(world, "cut off") as cut_off:
            await world.until(lambda: is_at_work(world, cut_off))
            given = [await world.give(upn) for upn in upns]
            await world.until(lambda: world.running_step("mailbox"))
            proxy.dark = True
            proxy.swallow()
            if told:
                cut_off.terminate()
            assert await ended(cut_off, 120.0) == (0 if told else LeaseLost.exit_code)
            said = cut_off.log.read_text("utf-8")
            assert "ends with code" in said or "held up" in said, "it says how it ended"
        proxy.dark = False
        with worker(world, "next"):
            await world.settled()
    for one in given:
        assert await world.light(one.assignment_id) == Light.GREEN
    assert not doubled(world.effect_counts())
