"""Groups, contacts and shared mailboxes: what may be made, and how it is changed, found and told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import USER_MEMBER
from mission_control_tui.model.domains.address_registry import upn_status
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.groups.editing import GroupChanges, create_object, edit_object
from mission_control_tui.model.groups.queries import ObjectView, choices, list_objects, show_object
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.requests import queries
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.views import Account, UserView
from tests.model.groups.helpers import CONTACT, GROUP, facts, group
from tests.model.helpers import create, finish, named

pytestmark = pytest.mark.any_database


async def test_a_group_is_made_with_its_members_and_queued(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    outcome = await group(store, caller, account, members={"member": ["ann"], "Owner": [ann.id]})
    made = outcome.result
    assert (made.kind_name, made.name, made.address) == (
        "Distribution Group",
        "Sales",
        "sales@acme.example",
    )
    assert [(one.role, one.address) for one in made.members] == [
        ("member", ann.upn),
        ("owner", ann.upn),
    ]
    assert made.settings["who-may-send"] == "organisation"
    assert (made.service.light, made.service.word) == (Light.ORANGE, Word.QUEUED)
    assert made.service.object_id == made.id
    assert made.service.backend_name == "acme_sales"
    assert [(line.verb, line.kind) for line in outcome.plan.lines] == [
        (PlanVerb.CREATED, "object"),
        (PlanVerb.CHANGED, "members"),
    ]
    (request,) = await queries.list_requests(scope, limit=1)
    assert (request.subject, request.service_id, request.user_id) == ("Sales", GROUP, None)
    assert await facts(store, made) == {
        "display_name": "Sales",
        "primary_address": "sales@acme.example",
        "domain": "acme.example",
        "members.member": [ann.upn],
        "members.owner": [ann.upn],
    }


async def test_a_dry_run_makes_nothing(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    tried = await group(store, caller, account, members={"member": ["ann"]}, dry_run=True)
    assert not tried.applied
    assert tried.plan.changes_anything
    assert (await list_objects(scope)).total == 0
    assert (await upn_status(scope, "sales@acme.example")).free


async def test_every_problem_comes_at_once(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    await create(store, caller, account, named("bob"))
    with pytest.raises(InvalidInput) as caught:
        await group(
            store,
            caller,
            account,
            name=" ",
            address="sales@elsewhere.example",
            settings={"who-may-send": "nobody"},
            members={"member": ["nobody@acme.example", "bob"], "owner": ["ann"]},
        )
    found = [(one.where, one.what) for one in caught.value.problems]
    assert [where for where, _ in found] == ["name", "address", "who-may-send", "member", "member"]
    assert "is no user and no object" in found[3][1]
    assert "bob@acme.example has no Managed Exchange" in found[4][1]


async def test_it_is_included_with_a_level_that_the_account_owns(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(Conflict, match="included with Managed Exchange"):
        await group(store, caller, account)


async def test_addresses_are_unique_among_users_and_objects(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    with pytest.raises(Conflict, match="taken by Ann Lee"):
        await group(store, caller, account, address="ANN@acme.example")
    await group(store, caller, account)
    with pytest.raises(Conflict, match="is the address of Sales"):
        await create(store, caller, account, named("sales"))
    with pytest.raises(Conflict, match="is the address of Sales"):
        await editing.add_alias(scope, ann.id, "Sales@acme.example")
    status = await upn_status(scope, "sales@acme.example")
    assert not status.free
    assert status.alternative
    with pytest.raises(Conflict, match="called so already"):
        await group(store, caller, account, name="SALES", address="other@acme.example")


async def test_a_contact_is_somebody_elsewhere(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    async def contact(name: str, address: str) -> ObjectView:
        made = await create_object(scope, CONTACT, name, address)
        return made.result

    with pytest.raises(InvalidInput, match="is a domain of this account"):
        await contact("Bob", "bob@acme.example")
    with pytest.raises(InvalidInput, match="not an e-mail address"):
        await contact("Bob", "bob")
    made = await contact("Bob", "bob@Elsewhere.example")
    assert made.address == "bob@elsewhere.example"
    with pytest.raises(Conflict, match="is the address of Bob"):
        await contact("Bobby", "BOB@elsewhere.example")
    within = await group(store, caller, account, members={"member": ["bob@elsewhere.example"]})
    assert [one.kind for one in within.result.members] == [CONTACT]


async def test_a_stale_save_is_refused_with_what_changed(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    made = (await group(store, caller, account)).result
    other = Caller(operator="bert")
    await edit_object(
        AccountScope(store, other, account.id), made.id, GroupChanges(settings={"note": "Theirs"})
    )
    with pytest.raises(StaleVersion) as caught:
        await edit_object(scope, made.id, GroupChanges(name="Mine"), expected_version=made.version)
    assert "bert" in caught.value.what
    assert caught.value.theirs == {"note": (None, "Theirs")}


async def test_nothing_different_is_unchanged_and_red_is_tried_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await finish(store, caller, account)
    same = await edit_object(scope, made.id, GroupChanges(name="Sales", add={"member": [ann.upn]}))
    assert not same.plan.changes_anything
    async with store.write(caller, account.id) as tx:
        (await tx.session.get_one(AssignmentRow, made.service.id)).light = Light.RED
    again = await edit_object(scope, made.id, GroupChanges())
    assert again.result.service.light == Light.ORANGE


async def test_a_moved_object_takes_its_place_along(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    inner = (await group(store, caller, account, "Inner")).result
    outer = (await group(store, caller, account, "Outer", members={"member": ["Inner"]})).result
    await finish(store, caller, account)
    await edit_object(scope, inner.id, GroupChanges(name="Core", address="core@acme.example"))
    assert (await facts(store, outer))["members.member"] == ["core@acme.example"]
    assert (await show_object(scope, outer.id)).service.light == Light.ORANGE
    assert (await upn_status(scope, "inner@acme.example")).free
    with pytest.raises(NotFound):
        await show_object(scope, "Inner")


async def test_lists_and_choices_are_found_as_one_types(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    await group(store, caller, account, "Sales")
    await group(store, caller, account, "Señor Support", address="help@acme.example")
    await create_object(scope, CONTACT, "Pat", "pat@elsewhere.example")

    async def names(query: str = "", kind: str | None = None) -> list[str]:
        page = await list_objects(scope, query=query, kind=kind)
        return [one.name for one in page.rows]

    assert await names() == ["Pat", "Sales", "Señor Support"]
    assert await names("senor") == ["Señor Support"]
    assert await names("help@") == ["Señor Support"]
    assert await names("%") == []
    assert await names(kind="Distribution Group") == ["Sales", "Señor Support"]
    found = await choices(scope, GROUP, "member", "s")
    assert {(one.kind, one.name) for one in found} >= {
        (GROUP, "Sales"),
        (GROUP, "Señor Support"),
    }
    found = await choices(scope, GROUP, "owner", "an")
    assert [(one.kind, one.name) for one in found] == [(USER_MEMBER, "Ann Lee")]


async def test_a_name_that_means_several_is_told(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> None:
    await group(store, caller, account, "Info")
    await create_object(scope, CONTACT, "Info", "i@elsewhere.example")
    with pytest.raises(UsageError, match="more than one"):
        await show_object(scope, "info")
    shown = await show_object(scope, "i@elsewhere.example")
    assert shown.kind == CONTACT


async def test_the_audit_says_who_what_and_how_to_do_it_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await edit_object(
        scope,
        made.id,
        GroupChanges(name="Sales Team", settings={"note": "hi"}, remove={"member": ["ann"]}),
    )
    async with store.read() as session:
        rows = (
            await session.scalars(
                select(AuditRow)
                .where(AuditRow.assignment_id == made.service.id)
                .order_by(AuditRow.id)
            )
        ).all()
    assert [(row.action, row.ticket) for row in rows] == [
        ("create distribution-group", "T-1"),
        ("change members", "T-1"),
        ("change distribution-group", "T-1"),
        ("change members", "T-1"),
    ]
    assert rows[2].before == {"name": "Sales"}
    assert rows[2].after == {"name": "Sales Team", "note": "hi"}
    assert rows[3].before == {"member": [ann.upn]}
    assert all(row.at <= datetime.now(UTC) for row in rows)


async def test_another_accounts_objects_are_not_seen(
    store: Store, caller: Caller, account: Account, catalogue: object, seats: None
) -> None:
    from tests.model.conftest import make_account

    made = (await group(store, caller, account)).result
    other = await make_account(store, caller, catalogue, "zeta", "zeta.example")  # type: ignore[arg-type]
    assert (await list_objects(AccountScope(store, caller, other.id))).total == 0
    with pytest.raises(NotFound):
        await show_object(AccountScope(store, caller, other.id), made.id)
    async with store.read() as session:
        assert await session.scalar(
            select(AddressRow.object_id).where(AddressRow.key == "sales@acme.example")
        )
