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
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.views import Account, UserView
from tests.model.groups.helpers import gone, group
from tests.model.helpers import finish

pytestmark = pytest.mark.any_database


async def test_whose_address_it_is_cannot_go_while_it_is_needed(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    await group(store, caller, account)
    with pytest.raises(Conflict, match="Groups and shared mailboxes have addresses in"):
        await remove_domain(scope, "acme.example")


async def test_the_last_seats_cannot_go_while_objects_are_included_with_them(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=2)
    await group(store, caller, account)
    await removing.remove(scope, "email", level="popx", quantity=1)
    with pytest.raises(Conflict, match="Sales is included with Managed Exchange"):
        await removing.remove(scope, "email", level="popx")
    await remove_object(scope, "Sales")
    await removing.remove(scope, "email", level="popx")


async def test_removal_waits_until_it_is_gone_before_the_address_is_free(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    inner = (await group(store, caller, account, "Inner", members={"member": ["ann"]})).result
    outer = (await group(store, caller, account, "Outer", members={"member": ["Inner"]})).result
    await finish(store, caller, account)
    removed = await remove_object(scope, "inner@acme.example")
    assert any("1 member no longer" in one for one in removed.plan.warnings)
    assert any("leaves Outer" in one for one in removed.plan.warnings)
    assert removed.result.service.light == Light.ORANGE
    assert (await show_object(scope, outer.id)).members == ()
    with pytest.raises(Conflict, match="still being taken away from Inner"):
        await group(store, caller, account, "New", address="inner@acme.example")
    listed = await list_objects(scope)
    assert [(one.name, one.removed) for one in listed.rows] == [("Inner", True), ("Outer", False)]
    await gone(store, caller, account, inner)
    assert (await list_objects(scope)).total == 1
    assert (await list_objects(scope, removed=True)).total == 1
    made = await group(store, caller, account, "New", address="inner@acme.example")
    assert made.result.address == "inner@acme.example"
    with pytest.raises(Conflict, match="is the address of New"):
        await restore_object(scope, inner.id)
    await remove_object(scope, made.result.id)
    await gone(store, caller, account, made.result)
    back = (await restore_object(scope, inner.id)).result
    assert back.removed_at is None
    assert [one.address for one in back.members] == [ann.upn]
    assert back.service.backend_name == inner.service.backend_name


async def test_a_cancelled_removal_leaves_all_as_it_was(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await finish(store, caller, account)
    removed = await remove_object(scope, made.id)
    await requests.cancel(scope, removed.plan.requests[0])
    shown = await show_object(scope, made.id)
    assert (shown.removed_at, shown.service.light) == (None, Light.GREEN)
    assert len(shown.members) == 1
    assert not (await upn_status(scope, made.address)).free


async def test_a_cancelled_creation_can_be_asked_for_again_or_removed(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    made = await group(store, caller, account)
    await requests.cancel(scope, made.plan.requests[0])
    shown = await show_object(scope, "Sales")
    assert shown.service.light == Light.GREY
    again = await edit_object(scope, "Sales", GroupChanges())
    assert again.result.service.light == Light.ORANGE
    await requests.cancel(scope, again.plan.requests[0])
    await remove_object(scope, "Sales")
    assert (await list_objects(scope)).total == 0
    assert (await upn_status(scope, "sales@acme.example")).free
