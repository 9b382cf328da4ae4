"""A queue of many thousands costs each look and each start no more than a short one."""

from __future__ import annotations

import time

from sqlalchemy import text

from mission_control_tui.model.requests.claims import Slots, look
from mission_control_tui.model.requests.releases import release
from mission_control_tui.model.requests.workers import Identity
from mission_control_tui.provisioning.procrastinate_engine import ProcrastinateEngine
from mission_control_tui.provisioning.rate_limits import RateLimits
from mission_control_tui.settings.settings import ConnectorSettings, WorkerSettings
from tests.provisioning.support import SMALL, World

SHORT, LONG, TRIES = 20, 6000, 5
TIMES = 4
"""Far fewer than the long queue is longer, and enough for a busy machine."""

_COPIES = """
WITH copied AS (
    INSERT INTO assignments SELECT copy.* FROM (SELECT * FROM assignments ORDER BY id LIMIT 1) AS one,
        unnest(CAST(:names AS text[])) AS name, jsonb_populate_record(
            NULL::assignments,
            to_jsonb(one) || jsonb_build_object('id', name, 'instance', name, 'backend_name', name)
        ) AS copy
    RETURNING id
), numbered AS (
    SELECT id, row_number() OVER () + (SELECT max(id) FROM requests) AS number FROM copied
)
INSERT INTO requests SELECT copy.* FROM (SELECT * FROM requests ORDER BY id LIMIT 1) AS one, numbered,
    jsonb_populate_record(NULL::requests, to_jsonb(one) || jsonb_build_object(
        'id', numbered.number, 'assignment_id', numbered.id, 'state', 'queued', 'priority', 20
    )) AS copy
"""


async def nothing(_: object) -> None:
    """Run a request that asks for nothing."""


async def run_sql(world: World, statement: str, **given: object) -> None:
    async with world.store.write(world.caller) as tx:
        await tx.session.execute(text(statement), given)


async def cost(world: World, released: int) -> float:
    """Seconds of the quickest of several looks, each with a start of one request more."""
    settings = ConnectorSettings("simulator", concurrency=10_000, rate_per_second=1000.0)
    limits = RateLimits(WorkerSettings(), lambda _: settings)
    took = []
    for slots in range(released + 1, released + 1 + TRIES):
        begun = time.perf_counter()
        assert (await look(world.store, "nobody")).due
        assert len(await release(world.store, Slots(slots, slots), limits)) == 1
        took.append(time.perf_counter() - begun)
    return min(took)


async def test_a_long_queue_costs_no_more_whatever_the_database_knows_of_it(
    postgres_world: World,
) -> None:
    """What PostgreSQL knows of the queue was gathered when it was empty: a bulk fills it sooner than it looks again."""
    world = postgres_world
    (upn,) = await world.people("ann")
    await world.give(upn, SMALL)
    for table in ("requests", "assignments"):
        await run_sql(world, f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await run_sql(world, "UPDATE requests SET state = 'succeeded'")
    await run_sql(world, "ANALYZE requests")
    engine = ProcrastinateEngine(
        world.store, Identity.of_this_process("1.0.0"), WorkerSettings(), nothing
    )
    await engine._make()
    await run_sql(world, _COPIES, names=[f"few {number}" for number in range(SHORT)])
    short = await cost(world, 0)
    await run_sql(world, _COPIES, names=[f"many {number}" for number in range(LONG)])
    long = await cost(world, TRIES)
    assert long < short * TIMES
    await engine.close()
