"""How groups and shared mailboxes go: what stands in the way, and when their addresses are free again."""

from __future__ import annotations

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.domains.address_registry import upn_status
from mission_control_tui.model.domains.ownership import remove_domain
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.groups.queries import list_objects, show_object
from mission_control_tui.model.orders import removing
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.views import Account, UserView
from tests.model.groups.helpers import gone, group
from tests.model.helpers import finish

pytestmark = pytest.mark.any_database


async def test_whose_address_it_is_cannot_go_while_it_is_needed(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    await group(store, caller, account)
    with pytest.raises(Conflict, match="Groups and shared mailboxes have addresses in"):
        await remove_domain(store, caller, account.id, "acme.example")


async def test_the_last_seats_cannot_go_while_objects_are_included_with_them(
    store: Store, caller: Caller, account: Account
) -> None:
    await buy(store, caller, account.id, "email", level="popx", quantity=2)
    await group(store, caller, account)
    await removing.remove(store, caller, account.id, "email", level="popx", quantity=1)
    with pytest.raises(Conflict, match="Sales are included with Managed Exchange"):
        await removing.remove(store, caller, account.id, "email", level="popx")
    await remove_object(store, caller, account.id, "Sales")
    await removing.remove(store, caller, account.id, "email", level="popx")


async def test_removal_waits_until_it_is_gone_before_the_address_is_free(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    inner = (await group(store, caller, account, "Inner", members={"member": ["ann"]})).result
    outer = (await group(store, caller, account, "Outer", members={"member": ["Inner"]})).result
    await finish(store, caller, account)
    removed = await remove_object(store, caller, account.id, "inner@acme.example")
    assert any("1 member no longer" in one for one in removed.plan.warnings)
    assert any("leaves Outer" in one for one in removed.plan.warnings)
    assert removed.result.service.light == Light.ORANGE
    assert (await show_object(store, caller, account.id, outer.id)).members == ()
    with pytest.raises(Conflict, match="still being taken away from Inner"):
        await group(store, caller, account, "New", address="inner@acme.example")
    listed = await list_objects(store, caller, account.id)
    assert [(one.name, one.removed) for one in listed.rows] == [("Inner", True), ("Outer", False)]
    await gone(store, caller, account, inner)
    assert (await list_objects(store, caller, account.id)).total == 1
    assert (await list_objects(store, caller, account.id, removed=True)).total == 1
    made = await group(store, caller, account, "New", address="inner@acme.example")
    assert made.result.address == "inner@acme.example"
    with pytest.raises(Conflict, match="is the address of New"):
        await restore_object(store, caller, account.id, inner.id)
    await remove_object(store, caller, account.id, made.result.id)
    await gone(store, caller, account, made.result)
    back = (await restore_object(store, caller, account.id, inner.id)).result
    assert back.removed_at is None
    assert [one.address for one in back.members] == [ann.upn]
    assert back.service.backend_name == inner.service.backend_name


async def test_a_cancelled_removal_leaves_all_as_it_was(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await finish(store, caller, account)
    removed = await remove_object(store, caller, account.id, made.id)
    await requests.cancel(store, caller, account.id, removed.plan.requests[0])
    shown = await show_object(store, caller, account.id, made.id)
    assert (shown.removed_at, shown.service.light) == (None, Light.GREEN)
    assert len(shown.members) == 1
    assert not (await upn_status(store, caller, account.id, made.address)).free


async def test_a_cancelled_creation_can_be_asked_for_again_or_removed(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    made = await group(store, caller, account)
    await requests.cancel(store, caller, account.id, made.plan.requests[0])
    shown = await show_object(store, caller, account.id, "Sales")
    assert shown.service.light == Light.GREY
    again = await edit_object(store, caller, account.id, "Sales", GroupChanges())
    assert again.result.service.light == Light.ORANGE
    await requests.cancel(store, caller, account.id, again.plan.requests[0])
    await remove_object(store, caller, account.id, "Sales")
    assert (await list_objects(store, caller, account.id)).total == 0
    assert (await upn_status(store, caller, account.id, "sales@acme.example")).free
