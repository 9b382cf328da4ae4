"""Undo of groups, contacts and shared mailboxes, and of a deprovision that took somebody out of them."""

from __future__ import annotations

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
)
from mission_control_tui.model.groups.queries import ObjectView, show_object
from mission_control_tui.model.history import audit_log, undo
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account, AuditView, UserView
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

GROUP = "distribution-group"
MAIL = ActionParams("managed-exchange", "pc-web")


@pytest.fixture
async def people(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> list[UserView]:
    """Ann and Bob, whose mailboxes are green."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    made = [await create(store, caller, account, named(name)) for name in ("ann", "bob")]
    for one in made:
        await provision(scope, one.id, [MAIL])
    await finish(store, caller, account)
    return made


@pytest.fixture
async def sales(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[UserView]
) -> ObjectView:
    """A green group with Ann in it."""
    members = {"member": ["ann"]}
    made = await create_object(scope, GROUP, "Sales", "sales@acme.example", members=members)
    await finish(store, caller, account)
    return made.result


async def newest(store: Store, caller: Caller, account: Account, action: str) -> AuditView:
    return (
        await audit_log.entries(AccountScope(store, caller, account.id), action=action, limit=1)
    )[0]


async def members(store: Store, caller: Caller, account: Account, key: str) -> list[str]:
    found = await show_object(AccountScope(store, caller, account.id), key)
    return [f"{one.role} {one.address}" for one in found.members]


async def test_members_and_settings_are_changed_back_and_the_undo_of_that_is_one_too(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    await edit_object(
        scope,
        sales.id,
        GroupChanges(
            name="Sales Team",
            settings={"who-may-send": "anyone", "hide-from-address-list": "yes"},
            add={"owner": ["bob"], "member": ["bob"]},
            remove={"member": ["ann"]},
        ),
    )
    request = (await newest(store, caller, account, "change members")).request_id
    changed = await show_object(scope, sales.id)
    assert changed.name == "Sales Team"
    undone = await undo.undo(scope, request=request)
    assert undone.plan.requests
    assert undone.result.requests == undone.plan.requests
    back = await show_object(scope, sales.id)
    assert (back.name, dict(back.settings)) == ("Sales", dict(sales.settings))
    assert await members(store, caller, account, sales.id) == ["member ann@acme.example"]
    again = await newest(store, caller, account, "change members")
    await undo.undo(scope, audit=again.id)
    assert await members(store, caller, account, sales.id) == [
        "member bob@acme.example",
        "owner bob@acme.example",
    ]
    of_members, of_fields = await audit_log.entries(scope, action=f"change {GROUP}", limit=2)
    assert not of_members.after
    await undo.undo(scope, audit=of_fields.id)
    now = await show_object(scope, sales.id)
    assert (now.name, dict(now.settings)) == (changed.name, dict(changed.settings))


async def test_what_was_made_is_removed_and_what_was_removed_comes_back_empty(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    made = await newest(store, caller, account, f"create {GROUP}")
    tried = await undo.undo(scope, audit=made.id, dry_run=True)
    assert (tried.applied, tried.plan.lines[0].verb) == (False, "removed")
    assert (await show_object(scope, sales.id)).removed_at is None
    await undo.undo(scope, audit=made.id)
    await finish(store, caller, account)
    removed = await newest(store, caller, account, f"remove {GROUP}")
    undone = await undo.undo(scope, audit=removed.id)
    assert undone.result.notes == ("What it held at the back end is gone: it comes back empty.",)
    assert await members(store, caller, account, "Sales") == ["member ann@acme.example"]


async def test_what_somebody_changed_since_is_refused_unless_forced(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    bob = Caller(operator="bob", ticket="T-9")
    await edit_object(
        scope, sales.id, GroupChanges(address="sell@acme.example", add={"member": ["bob"]})
    )
    moved = await newest(store, caller, account, f"change {GROUP}")
    joined = await newest(store, caller, account, "change members")
    await edit_object(
        AccountScope(store, bob, account.id),
        sales.id,
        GroupChanges(address="trade@acme.example", remove={"member": ["bob"]}),
    )
    for row, why in ((moved, "address"), (joined, "bob@acme.example")):
        with pytest.raises(Conflict, match=rf"by bob, ticket T-9.*\({why}\)"):
            await undo.undo(scope, audit=row.id)
    await undo.undo(scope, audit=moved.id, force=True)
    assert (await show_object(scope, sales.id)).address == "sales@acme.example"
    await undo.undo(scope, audit=joined.id, force=True)
    assert await members(store, caller, account, sales.id) == ["member ann@acme.example"]
    await remove_object(scope, sales.id)
    with pytest.raises(NotFound, match="removed"):
        await undo.undo(scope, audit=joined.id)


async def test_who_lost_the_mailbox_is_put_back_where_that_can_be(
    store: Store, caller: Caller, account: Account, people: list[UserView], sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    ann = people[0]
    for name in ("Gone", "Full"):
        await create_object(
            scope, GROUP, name, f"{name.lower()}@acme.example", members={"owner": ["ann"]}
        )
    await finish(store, caller, account)
    await change_wish(scope, ann.id, MAIL.service, RequestKind.DEPROVISION)
    assert await members(store, caller, account, sales.id) == []
    await finish(store, caller, account)
    await remove_object(scope, "Gone")
    row = await newest(store, caller, account, "deprovision")
    tried = await undo.undo(scope, audit=row.id, dry_run=True)
    assert await members(store, caller, account, sales.id) == []
    undone = await undo.undo(scope, audit=row.id)
    assert undone.result.notes == tried.result.notes
    assert undone.result.notes == (undo.EMPTY_NOTE, "Not back in Gone: it was removed.")
    assert await members(store, caller, account, sales.id) == ["member ann@acme.example"]
    assert await members(store, caller, account, "Full") == ["owner ann@acme.example"]
    waiting = (await show_object(scope, sales.id)).service
    assert waiting.word == "Waiting", "for the mailbox"


async def test_a_change_of_members_alone_is_undone_from_its_other_row_too(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    await edit_object(scope, sales.id, GroupChanges(add={"member": ["bob"]}))
    row = await newest(store, caller, account, f"change {GROUP}")
    assert not row.before
    assert not row.after
    await undo.undo(scope, audit=row.id)
    assert await members(store, caller, account, sales.id) == ["member ann@acme.example"]


async def test_a_member_that_is_no_more_is_named(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    contact = await create_object(scope, "mail-contact", "Print", "orders@printer.example")
    await edit_object(scope, sales.id, GroupChanges(add={"member": [contact.result.id]}))
    row = await newest(store, caller, account, "create mail-contact")
    assert undo.judge(row).possible
    await undo.undo(scope, audit=row.id)
    left = await newest(store, caller, account, "change members")
    with pytest.raises(InvalidInput) as refused:
        await undo.undo(scope, audit=left.id)
    assert "orders@printer.example is no user and no object" in str(refused.value)


async def test_a_deleted_user_who_comes_back_is_told_what_was_left(
    store: Store, caller: Caller, account: Account, sales: ObjectView
) -> None:
    scope = AccountScope(store, caller, account.id)
    loose = shipped().replace(
        'accepts = ["user"]\nrequires = ["managed-exchange"]', 'accepts = ["user"]'
    )
    await catalogue_update.load(store, caller, loose, "loose")
    zoe = await create(store, caller, account, named("zoe"))
    await edit_object(scope, sales.id, GroupChanges(add={"owner": [zoe.id]}))
    await deletion.delete_user(scope, zoe.id)
    row = await newest(store, caller, account, "delete user")
    undone = await undo.undo(scope, audit=row.id)
    assert undone.result.notes == ("Not back in Sales: add the user there again.",)
