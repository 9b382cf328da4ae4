"""A bulk through real workers that are killed: nothing lost, nothing twice, nobody else waits; and its undo.

`./run-tests --all` changes 160 users. All 2,000:

    MC_PROOF=10 pytest tests/provisioning/test_bulk.py
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter

import pytest
from sqlalchemy import select

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries
from mission_control_tui.model.bulk.views import BulkAction, BulkProgress
from mission_control_tui.model.history import undo
from mission_control_tui.model.services import seats
from mission_control_tui.model.states import BulkState, Light, Wish
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.provisioning.launcher import SUPPRESS
from tests.provisioning.support import ACCOUNT, EXCHANGE, LARGE, SMALL, World, doubled, worker
from tests.support import proof_factor

USERS = 200 * proof_factor() if proof_factor() > 1 else 160
SECONDS = 120.0 * proof_factor()
FAST = {"rate_per_second": 10_000.0, "concurrency": 50}


async def progress(world: World, bulk_id: int) -> BulkProgress:
    return (await queries.show(AccountScope(world.store, world.caller, ACCOUNT), bulk_id)).progress


async def reached(world: World, bulk_id: int, share: float) -> None:
    """Wait until this share of the bulk is green."""

    async def there() -> bool:
        found = await progress(world, bulk_id)
        return found.green >= share * found.total

    await world.until(there, SECONDS)


async def settled(world: World, bulk_id: int) -> BulkProgress:
    """Wait until nothing of the bulk moves."""

    async def there() -> bool:
        await asyncio.sleep(0.3)  # a look counts all of the bulk, beside a worker that is to get on
        return (await progress(world, bulk_id)).settled

    await world.until(there, SECONDS)
    return await progress(world, bulk_id)


async def begin(world: World, upns: list[str], action: BulkAction, params: ActionParams) -> int:
    outcome = await bulks.start(
        AccountScope(world.store, world.caller, ACCOUNT), upns, action, params
    )
    return outcome.result.id


async def by_another_process(world: World, upn: str) -> int:
    """Provision somebody from the command line, in a process of its own, until the light is green."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mission_control_tui", "--database", world.where),
        *("--account", ACCOUNT, "provision", upn, EXCHANGE, "--level", SMALL, "--wait", "60"),
        env={**os.environ, SUPPRESS: "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def wished(world: World, upn: str) -> None:
    """Wait until somebody has asked for this user's service."""

    async def there() -> bool:
        return upn in await world.services()

    await world.until(there, SECONDS)


async def more_seats(world: World) -> None:
    async with world.store.write(world.caller, 1) as tx:
        for level in (SMALL, LARGE):
            await seats.add(tx, 1, EXCHANGE, level, USERS)


@pytest.mark.kill
@pytest.mark.proof
@pytest.mark.timeout(300 * proof_factor())
async def test_a_level_change_of_many_with_the_worker_killed_twice(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(simulator=FAST)
    await more_seats(world)
    upns = await world.people(*(f"user{number}" for number in range(USERS)))
    guests = await world.people("guest0", "guest1", "guest2")
    with worker(world, "given"):
        given = await begin(world, upns, "provision", ActionParams(EXCHANGE, SMALL))
        assert (await settled(world, given)).green == USERS
    generations = {upn: row.generation for upn, row in (await world.services()).items()}

    world.rules("delay = 1.0")
    change = await begin(world, upns, "change", ActionParams(EXCHANGE, LARGE))
    shares = []
    asking: asyncio.Task[int] | None = None
    for number, share in enumerate((0.1, 0.4)):
        with worker(world, f"worker-{number}") as victim:
            if asking is None:
                await reached(world, change, share)
                asking = asyncio.create_task(by_another_process(world, guests[number]))
            before = await progress(world, change)
            assert await asking == 0
            after = await progress(world, change)
            assert after.left + after.orange > 0, "the interactive one waited for the bulk"
            shares.append((after.green - before.green) / USERS)
            await reached(world, change, share)
            victim.kill()
        # The next one asks while no worker runs: however long its process takes to start, the bulk is not done.
        asking = asyncio.create_task(by_another_process(world, guests[number + 1]))
        await wished(world, guests[number + 1])
    # A process starts, asks, and is served within a part of what the whole bulk takes.
    assert max(shares) < 0.6, shares
    with worker(world, "last"):
        assert asking is not None
        assert await asking == 0
        assert (await settled(world, change)).green == USERS
    shown = await queries.show(AccountScope(world.store, world.caller, ACCOUNT), change)
    assert shown.state is BulkState.DONE

    rows = await world.services()
    for upn in upns:
        row = rows[upn]
        assert (row.light, row.wish, row.level_id) == (Light.GREEN, Wish.PRESENT, LARGE)
        assert row.observed_level == LARGE
        assert row.generation == generations[upn] + 1, "one wish, once"
    async with world.store.read() as session:
        changes = Counter(
            await session.scalars(
                select(RequestRow.assignment_id).where(RequestRow.kind == "change")
            )
        )
    assert changes == {rows[upn].id: 1 for upn in upns}
    assert not doubled(world.effect_counts())
    assert await world.held() == {SMALL: len(guests), LARGE: USERS}

    undone = await undo.undo(AccountScope(world.store, world.caller, ACCOUNT), bulk=change)
    assert undone.result.bulk is not None
    with worker(world, "undoing"):
        assert (await settled(world, undone.result.bulk.id)).green == USERS
    rows = await world.services()
    assert {(rows[upn].light, rows[upn].observed_level) for upn in upns} == {(Light.GREEN, SMALL)}
    assert await world.held() == {SMALL: len(guests) + USERS, LARGE: 0}
    assert not doubled(world.effect_counts())
