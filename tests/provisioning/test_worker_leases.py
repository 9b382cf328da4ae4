"""Who holds an embedded worker's lease, by the database's clock and by what this machine knows of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.requests.attempts import Run, RunLost
from mission_control_tui.model.requests.outcomes import Observation, succeed
from mission_control_tui.model.requests.run_batch import write_one
from mission_control_tui.model.requests.workers import (
    Identity,
    LeaseLost,
    LeaseResult,
    acquire,
    beat,
    is_older,
    live_workers,
    retire,
)
from mission_control_tui.model.states import RequestState, Wish
from mission_control_tui.model.store.processes import is_alive, started_at
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.workers import WorkerRow
from tests.provisioning.support import World

LEASE = 15.0


def identity(**changes: object) -> Identity:
    return replace(Identity.of_this_process("1.0.0"), **changes)  # type: ignore[arg-type]


async def lease_until(world: World, worker: Identity, offset: float) -> None:
    """Let the lease end so many seconds from now."""
    now = await world.store.now()
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(
            update(WorkerRow).where(WorkerRow.id == worker.id).values(lease_until=now + offset)
        )


async def test_on_sqlite_one_worker_at_a_time(sqlite_world: World) -> None:
    store = sqlite_world.store
    first, second = identity(), identity()
    assert await acquire(store, first, LEASE) == LeaseResult()
    refused = await acquire(store, second, LEASE)
    assert refused.holder is not None
    assert refused.holder.id == first.id
    await retire(store, first.id)
    assert (await acquire(store, second, LEASE)).holder is None


@pytest.mark.parametrize(
    "offset",
    [-0.001, -86_400.0, 86_400.0],
    ids=["just run out", "clock moved forward", "clock moved back"],
)
async def test_a_lease_that_ran_out_is_taken_over_whatever_the_clock_did(
    sqlite_world: World, offset: float
) -> None:
    store = sqlite_world.store
    first, second = identity(), identity()
    await acquire(store, first, LEASE)
    await lease_until(sqlite_world, first, offset)
    assert await live_workers(store, LEASE) == ()
    got = await acquire(store, second, LEASE)
    assert got.holder is None
    assert got.dead == (first.id,)
    with pytest.raises(LeaseLost):
        await beat(store, first.id, LEASE)
    await beat(store, second.id, LEASE)


async def test_a_dead_process_holds_no_lease_however_fresh(sqlite_world: World) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    started = started_at(gone.pid) or 0.0
    gone.wait()
    store = sqlite_world.store
    dead = identity(pid=gone.pid, pid_started=started)
    await acquire(store, dead, 600.0)
    other_machine = identity(host="elsewhere", pid=gone.pid, pid_started=started)
    assert (await acquire(store, identity(), 600.0)).dead == (dead.id,)
    await retire(store, (await live_workers(store, 600.0))[0].id)
    await acquire(store, other_machine, 600.0)
    assert [one.id for one in await live_workers(store, 600.0)] == [other_machine.id]


async def test_what_a_buried_worker_ran_goes_back_and_its_writes_are_refused(
    sqlite_world: World,
) -> None:
    store = sqlite_world.store
    (upn,) = await sqlite_world.people("ann")
    given = await sqlite_world.give(upn)
    assert given.request_id is not None
    dead = identity()
    await acquire(store, dead, LEASE)
    async with store.write(sqlite_world.caller) as tx:
        await tx.session.execute(
            update(RequestRow).values(state=RequestState.RUNNING, attempt=1, worker_id=dead.id)
        )
    assert (await acquire(store, identity(), LEASE)).requests == ()
    await lease_until(sqlite_world, dead, -1.0)
    buried = await acquire(store, identity(), LEASE)
    assert (buried.dead, buried.requests) == ((dead.id,), (given.request_id,))
    request = await sqlite_world.request(given.request_id)
    assert (request.state, request.worker_id) == (RequestState.QUEUED, "")
    old = Run(given.request_id, 1, dead.id)
    with pytest.raises(RunLost):
        await write_one(store, old, None, succeed(Observation(Wish.PRESENT, "popx")))
    # The next attempt of another worker refuses the old one, too.
    async with store.write(sqlite_world.caller) as tx:
        await tx.session.execute(
            update(RequestRow).values(state=RequestState.RUNNING, attempt=2, worker_id="other")
        )
    for stale in (old, Run(given.request_id, 1, "other"), Run(given.request_id, 2, dead.id)):
        with pytest.raises(RunLost):
            await write_one(store, stale, None, succeed(Observation(Wish.PRESENT, "popx")))


async def test_a_request_of_a_worker_that_nobody_knows_is_not_stranded(sqlite_world: World) -> None:
    (upn,) = await sqlite_world.people("ann")
    await sqlite_world.give(upn)
    async with sqlite_world.store.write(sqlite_world.caller) as tx:
        await tx.session.execute(
            update(RequestRow).values(state=RequestState.RUNNING, attempt=1, worker_id="unknown")
        )
    await acquire(sqlite_world.store, identity(), LEASE)
    async with sqlite_world.store.read() as session:
        assert await session.scalar(select(RequestRow.state)) == RequestState.QUEUED


def test_processes_are_told_apart_by_number_and_start() -> None:
    mine = started_at(os.getpid())
    assert mine is not None
    host = identity().host
    assert is_alive(host, os.getpid(), mine)
    assert not is_alive(host, os.getpid(), mine + 1)
    assert is_alive("elsewhere", os.getpid(), mine + 1)
    assert started_at(-1) is None


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None
    child.wait()


def test_versions_are_compared_by_number() -> None:
    assert is_older("0.9.0", "0.10.0")
    assert not is_older("0.10.0", "0.9.9")
    assert not is_older("1.0.0", "1.0.0")
