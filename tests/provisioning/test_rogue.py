"""A connector of somebody else that misbehaves, in a whole worker: it is named and waits, and all others go on."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mission_control_tui.model.services import seats
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from tests.cli.inprocess import call
from tests.provisioning.support import ACCOUNT, World, worker

MODULE = """
import asyncio, os, sys, time
from mission_control_tui.connect import *

class Rogue:
    declares = Declaration(
        capabilities=frozenset({LEVELS, SUSPEND, LIST, OWNER_MARK, PASSWORD}),
        fence=FenceGrade.LOCKED, options=None, limits=None, starts_enabled=True,
    )
    def __init__(self, deed):
        self.deed = deed
    def misbehave(self):
        if self.deed == "raises": raise ValueError("odd")
        if self.deed == "leaves": sys.exit(3)
        if self.deed == "cancelled": raise asyncio.CancelledError
        if self.deed == "blocks": time.sleep(2)
        if self.deed == "wrong": return "text"
        if self.deed == "prints": print("x" * 2000)
        raise ConnectorError(ErrorKind.UNREACHABLE, "not there")
    async def check(self): return self.misbehave()
    async def observe(self, desired): return self.misbehave()
    def plan(self, desired, observed): return plan_difference(desired, observed, self.declares)
    async def apply(self, desired, plan, step): return self.misbehave()
    async def list(self, cursor, marked_only): return self.misbehave()
    async def aclose(self): self.misbehave()

async def create(context):
    deed = context.settings["deed"]
    if deed == "unopened": raise FileNotFoundError(2, "No such file", "/ca.pem")
    if deed == "hangs": time.sleep(60)
    return Rogue(deed)
"""
DEEDS = ("raises", "leaves", "cancelled", "blocks", "wrong", "prints", "unopened", "hangs")


@pytest.fixture
def rogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with an entry point, as pip would have installed it."""
    installed = tmp_path / "installed"
    about = installed / "rogue-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: rogue\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[mission_control_tui.connectors]\nrogue = rogue_connector:create\n"
    )
    (installed / "rogue_connector.py").write_text(MODULE)
    monkeypatch.syspath_prepend(installed)
    return installed


def configure(world: World, deed: str) -> None:
    """Databases are the rogue's, which is called by its deed; mailboxes are the simulator's."""
    table = [f"[connectors.{deed}]", 'type = "rogue"', f'deed = "{deed}"', "timeout = 0.5"]
    world.configure(more=[*table, "[services]", f'databases = "{deed}"'])
    world.store.connectors = {"databases": deed}


@pytest.mark.parametrize(
    "deed",
    [
        "leaves",
        *(pytest.param(deed, marks=pytest.mark.proof) for deed in DEEDS if deed != "leaves"),
    ],
)
async def test_it_is_named_its_wishes_wait_and_the_others_are_done(
    sqlite_world: World, rogue: Path, deed: str
) -> None:
    world = sqlite_world
    configure(world, deed)
    ann, ben = await world.people("ann", "ben")
    async with world.store.write(world.caller) as tx:
        account = await account_row(tx.session, world.caller, ACCOUNT)
        await seats.add(tx, account.id, "databases", "small", 5)
    paths = os.pathsep.join([str(rogue), os.environ.get("PYTHONPATH", "")])
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    with worker(world, PYTHONPATH=paths) as process:
        (lost,) = (await provision(scope, ann, [ActionParams("databases", "small")])).result
        given = await world.give(ben)

        async def both() -> bool:
            other = await world.assignment(lost.assignment_id)
            green = await world.light(given.assignment_id) == Light.GREEN
            return green and bool(other.error_said or other.step)

        await world.until(both)
        row = await world.assignment(lost.assignment_id)
        assert row.light in (Light.ORANGE, Light.RED)
        said = " ".join(event.said for event in await world.events(lost.request_id))

        async def named() -> bool:
            nonlocal said
            said = " ".join(event.said for event in await world.events(lost.request_id))
            return f"onnector {deed}" in said or "not there" in said or "no answer" in said

        await world.until(named)
        attempts = (await world.request(lost.request_id)).attempt
        assert attempts < 200, said
        again = await world.give(ann)

        async def done() -> bool:
            return await world.light(again.assignment_id) == Light.GREEN

        await world.until(done)
        assert process.alive
    checked = await asyncio.to_thread(
        call, "connectors", "check", "--json", "--database", world.where, "--timeout", "5"
    )
    found = {one["connector"]: one for one in checked.json["connectors"]}
    assert (found[deed]["reached"], found["simulator"]["reached"]) == (False, True)
    drift = await asyncio.to_thread(
        call, "drift", "--orphans", "--json", "--database", world.where, "--account", ACCOUNT
    )
    assert drift.json["looked"] == 2
    assert [one["connector"] for one in drift.json["not_looked_at"]] == [deed]
    doctor = await asyncio.to_thread(
        call, "doctor", "--json", "--database", world.where, "--timeout", "5"
    )
    assert deed in doctor.out
    assert "has a defect" not in doctor.err + drift.err + checked.err
