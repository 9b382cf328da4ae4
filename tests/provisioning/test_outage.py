"""PostgreSQL goes away for a while: the worker waits for it, and everything goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.states import Light
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from tests.postgres import PostgresServer
from tests.provisioning.support import doubled, furnish, worker


@pytest.mark.proof
@pytest.mark.kill
async def test_a_worker_outlives_an_outage_of_its_database(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    with PostgresServer.start() as server:
        url = server.url(server.create_database())
        await upgrade.upgrade(database_url(url), tmp_path / "worker.key")
        store = await Store.open(url)
        world = await furnish(store, url, tmp_path, catalogue)
        world.rules('step = "mailbox"\ndelay = 1.0')
        upns = await world.people("ann", "bob", "cem")
        with worker(world) as steady:
            given = [await world.give(upn) for upn in upns]
            await world.until(lambda: world.running_step("mailbox"))
            server.stop()
            await asyncio.sleep(1.0)
            server.resume()
            await world.settled(60)
            assert steady.alive
            (other,) = await world.people("dan")
            given.append(await world.give(other))
            await world.settled(60)
        for one in given:
            assert await world.light(one.assignment_id) == Light.GREEN
        assert not doubled(world.effect_counts())
        await store.close()
