"""Services that go to another connector: never green there until somebody has looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from mission_control_tui.model.installation.connector_switch import (
    ConnectorChange,
    follow_settings,
    switch_connectors,
)
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from tests.provisioning.support import ACCOUNT, EXCHANGE, LARGE, SMALL, World, worker

pytestmark = pytest.mark.any_database

OTHER = "second"


def add_connector(world: World, *, serves: bool = True) -> Path:
    """A second simulator in the settings, which serves Managed Exchange; returns its file."""
    path = world.directory / "second.db"
    text = world.settings_path.read_text("utf-8")
    text += (
        f'[connectors.{OTHER}]\ntype = "simulator"\npath = "{path}"\nrules = "{world.rules_path}"\n'
    )
    text += f'[services]\n{EXCHANGE} = "{OTHER}"\n' * serves
    world.settings_path.write_text(text, "utf-8")
    return path


async def audited(world: World, action: str) -> list[AuditRow]:
    async with world.store.read() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.action == action))
        return list(rows)


async def test_a_green_light_is_not_checked_after_a_switch_until_provisioned_again(
    world: World,
) -> None:
    (ada,) = await world.people("ada")
    given = await world.give(ada)
    with worker(world):
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    held = await world.held()
    before = world.effects()

    path = add_connector(world)
    with worker(world, "second"):

        async def moved() -> bool:
            return (await world.assignment(given.assignment_id)).connector == OTHER

        await world.until(moved)
        row = await world.assignment(given.assignment_id)
        assert (row.light, row.word) == (Light.ORANGE, Word.NOT_CHECKED)
        assert row.step == (
            "The connector changed from simulator to second: provision again to check"
        )
        assert (row.observed_wish, row.observed_level, row.external_id) == (Wish.ABSENT, "", "")
        assert row.backend_name == given.backend_name
        assert await world.held() == held
        (entry,) = await audited(world, "switch connector")
        assert entry.before == {
            "connector": "simulator",
            "light": "green",
            "word": "Provisioned",
        }
        assert entry.after == {"connector": OTHER, "light": "orange", "word": "Not checked"}
        assert await world.active() == 0

        world.store.connectors = {EXCHANGE: OTHER}
        again = await world.give(ada)
        assert again.request_id is not None
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.connector, row.observed_level) == (Light.GREEN, OTHER, SMALL)
    assert world.effects() == before
    assert {one.effect for one in ledger(path)} >= {"created"}
    assert await switch_connectors(world.store, world.caller) == ()


async def test_what_waits_goes_along_and_a_cancel_does_not_bring_the_green_light_back(
    world: World,
) -> None:
    ada, ben = await world.people("ada", "ben")
    first = await world.give(ada)
    with worker(world):
        await world.settled()
    change = await world.give(ada, LARGE)
    fresh = await world.give(ben)
    add_connector(world)
    world.store.connectors = {EXCHANGE: OTHER}
    assert await switch_connectors(world.store, world.caller) == (
        ConnectorChange(EXCHANGE, "simulator", OTHER, 2, 0),
    )
    for given in (change, fresh):
        row = await world.assignment(given.assignment_id)
        assert (row.connector, row.light, row.word) == (OTHER, Light.ORANGE, Word.QUEUED)
    for given in (change, fresh):
        assert given.request_id is not None
        await requests.cancel(AccountScope(world.store, world.caller, ACCOUNT), given.request_id)
    row = await world.assignment(first.assignment_id)
    assert (row.wish, row.level_id) == (Wish.PRESENT, SMALL)
    assert (row.light, row.word) == (Light.ORANGE, Word.NOT_CHECKED)
    row = await world.assignment(fresh.assignment_id)
    assert (row.light, row.word) == (Light.GREY, Word.NOT_PROVISIONED)
    assert await world.held() == {SMALL: 1, LARGE: 0}

    gone = await world.turn(ada, RequestKind.DEPROVISION)
    with worker(world, "second"):
        await world.settled()
    assert (await world.request(gone.request_id)).state == RequestState.SUCCEEDED
    assert (await world.assignment(gone.assignment_id)).light == Light.GREY
    assert await world.held() == {SMALL: 0, LARGE: 0}


async def test_what_runs_is_left_until_it_has_ended(world: World) -> None:
    world.rules('step = "mailbox"\ndelay = 1.5')
    (ada,) = await world.people("ada")
    given = await world.give(ada)
    with worker(world):
        await world.until(lambda: world.running_step("mailbox"))
        world.store.connectors = {EXCHANGE: OTHER}
        assert await switch_connectors(world.store, world.caller) == (
            ConnectorChange(EXCHANGE, "simulator", OTHER, 0, 1),
        )
        assert world.store.connectors != world.store.followed
        await world.settled()
    row = await world.assignment(given.assignment_id)
    assert (row.light, row.connector) == (Light.GREEN, "simulator")
    assert await switch_connectors(world.store, world.caller) == (
        ConnectorChange(EXCHANGE, "simulator", OTHER, 1, 0),
    )
    assert world.store.connectors == world.store.followed
    row = await world.assignment(given.assignment_id)
    assert (row.word, row.connector) == (Word.NOT_CHECKED, OTHER)


async def test_an_embedded_store_follows_its_settings_when_it_is_opened(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    (ada,) = await world.people("ada")
    given = await world.give(ada)
    with worker(world):
        await world.settled()
    for connectors, connector in (({EXCHANGE: OTHER}, OTHER), ({}, "simulator")):
        store = await Store.open(world.where, connectors=connectors)
        moved = await follow_settings(store, world.caller)
        assert [(one.after, one.moved) for one in moved] == [(connector, 1)]
        assert await follow_settings(store, world.caller) == ()
        await store.close()
        again = await Store.open(world.where, connectors=connectors)
        assert again.followed == connectors
        await again.close()
        row = await world.assignment(given.assignment_id)
        assert (row.connector, row.word) == (connector, Word.NOT_CHECKED)


async def test_a_name_that_is_taken_at_the_new_connector_is_chosen_anew(world: World) -> None:
    ada, ben = await world.people("ada", "ben")
    mine = await world.give(ada)
    theirs = await world.give(ben)
    async with world.store.write(world.caller) as tx:
        row = await tx.session.get_one(AssignmentRow, theirs.assignment_id)
        row.connector, row.backend_name = OTHER, mine.backend_name
    world.store.connectors = {EXCHANGE: OTHER}
    await switch_connectors(world.store, world.caller)
    names = [(await world.assignment(one.assignment_id)).backend_name for one in (mine, theirs)]
    assert names[1] == mine.backend_name
    assert names[0] != mine.backend_name


async def test_a_sample_account_never_leaves_the_simulator(sqlite_world: World) -> None:
    world = sqlite_world
    (ada,) = await world.people("ada")
    given = await world.give(ada)
    async with world.store.write(world.caller) as tx:
        account = (await tx.session.scalars(select(AccountRow))).one()
        account.is_sample = True
    world.store.connectors = {EXCHANGE: OTHER}
    assert await switch_connectors(world.store, world.caller) == ()
    assert (await world.assignment(given.assignment_id)).connector == "simulator"
    assert world.store.followed == {EXCHANGE: OTHER}
