"""Groups and shared mailboxes through a real worker and the simulator: members converge and drift is seen."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.groups.queries import ObjectView, show_object
from mission_control_tui.model.states import Light, RequestKind
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import editing
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.connectors.simulator.objects import SimulatedObject
from mission_control_tui.provisioning.drift import survey
from mission_control_tui.settings.settings import load
from tests.provisioning.support import ACCOUNT, World, worker

pytestmark = pytest.mark.any_database

GROUP, SHARED = "distribution-group", "shared-mailbox"


def simulated(world: World, name: str) -> SimulatedObject | None:
    """What the simulator keeps under this name."""
    with closing(sqlite3.connect(world.simulator_path)) as file:
        found = file.execute("SELECT body FROM object WHERE name = ?", (name,)).fetchone()
    return SimulatedObject.from_json(found[0]) if found else None


def tamper(world: World, name: str, members: list[str]) -> None:
    """Somebody changes the members at the back end itself."""
    one = simulated(world, name)
    assert one is not None
    one.attributes["members.member"] = members
    with closing(sqlite3.connect(world.simulator_path)) as file, file:
        file.execute("UPDATE object SET body = ? WHERE name = ?", (one.to_json(), name))


async def shown(world: World, key: str) -> ObjectView:
    return await show_object(AccountScope(world.store, world.caller, ACCOUNT), key)


async def test_a_group_waits_for_its_members_and_follows_their_addresses(world: World) -> None:
    ada, ben = await world.people("ada", "ben")
    await world.give(ada)
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    with pytest.raises(Exception, match="has no Managed Exchange"):
        await create_object(scope, GROUP, "Sales", f"sales@{ada.partition('@')[2]}",
                            members={"member": [ben]})  # fmt: skip
    await world.give(ben)
    made = (
        await create_object(
            scope, GROUP, "Sales", "sales@acme.example", members={"member": [ada, ben]}
        )
    ).result
    assert made.service.word == "Waiting"
    with worker(world):
        await world.settled()
        assert (await shown(world, "Sales")).service.light is Light.GREEN
        kept = simulated(world, made.service.backend_name)
        assert kept is not None
        assert kept.attributes["members.member"] == [ada, ben]
        assert kept.attributes["primary_address"] == "sales@acme.example"
        await editing.edit_user(scope, ben, {"upn": "benno@acme.example"})
        await world.settled()
        kept = simulated(world, made.service.backend_name)
        assert kept is not None
        assert kept.attributes["members.member"] == [ada, "benno@acme.example"]
        await world.turn(ada, RequestKind.DEPROVISION)
        await world.settled()
        kept = simulated(world, made.service.backend_name)
        assert kept is not None
        assert kept.attributes["members.member"] == ["benno@acme.example"]
        await edit_object(scope, "Sales", GroupChanges(remove={"member": ["benno@acme.example"]}))
        await world.settled()
        kept = simulated(world, made.service.backend_name)
        assert kept is not None
        assert "members.member" not in kept.attributes
    assert (await shown(world, "Sales")).service.light is Light.GREEN
    assert set(world.effect_counts().values()) == {1}


async def test_a_shared_mailbox_is_removed_with_its_address_and_comes_back(world: World) -> None:
    (ada,) = await world.people("ada")
    await world.give(ada)
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    with worker(world):
        await world.settled()
        made = (
            await create_object(
                scope, SHARED, "Info", "info@acme.example",
                settings={"quota": "1 GB"}, members={"full-access": [ada], "send-as": [ada]},
            )
        ).result  # fmt: skip
        await world.settled()
        kept = simulated(world, made.service.backend_name)
        assert kept is not None
        assert kept.settings["quota"] == 1024
        assert kept.attributes["members.send-as"] == [ada]
        await remove_object(scope, made.id)
        await world.settled()
        assert simulated(world, made.service.backend_name) is None
        await editing.add_alias(scope, ada, "info@acme.example")
        await world.settled()
        with pytest.raises(Exception, match="is an alias of"):
            await restore_object(scope, made.id)
        await editing.remove_alias(scope, ada, "info@acme.example")
        back = (await restore_object(scope, made.id)).result
        await world.settled()
        assert (await shown(world, made.id)).service.light is Light.GREEN
        kept = simulated(world, back.service.backend_name)
        assert kept is not None
        assert kept.attributes["members.full-access"] == [ada]


async def test_a_group_that_cannot_be_made_is_red_and_mended_by_asking_again(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.rules(
        'service = "distribution-group"\nstep = "account"\nfail = "quota"\nfail_times = 1\n'
        'said = "The address list is full."'
    )
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    with worker(world):
        made = (await create_object(scope, GROUP, "Sales", "sales@acme.example")).result
        await world.settled()
        red = await shown(world, made.id)
        assert (red.service.light, red.service.error_said) == (
            Light.RED,
            "The address list is full.",
        )
        await edit_object(scope, made.id, GroupChanges())
        await world.settled()
        assert (await shown(world, made.id)).service.light is Light.GREEN


async def test_members_that_somebody_changed_are_drift_and_put_right(sqlite_world: World) -> None:
    world = sqlite_world
    (ada,) = await world.people("ada")
    await world.give(ada)
    scope = AccountScope(world.store, world.caller, ACCOUNT)
    with worker(world):
        await world.settled()
        made = (
            await create_object(
                scope, GROUP, "Sales", "sales@acme.example", members={"member": [ada]}
            )
        ).result
        await world.settled()
        name = made.service.backend_name
        tamper(world, name, [ada, "mallory@elsewhere.example"])
        settings = load()
        backends = Backends(settings, world.store.installation)
        try:
            report = await survey(AccountScope(world.store, world.caller, ACCOUNT), backends)
        finally:
            await backends.close()
        (difference,) = report.differing
        assert difference.assignment.subject == "Sales"
        assert [(one.what, one.before, one.after) for one in difference.changes] == [
            ("attributes.members.member", [ada, "mallory@elsewhere.example"], [ada])
        ]
        assert difference.changes[0].takes_away
        assert (await shown(world, "Sales")).service.drift
        await edit_object(scope, "Sales", GroupChanges())
        await world.settled()
        kept = simulated(world, name)
        assert kept is not None
        assert kept.attributes["members.member"] == [ada]
        assert not (await shown(world, "Sales")).service.drift
