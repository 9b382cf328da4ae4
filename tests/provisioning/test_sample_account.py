"""The sample account with a real worker: all four lights, and what the documentation says mends them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mission_control_tui.model.installation import sample_account
from mission_control_tui.model.requests.control import retry
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import ACTIVE_STATES, Light, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.provisioning.connectors.simulator.rules import SHIPPED
from tests.provisioning.support import World, worker


@pytest.fixture
async def first_start(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[World]:
    """A database as the first start makes it, with the simulator's shipped rules, quicker."""
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    shutil.copy(f"{sqlite_template}.key", f"{path}.key")
    store = await Store.open(path)
    world = World(store, str(path), tmp_path, sample_account.CALLER)
    shutil.copy(SHIPPED, world.rules_path)
    world.configure(simulator={"delay_factor": 0.1})
    await sample_account.ensure_sample(store)
    yield world
    await store.close()


async def lights(world: World) -> dict[str, set[Light]]:
    """subject -> its lights."""
    found: dict[str, set[Light]] = {}
    for view in await status(AccountScope(world.store, world.caller, sample_account.CODE)):
        found.setdefault(view.subject.partition("@")[0], set()).add(view.light)
    return found


async def only_waiting(world: World) -> bool:
    active = await list_requests(
        AccountScope(world.store, world.caller, sample_account.CODE), states=ACTIVE_STATES
    )
    return all(one.state is RequestState.WAITING and one.waiting_for for one in active)


async def test_all_four_lights_and_how_they_are_mended(first_start: World) -> None:
    world = first_start
    with worker(world):
        await world.until(lambda: only_waiting(world))
        assert await lights(world) == {
            "mia.chen": {Light.GREEN},
            "liam.wright": {Light.GREEN},
            "zoe.martin": {Light.GREEN},
            "noah.patel": {Light.GREEN},
            "fails.once": {Light.RED},
            "never.works": {Light.RED},
            "fails-once.example": {Light.RED},
            "ella.waits": {Light.ORANGE},
        }
        ivy = await status(
            AccountScope(world.store, world.caller, sample_account.CODE), user="ivy.newman"
        )
        assert {view.light for view in ivy} == {Light.GREY}
        assert "managed-exchange" in {view.service_id for view in ivy}

        for local in ("fails.once", "never.works"):
            wanted = [ActionParams("managed-exchange")]
            await provision(
                AccountScope(world.store, world.caller, sample_account.CODE), local, wanted
            )
        failed = await list_requests(
            AccountScope(world.store, world.caller, sample_account.CODE),
            states=[RequestState.FAILED],
        )
        (registration,) = [one for one in failed if one.service_id == "domain-registration"]
        await retry(AccountScope(world.store, world.caller, sample_account.CODE), registration.id)
        await world.settled()
        after = await lights(world)
        assert after.pop("never.works") == {Light.RED}
        assert set.union(*after.values()) == {Light.GREEN}


@pytest.mark.proof
async def test_a_sample_that_is_started_over_gets_the_same_lights(first_start: World) -> None:
    world = first_start
    with worker(world):
        await world.until(lambda: only_waiting(world))
        remade = await sample_account.reset_sample(world.store, world.caller)
        assert Counter(one.connector for one in remade.result.forgotten) == {"simulator": 11}
        world.simulator_path.unlink()  # what the command does to the simulator's own state
        for leftover in world.directory.glob("simulator.db-*"):
            leftover.unlink()
        await world.until(lambda: only_waiting(world))
        assert Counter(
            light for found in (await lights(world)).values() for light in found
        ) == Counter({Light.GREEN: 4, Light.RED: 3, Light.ORANGE: 1})
