"""Starting, ending and replacing the embedded worker: once, quickly, and never with a request left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.workers import live_workers, retire_if_idle
from mission_control_tui.model.states import Light, RequestState
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.processes import started_at
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.workers import WorkerRow
from mission_control_tui.provisioning.launcher import SUPPRESS, Presence, ensure_worker
from mission_control_tui.provisioning.worker_log import log_path
from mission_control_tui.settings import settings
from tests.provisioning.support import LARGE, SMALL, World, doubled, engine_files, worker


async def ensure(world: World) -> Presence:
    return await ensure_worker(world.store, settings.load())


@pytest.fixture
async def launched(sqlite_world: World) -> AsyncIterator[World]:
    """A world whose workers are ended by their process ids, whoever started them."""
    sqlite_world.configure(idle_seconds=0.2)
    yield sqlite_world
    for row in await sqlite_world.workers():
        if started_at(row.pid) == row.pid_started:
            os.kill(row.pid, signal.SIGKILL)


async def ended(world: World) -> None:
    async def all_ended() -> bool:
        return all(row.ended for row in await world.workers())

    await world.until(all_ended)


async def test_a_worker_is_started_detached_works_and_ends_when_idle(launched: World) -> None:
    (upn,) = await launched.people("ann")
    given = await launched.give(upn)
    assert await ensure(launched) is Presence.STARTED
    await launched.settled()
    (row,) = await launched.workers()
    assert os.getsid(row.pid) == row.pid
    assert await launched.light(given.assignment_id) == Light.GREEN
    await ended(launched)

    async def gone() -> bool:
        return started_at(row.pid) is None

    await launched.until(gone)
    assert engine_files(launched.store.url) == ()
    log = log_path(Path(launched.where))
    assert "ends with code 0" in log.read_text("utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_many_calls_at_once_start_one_worker(launched: World) -> None:
    launched.configure(idle_seconds=3600.0)
    (upn,) = await launched.people("ann")
    await launched.give(upn)
    found = await asyncio.gather(*(ensure(launched) for _ in range(10)))
    assert set(found) == {Presence.STARTED}
    await launched.settled()
    assert await ensure(launched) is Presence.RUNNING
    assert len(await launched.workers()) == 1
    assert log_path(Path(launched.where)).read_text("utf-8").count("begins at") == 1


@pytest.mark.proof
async def test_no_wish_falls_between_the_end_of_one_worker_and_the_next(launched: World) -> None:
    launched.configure(idle_seconds=0.0)
    (upn,) = await launched.people("ann")
    for number in range(6):
        given = await launched.give(upn, LARGE if number % 2 else SMALL)
        await ensure(launched)
        await launched.settled()
        assert await launched.light(given.assignment_id) == Light.GREEN
    await ended(launched)


async def test_whoever_queues_sees_that_the_idle_worker_has_ended_or_is_seen_by_it(
    sqlite_world: World,
) -> None:
    """The race itself, many times: an ending worker against a wish, in two orders and many interleavings."""
    world = sqlite_world
    upns = await world.people(*(f"user{number}" for number in range(40)))
    outcomes = set()
    for number, upn in enumerate(upns):
        name = f"worker-{number}"
        async with world.store.write(world.caller) as tx:
            tx.session.add(
                WorkerRow(
                    id=name,
                    host="elsewhere",
                    pid=1,
                    pid_started=0.0,
                    app_version="0.1.0",
                    started_at=0.0,
                    lease_until=await world.store.now() + 10,
                )
            )
        async with world.store.write(world.caller) as tx:
            await tx.session.execute(
                update(WorkerRow).where(WorkerRow.id != name).values(ended=True)
            )

        ahead = (number - 20) * 0.004

        async def end(name: str = name, late: float = max(0.0, ahead)) -> bool:
            await asyncio.sleep(late)
            return await retire_if_idle(world.store, name)

        async def queue(upn: str = upn, late: float = max(0.0, -ahead)) -> bool:
            await asyncio.sleep(late)
            await world.give(upn)
            return bool(await live_workers(world.store, 10.0))

        has_ended, sees_worker = await asyncio.gather(end(), queue())
        assert not (has_ended and sees_worker), "nobody would do it"
        outcomes.add(has_ended)
        async with world.store.write(world.caller) as tx:
            await tx.session.execute(update(RequestRow).values(state=RequestState.CANCELLED))
    assert outcomes == {True, False}


async def test_a_second_worker_is_refused_while_the_first_lives(sqlite_world: World) -> None:
    with worker(sqlite_world, "first") as first:

        async def there() -> bool:
            return bool(await live_workers(sqlite_world.store, 2.0))

        await sqlite_world.until(there)
        with worker(sqlite_world, "second") as second:
            assert second.wait() == Conflict.exit_code
        assert "runs already" in second.log.read_text("utf-8")
        assert first.alive


@pytest.mark.proof
async def test_a_killed_worker_is_replaced_at_once(launched: World) -> None:
    launched.configure(lease_seconds=600.0, idle_seconds=3600.0)
    launched.rules('step = "mailbox"\ndelay = 1.0')
    (upn,) = await launched.people("ann")
    given = await launched.give(upn)
    await ensure(launched)
    await launched.until(lambda: launched.running_step("mailbox"))
    (row,) = await launched.workers()
    os.kill(row.pid, signal.SIGKILL)

    async def replaced() -> bool:
        return await ensure(launched) is Presence.STARTED

    await launched.until(replaced)
    await launched.settled()
    assert await launched.light(given.assignment_id) == Light.GREEN
    assert not doubled(launched.effect_counts())


async def test_a_newer_program_drains_an_older_worker(launched: World) -> None:
    launched.configure(idle_seconds=3600.0)
    launched.rules('step = "mailbox"\ndelay = 1.0')
    ann, bob = await launched.people("ann", "bob")
    with worker(launched, "older") as older:
        given = await launched.give(ann)
        await launched.until(lambda: launched.running_step("mailbox"))
        async with launched.store.write(launched.caller) as tx:
            await tx.session.execute(update(WorkerRow).values(app_version="0.0.1"))
        assert await ensure(launched) is Presence.STARTED

        async def asked() -> bool:
            return (await launched.workers())[0].draining

        await launched.until(asked)
        other = await launched.give(bob)
        assert older.wait() == 0
        await launched.settled()
    first, second = await launched.workers()
    assert (first.draining, first.ended, second.ended) == (True, True, False)
    assert await launched.light(given.assignment_id) == Light.GREEN
    assert await launched.light(other.assignment_id) == Light.GREEN
    assert (await launched.request(given.request_id)).worker_id == first.id
    assert (await launched.request(other.request_id)).worker_id == second.id


async def test_told_to_stop_and_held_up_it_ends_all_the_same_and_says_so(world: World) -> None:
    world.rules('step = "directory account"\ndelay = 30')
    (upn,) = await world.people("ann")
    with worker(world, module="tests.provisioning.held_worker") as held_up:
        await world.give(upn)
        await world.until(lambda: world.running_step("directory account"))
        held_up.terminate()
        assert held_up.wait() == 0
    said = held_up.log.read_text("utf-8")
    assert "the worker is held up and ends in the middle of it" in said
    assert "in _held" in said, "it shows where"


@pytest.mark.any_database
async def test_told_to_stop_it_ends_the_step_and_gives_the_request_back(world: World) -> None:
    world.rules('step = "directory account"\ndelay = 0.8')
    (upn,) = await world.people("ann")
    with worker(world) as stopped:
        given = await world.give(upn)
        await world.until(lambda: world.running_step("directory account"))
        stopped.terminate()
        assert stopped.wait() == 0
    request = await world.request(given.request_id)
    assert (request.state, request.worker_id, request.failures) == (RequestState.QUEUED, "", 0)
    assert {one.step for one in world.effects()} == {"directory account"}
    assert all(row.ended for row in await world.workers())
    world.rules()
    with worker(world, "next"):
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    assert not doubled(world.effect_counts())


async def test_no_worker_is_started_where_it_is_suppressed(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SUPPRESS, "1")
    assert await ensure(sqlite_world) is Presence.SUPPRESSED
    assert await sqlite_world.workers() == []


async def test_on_postgresql_nobody_is_started_and_a_missing_worker_is_said(
    postgres_world: World,
) -> None:
    assert await ensure(postgres_world) is Presence.ABSENT
    with worker(postgres_world):

        async def there() -> bool:
            return await ensure(postgres_world) is Presence.RUNNING

        await postgres_world.until(there)


@pytest.mark.proof
@pytest.mark.kill
async def test_the_engine_keeps_nothing_of_what_has_ended(postgres_world: World) -> None:
    world = postgres_world
    world.rules('step = "mailbox"\ndelay = 1.0')
    (upn,) = await world.people("ann")

    async def kept() -> tuple[int, int]:
        async with world.store.read() as session:
            jobs = await session.scalar(
                text(f"SELECT count(*) FROM {ENGINE_SCHEMA}.procrastinate_jobs")
            )
            return int(jobs or 0), len(await engine_jobs.processes(session))

    with worker(world, "killed") as killed:
        given = await world.give(upn)
        await world.until(lambda: world.running_step("mailbox"))
        killed.kill()
        assert await kept() == (1, 1)
    with worker(world, "next") as successor:
        await world.settled()

        async def only_its_own() -> bool:
            return await kept() == (0, 1)

        await world.until(only_its_own)
        await world.give(upn, LARGE)
        await world.settled()
        successor.terminate()
        assert successor.wait() == 0
    assert await kept() == (0, 0)
    assert await world.light(given.assignment_id) == Light.GREEN


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("launcher", marks=pytest.mark.proof),
        pytest.param("worker", marks=pytest.mark.proof),
        "worker_main",
    ],
)
def test_starting_a_worker_imports_no_engine(module: str) -> None:
    code = (
        f"import sys, mission_control_tui.provisioning.{module};"
        "print(sorted({'procrastinate', 'textual', 'psycopg', 'alembic'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_the_engine_leaves_its_own_drivers_alone() -> None:
    code = (
        "import sys, mission_control_tui.provisioning.procrastinate_engine;"
        "print(sorted({'procrastinate', 'psycopg', 'psycopg_pool'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "['procrastinate']"
