"""A worker that opens a connector stores what it keeps, and plans say from then on what it does not."""

from __future__ import annotations

from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import provisioning
from mission_control_tui.model.users.actions.params import ActionParams
from tests.provisioning.support import ACCOUNT, EXCHANGE, SMALL, World, worker
from tests.support import free_port


async def test_what_a_worker_opened_is_known_to_the_next_plan(sqlite_world: World) -> None:
    world = sqlite_world
    table = f'[connectors.pg]\ntype = "postgresql"\nuser = "u"\nhost = "127.0.0.1"\nport = {free_port()}\n'
    world.configure(more=[table, f'[services]\n{EXCHANGE} = "pg"'])
    world.store.connectors = {EXCHANGE: "pg"}
    (upn,) = await world.people("ann")
    scope = AccountScope(world.store, world.caller, ACCOUNT)

    async def says_so() -> bool:
        wanted = ActionParams(EXCHANGE, SMALL, {"quota": "2 GB"})
        tried = await provisioning.provision(scope, upn, [wanted], dry_run=True)
        return tried.plan.warnings == ("Managed Exchange: not kept by connector pg: quota",)

    assert not await says_so()
    with worker(world):
        await world.give(upn)
        await world.until(says_so)
