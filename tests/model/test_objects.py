"""Groups, contacts and shared mailboxes: what may be made, who may be in them, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mission_control_tui.model import removing, requests, users
from mission_control_tui.model.addresses import upn_status
from mission_control_tui.model.buying import buy
from mission_control_tui.model.catalogue import USER_MEMBER
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.domains import remove_domain
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    MissionControlError,
    NotFound,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.object_facts import facts_of
from mission_control_tui.model.object_views import ObjectView, choices, list_objects, show_object
from mission_control_tui.model.objects import (
    Changes,
    create_object,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.plan import Outcome, Verb
from mission_control_tui.model.provision import Wanted, change_wish, provision
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.tables import AddressRow, AssignmentRow, AuditRow, RequestRow
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, finish, named, own_seats

GROUP, CONTACT, SHARED = "distribution-group", "mail-contact", "shared-mailbox"
MAIL = Wanted("managed-exchange", "pc-web")


@pytest.fixture
async def seats(store: Store, caller: Caller, account: Account) -> None:
    await own_seats(store, caller, account, "managed-exchange", "pc-web")


@pytest.fixture
async def ann(store: Store, caller: Caller, account: Account, seats: None) -> UserView:
    """Ann, whose mailbox is green."""
    made = await create(store, caller, account, named("ann", display_name="Ann Lee"))
    await provision(store, caller, account.id, made.id, [MAIL])
    await finish(store, caller, account)
    return made


async def group(
    store: Store, caller: Caller, account: Account, name: str = "Sales", **more: object
) -> Outcome[ObjectView]:
    address = str(more.pop("address", f"{name.lower()}@acme.example"))
    return await create_object(store, caller, account.id, GROUP, name, address, **more)  # type: ignore[arg-type]


async def facts(store: Store, made: ObjectView) -> dict[str, object]:
    async with store.read() as session:
        return await facts_of(session, made.id)


async def of_kind(error: MissionControlError) -> dict[str, str]:
    return {one.where: one.what for one in error.problems}


async def test_a_group_is_made_with_its_members_and_queued(
    store: Store, caller: Caller, account: Account, ann: UserView
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
        (Verb.CREATED, "object"),
        (Verb.CHANGED, "members"),
    ]
    (request,) = await requests.list_requests(store, caller, account.id, limit=1)
    assert (request.subject, request.service_id, request.user_id) == ("Sales", GROUP, None)
    assert await facts(store, made) == {
        "display_name": "Sales",
        "primary_address": "sales@acme.example",
        "domain": "acme.example",
        "members.member": [ann.upn],
        "members.owner": [ann.upn],
    }


async def test_a_dry_run_makes_nothing(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    tried = await group(store, caller, account, members={"member": ["ann"]}, dry_run=True)
    assert not tried.applied
    assert tried.plan.changes_anything
    assert (await list_objects(store, caller, account.id)).total == 0
    assert (await upn_status(store, caller, account.id, "sales@acme.example")).free


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
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    with pytest.raises(Conflict, match="taken by Ann Lee"):
        await group(store, caller, account, address="ANN@acme.example")
    await group(store, caller, account)
    with pytest.raises(Conflict, match="is the address of Sales"):
        await create(store, caller, account, named("sales"))
    with pytest.raises(Conflict, match="is the address of Sales"):
        await users.add_alias(store, caller, account.id, ann.id, "Sales@acme.example")
    status = await upn_status(store, caller, account.id, "sales@acme.example")
    assert not status.free
    assert status.alternative
    with pytest.raises(Conflict, match="called so already"):
        await group(store, caller, account, name="SALES", address="other@acme.example")


async def test_a_contact_is_somebody_elsewhere(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    async def contact(name: str, address: str) -> ObjectView:
        made = await create_object(store, caller, account.id, CONTACT, name, address)
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


async def test_only_who_a_role_accepts_can_have_it(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    sales = (await group(store, caller, account)).result
    with pytest.raises(InvalidInput) as caught:
        await create_object(
            store,
            caller,
            account.id,
            SHARED,
            "Info",
            "info@acme.example",
            members={"full-access": ["Sales"]},
        )
    assert [(one.what, one.hint) for one in caught.value.problems] == [
        ("Sales is a Distribution Group", "a Full access can be: users")
    ]
    with pytest.raises(NotFound, match="no role"):
        await edit_object(store, caller, account.id, sales.id, Changes(add={"boss": ["ann"]}))


async def test_groups_never_contain_each_other(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    await group(store, caller, account, "Inner")
    await group(store, caller, account, "Middle", members={"member": ["Inner"]})
    await group(store, caller, account, "Outer", members={"member": ["Middle"]})
    for one in ("Inner", "Middle", "Outer"):
        with pytest.raises(InvalidInput, match="would contain each other"):
            await edit_object(store, caller, account.id, "Inner", Changes(add={"member": [one]}))
    await edit_object(store, caller, account.id, "Outer", Changes(add={"member": ["Inner"]}))


async def test_who_has_no_mailbox_yet_is_waited_for_by_name(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    bob = await create(store, caller, account, named("bob"))
    await provision(store, caller, account.id, bob.id, [MAIL])
    outcome = await group(store, caller, account, members={"member": ["ann", "bob"]})
    made = outcome.result
    assert made.service.word == Word.WAITING
    details = await requests.show_request(store, caller, account.id, outcome.plan.requests[0])
    (depends,) = details.request.depends_on
    waited = await requests.show_request(store, caller, account.id, depends)
    assert waited.request.subject == bob.upn

    from mission_control_tui.model.waiting import settle_all

    await settle_all(store)
    shown = await show_object(store, caller, account.id, made.id)
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
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await group(store, caller, account, "Other")
    await finish(store, caller, account)
    await users.edit_user(store, caller, account.id, ann.id, {"upn": "anna@acme.example"})
    shown = await show_object(store, caller, account.id, made.id)
    assert shown.service.light == Light.ORANGE
    assert (await facts(store, shown))["members.member"] == ["anna@acme.example"]
    other = await show_object(store, caller, account.id, "Other")
    assert other.service.light == Light.GREEN
    await finish(store, caller, account)
    await users.set_primary(store, caller, account.id, ann.id, "ann@acme.example")
    shown = await show_object(store, caller, account.id, made.id)
    assert shown.service.light == Light.ORANGE
    assert (await facts(store, shown))["members.member"] == ["ann@acme.example"]
    await finish(store, caller, account)
    await users.edit_user(store, caller, account.id, ann.id, {"title": "Lead"})
    assert (await show_object(store, caller, account.id, made.id)).service.light == Light.GREEN


async def test_who_loses_the_mailbox_leaves_and_the_plan_says_so(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    made = (
        await group(store, caller, account, members={"member": ["ann"], "owner": ["ann"]})
    ).result
    await finish(store, caller, account)

    async def take(*, dry_run: bool) -> Outcome[object]:
        return await change_wish(  # type: ignore[return-value]
            store,
            caller,
            account.id,
            ann.id,
            "managed-exchange",
            RequestKind.DEPROVISION,
            dry_run=dry_run,
        )

    tried = await take(dry_run=True)
    assert any("ann@acme.example leaves Sales" in one for one in tried.plan.warnings)
    assert "Sales has no Owner then." in tried.plan.warnings
    assert len((await show_object(store, caller, account.id, made.id)).members) == 2
    done = await take(dry_run=False)
    lines = [line for line in done.plan.lines if line.kind == "members"]
    assert [(line.name, line.before) for line in lines] == [
        ("Sales (Distribution Group)", {"member": [ann.upn], "owner": [ann.upn]})
    ]
    shown = await show_object(store, caller, account.id, made.id)
    assert shown.members == ()
    assert shown.service.light == Light.ORANGE
    await finish(store, caller, account)
    deleted = await users.delete_user(store, caller, account.id, ann.id)
    assert not [one for one in deleted.plan.warnings if "leaves" in one]


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


async def gone(store: Store, caller: Caller, account: Account, made: ObjectView) -> None:
    """As the worker ends a removal: through the ending itself."""
    from mission_control_tui.model import endings
    from mission_control_tui.model.runs import Run

    async with store.write(caller, account.id) as tx:
        request = await tx.session.scalar(
            select(RequestRow)
            .where(RequestRow.assignment_id == made.service.id)
            .order_by(RequestRow.id.desc())
            .limit(1)
        )
        assert request is not None
        request.state, request.attempt, request.worker_id = RequestState.RUNNING, 1, "w"
        run = Run(request.id, 1, "w")
    await endings.succeed(store, run, account.id, endings.Seen(Wish.ABSENT))


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
    again = await edit_object(store, caller, account.id, "Sales", Changes())
    assert again.result.service.light == Light.ORANGE
    await requests.cancel(store, caller, account.id, again.plan.requests[0])
    await remove_object(store, caller, account.id, "Sales")
    assert (await list_objects(store, caller, account.id)).total == 0
    assert (await upn_status(store, caller, account.id, "sales@acme.example")).free


async def test_a_stale_save_is_refused_with_what_changed(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    made = (await group(store, caller, account)).result
    other = Caller(operator="bert")
    await edit_object(store, other, account.id, made.id, Changes(settings={"note": "Theirs"}))
    with pytest.raises(StaleVersion) as caught:
        await edit_object(
            store,
            caller,
            account.id,
            made.id,
            Changes(name="Mine"),
            expected_version=made.version,
        )
    assert "bert" in caught.value.what
    assert caught.value.theirs == {"note": (None, "Theirs")}


async def test_nothing_different_is_unchanged_and_red_is_tried_again(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await finish(store, caller, account)
    same = await edit_object(
        store, caller, account.id, made.id, Changes(name="Sales", add={"member": [ann.upn]})
    )
    assert not same.plan.changes_anything
    async with store.write(caller, account.id) as tx:
        (await tx.session.get_one(AssignmentRow, made.service.id)).light = Light.RED
    again = await edit_object(store, caller, account.id, made.id, Changes())
    assert again.result.service.light == Light.ORANGE


async def test_a_moved_object_takes_its_place_along(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    inner = (await group(store, caller, account, "Inner")).result
    outer = (await group(store, caller, account, "Outer", members={"member": ["Inner"]})).result
    await finish(store, caller, account)
    await edit_object(
        store, caller, account.id, inner.id, Changes(name="Core", address="core@acme.example")
    )
    assert (await facts(store, outer))["members.member"] == ["core@acme.example"]
    assert (await show_object(store, caller, account.id, outer.id)).service.light == Light.ORANGE
    assert (await upn_status(store, caller, account.id, "inner@acme.example")).free
    with pytest.raises(NotFound):
        await show_object(store, caller, account.id, "Inner")


async def test_members_are_counted_against_the_maximum(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    from dataclasses import replace

    from mission_control_tui.model import catalogue_store
    from mission_control_tui.model.catalogue_store import in_force

    await group(store, caller, account)
    async with store.write(caller) as tx:
        now = (await in_force(tx.session)).catalogue
        services = tuple(
            replace(one, roles=tuple(replace(role, maximum=1) for role in one.roles))
            for one in now.services
        )
        await catalogue_store.put(tx, replace(now, services=services), "test")
    bob = await create(store, caller, account, named("bob"))
    await provision(store, caller, account.id, bob.id, [MAIL])
    with pytest.raises(InvalidInput, match="there would be 2"):
        await edit_object(
            store, caller, account.id, "Sales", Changes(add={"member": ["ann", "bob"]})
        )


async def test_lists_and_choices_are_found_as_one_types(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    await group(store, caller, account, "Sales")
    await group(store, caller, account, "Señor Support", address="help@acme.example")
    await create_object(store, caller, account.id, CONTACT, "Pat", "pat@elsewhere.example")

    async def names(query: str = "", kind: str | None = None) -> list[str]:
        page = await list_objects(store, caller, account.id, query=query, kind=kind)
        return [one.name for one in page.rows]

    assert await names() == ["Pat", "Sales", "Señor Support"]
    assert await names("senor") == ["Señor Support"]
    assert await names("help@") == ["Señor Support"]
    assert await names("%") == []
    assert await names(kind="Distribution Group") == ["Sales", "Señor Support"]
    found = await choices(store, caller, account.id, GROUP, "member", "s")
    assert {(one.kind, one.name) for one in found} >= {
        (GROUP, "Sales"),
        (GROUP, "Señor Support"),
    }
    found = await choices(store, caller, account.id, GROUP, "owner", "an")
    assert [(one.kind, one.name) for one in found] == [(USER_MEMBER, "Ann Lee")]


async def test_a_name_that_means_several_is_told(
    store: Store, caller: Caller, account: Account, seats: None
) -> None:
    await group(store, caller, account, "Info")
    await create_object(store, caller, account.id, CONTACT, "Info", "i@elsewhere.example")
    with pytest.raises(UsageError, match="more than one"):
        await show_object(store, caller, account.id, "info")
    shown = await show_object(store, caller, account.id, "i@elsewhere.example")
    assert shown.kind == CONTACT


async def test_the_audit_says_who_what_and_how_to_do_it_again(
    store: Store, caller: Caller, account: Account, ann: UserView
) -> None:
    made = (await group(store, caller, account, members={"member": ["ann"]})).result
    await edit_object(
        store,
        caller,
        account.id,
        made.id,
        Changes(name="Sales Team", settings={"note": "hi"}, remove={"member": ["ann"]}),
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
    assert (await list_objects(store, caller, other.id)).total == 0
    with pytest.raises(NotFound):
        await show_object(store, caller, other.id, made.id)
    async with store.read() as session:
        assert await session.scalar(
            select(AddressRow.object_id).where(AddressRow.key == "sales@acme.example")
        )
