"""Who may be a member of a group or a shared mailbox, who is waited for, who leaves, and who is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.groups.editing import GroupChanges, create_object, edit_object
from mission_control_tui.model.groups.queries import show_object
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests.request_details import show_request
from mission_control_tui.model.states import Light, RequestKind, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account, UserView
from tests.model.groups.helpers import MAIL, SHARED, facts, group
from tests.model.helpers import create, finish, named

pytestmark = pytest.mark.any_database


async def test_only_who_a_role_accepts_can_have_it(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    sales = (await group(store, caller, account)).result
    with pytest.raises(InvalidInput) as caught:
        await create_object(
            scope, SHARED, "Info", "info@acme.example", members={"full-access": ["Sales"]}
        )
    assert [(one.what, one.hint) for one in caught.value.problems] == [
        ("Sales is a Distribution Group", "a Full access can be: users")
    ]
    with pytest.raises(NotFound, match="no role"):
        await edit_object(scope, sales.id, GroupChanges(add={"boss": ["ann"]}))


async def test_groups_never_contain_each_other(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    await group(store, caller, account, "Inner")
    await group(store, caller, account, "Middle", members={"member": ["Inner"]})
    await group(store, caller, account, "Outer", members={"member": ["Middle"]})
    for one in ("Inner", "Middle", "Outer"):
        with pytest.raises(InvalidInput, match="would contain each other"):
            await edit_object(scope, "Inner", GroupChanges(add={"member": [one]}))
    await edit_object(scope, "Outer", GroupChanges(add={"member": ["Inner"]}))


async def test_who_has_no_mailbox_yet_is_waited_for_by_name(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    bob = await create(store, caller, account, named("bob"))
    await provision(scope, bob.id, [MAIL])
    outcome = await group(store, caller, account, members={"member": ["ann", "bob"]})
    made = outcome.result
    assert made.service.word == Word.WAITING
    details = await show_request(scope, outcome.plan.requests[0])
    (depends,) = details.request.depends_on
    waited = await show_request(scope, depends)
    assert waited.request.subject == bob.upn

    from mission_control_tui.model.requests.dependencies import settle_all

    await settle_all(store)
    shown = await show_object(scope, made.id)
    assert shown.service.step == f"Waits for Managed Exchange of {bob.upn}"
    async with store.write(caller, account.id) as tx:
        row = await tx.session.scalar(select(AssignmentRow).where(AssignmentRow.user_id == bob.id))
        assert row is not None
        row.light, row.observed_wish = Light.GREEN, Wish.PRESENT
    assert await settle_all(store) == 1


async def test_a_red_mailbox_that_exists_is_not_waited_for(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    async with store.write(caller, account.id) as tx:
        row = await tx.session.scalar(select(AssignmentRow).where(AssignmentRow.user_id == ann.id))
        assert row is not None
        row.light = Light.RED
    made = await group(store, caller, account, members={"member": ["ann"]})
    assert made.result.service.word == Word.QUEUED


async def test_a_new_primary_address_is_told_to_the_groups(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await group(store, caller, account, "Other")
    await finish(store, caller, account)
    await editing.edit_user(scope, ann.id, {"upn": "anna@acme.example"})
    shown = await show_object(scope, made.id)
    assert shown.service.light == Light.ORANGE
    assert (await facts(store, shown))["members.member"] == ["anna@acme.example"]
    other = await show_object(scope, "Other")
    assert other.service.light == Light.GREEN
    await finish(store, caller, account)
    await editing.set_primary(scope, ann.id, "ann@acme.example")
    shown = await show_object(scope, made.id)
    assert shown.service.light == Light.ORANGE
    assert (await facts(store, shown))["members.member"] == ["ann@acme.example"]
    await finish(store, caller, account)
    await editing.edit_user(scope, ann.id, {"title": "Lead"})
    assert (await show_object(scope, made.id)).service.light == Light.GREEN


async def test_members_are_counted_against_the_maximum(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    from dataclasses import replace

    from mission_control_tui.model.catalogue import in_force as catalogue_store
    from mission_control_tui.model.catalogue.in_force import in_force

    await group(store, caller, account)
    async with store.write(caller) as tx:
        now = (await in_force(tx.session)).catalogue
        services = tuple(
            replace(one, roles=tuple(replace(role, maximum=1) for role in one.roles))
            for one in now.services
        )
        await catalogue_store.put(tx, replace(now, services=services), "test")
    bob = await create(store, caller, account, named("bob"))
    await provision(scope, bob.id, [MAIL])
    with pytest.raises(InvalidInput, match="there would be 2"):
        await edit_object(scope, "Sales", GroupChanges(add={"member": ["ann", "bob"]}))


async def test_who_loses_the_mailbox_leaves_and_the_plan_says_so(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    made = (
        await group(store, caller, account, members={"member": ["ann"], "owner": ["ann"]})
    ).result
    await finish(store, caller, account)

    async def take(*, dry_run: bool) -> Outcome[object]:
        return await change_wish(  # type: ignore[return-value]
            scope, ann.id, "managed-exchange", RequestKind.DEPROVISION, dry_run=dry_run
        )

    tried = await take(dry_run=True)
    assert any("ann@acme.example leaves Sales" in one for one in tried.plan.warnings)
    assert "Sales has no Owner then." in tried.plan.warnings
    assert len((await show_object(scope, made.id)).members) == 2
    done = await take(dry_run=False)
    lines = [line for line in done.plan.lines if line.kind == "members"]
    assert [(line.name, line.before) for line in lines] == [
        ("Sales (Distribution Group)", {"member": [ann.upn], "owner": [ann.upn]})
    ]
    shown = await show_object(scope, made.id)
    assert shown.members == ()
    assert shown.service.light == Light.ORANGE
    await finish(store, caller, account)
    deleted = await deletion.delete_user(scope, ann.id)
    assert not [one for one in deleted.plan.warnings if "leaves" in one]
