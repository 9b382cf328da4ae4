"""Creating and editing users: every problem at once, nothing lost, and what services must know reaches them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.domains import address_registry
from mission_control_tui.model.domains.ownership import add_domain
from mission_control_tui.model.errors import (
    Conflict,
    Denied,
    InvalidInput,
    MissionControlError,
    NotFound,
    StaleVersion,
)
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests import queries
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.users import AddressRow, SecretRow, UserRow
from mission_control_tui.model.users import aliases, creation, editing, passwords
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import PASSWORD, ada, create, named


def wheres(error: MissionControlError) -> list[str]:
    return [problem.where for problem in error.problems]


async def rows_in(store: Store) -> tuple[int, ...]:
    async with store.read() as session:
        tables = (UserRow, AddressRow, AuditRow, SecretRow)
        counts = [await session.scalar(select(func.count()).select_from(one)) for one in tables]
        return tuple(int(count or 0) for count in counts)


@pytest.mark.any_database
async def test_a_created_user_is_all_that_was_stated(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    boss = await create(store, caller, account, named("boss"))
    stated = ada(
        title="Countess",
        manager="BOSS@acme.example",
        mobile_phone="(02) 9876 5432",
        country="Australia",
        notes="two\r\nlines",
        test_user=True,
        must_change_password=True,
        expires_on=date(2031, 12, 31),
    )
    outcome = await creation.create_user(
        AccountScope(store, caller, account.code), stated, PASSWORD
    )
    user = outcome.result.user
    assert outcome.applied
    assert outcome.result.password is None
    assert user.details == ada(
        title="Countess",
        manager="boss@acme.example",
        mobile_phone="(02) 9876 5432",
        country="AU",
        notes="two\nlines",
        test_user=True,
        must_change_password=True,
        expires_on=date(2031, 12, 31),
    )
    assert (user.version, user.locked, user.in_bin, user.aliases) == (1, False, False, ())
    assert user.primary_address == user.upn
    assert user.password_waiting
    assert len(user.id) == 32
    for key in (user.id, "ADA.Lovelace@ACME.example", "ada.lovelace"):
        assert await users.details(AccountScope(store, caller, account.code), key) == user
    assert (await users.details(scope, "boss")).id == boss.id


@pytest.mark.any_database
async def test_every_problem_is_said_at_once_and_nothing_is_written(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account)
    before = await rows_in(store)
    bad = ada(
        upn="ADA.lovelace@Acme.Example",
        last_name="",
        country="Nowhere",
        manager="nobody@acme.example",
        external_email="not an address",
    )
    with pytest.raises(InvalidInput) as caught:
        await creation.create_user(scope, bad, "ada.lovelace")
    assert sorted(set(wheres(caught.value))) == [
        *("country", "external_email", "last_name", "manager", "password", "upn", "username"),
    ]
    text = str(caught.value)
    assert "Ada Lovelace (ada.lovelace@acme.example)" in text
    assert "ada.lovelace2@acme.example is free" in text.casefold()
    assert "ada.lovelace2 is free" in text
    assert await rows_in(store) == before


async def test_a_taken_name_alone_is_a_conflict(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account)
    with pytest.raises(Conflict) as caught:
        await creation.create_user(scope, ada(username="other"), PASSWORD)
    assert wheres(caught.value) == ["upn"]


@pytest.mark.any_database
async def test_somebody_of_another_account_is_not_named(
    store: Store, caller: Caller, account: Account, scope: AccountScope, catalogue: Catalogue
) -> None:
    other = await make_account(store, caller, catalogue, "rival", "rival.example")
    await create(store, caller, other, ada(upn="ada@rival.example"))
    status = await address_registry.upn_status(scope, "Ada@rival.example")
    assert not status.free
    assert status.holder is None
    assert status.problem is not None
    assert "another account" in str(status.problem)
    assert "Lovelace" not in str(status.problem)
    with pytest.raises(InvalidInput, match=r"not a domain of this account"):
        await create(store, caller, account, ada(upn="ada@rival.example"))
    with pytest.raises(NotFound):
        await users.details(scope, "ada@rival.example")


@pytest.mark.any_database
async def test_whether_a_upn_is_free_is_known_while_it_is_typed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    free = await address_registry.upn_status(scope, "ada@acme.example")
    assert free.free
    assert free.problem is None
    taken = await address_registry.upn_status(scope, " ADA.LOVELACE@acme.example ")
    assert not taken.free
    assert taken.holder is not None
    assert taken.holder.user_id == user.id
    assert taken.alternative == "ADA.LOVELACE2@acme.example"
    await create(store, caller, account, named("ada.lovelace2"))
    await create(store, caller, account, named("a.lovelace"))
    again = await address_registry.upn_status(scope, "ada.lovelace@acme.example")
    assert again.alternative == "ada.lovelace.3@acme.example"
    for typed in ("", "ada", "ada@", "a b@acme.example"):
        assert not (await address_registry.upn_status(scope, typed)).free


@pytest.mark.any_database
async def test_the_domain_that_most_users_have_is_proposed_else_the_oldest(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    oldest = await address_registry.usual_domain(scope)
    assert oldest in account.domains
    await add_domain(scope, "a-first.example")
    assert await address_registry.usual_domain(scope) == oldest
    for local in ("one", "two"):
        await creation.create_user(scope, ada(upn=f"{local}@a-first.example", username=local))
    assert await address_registry.usual_domain(scope) == "a-first.example"


@pytest.mark.any_database
async def test_a_dry_run_says_the_same_and_writes_nothing(
    store: Store, scope: AccountScope
) -> None:
    before = await rows_in(store)
    outcome = await creation.create_user(scope, ada(), generate=True, dry_run=True)
    assert not outcome.applied
    (line,) = outcome.plan.lines
    assert (line.verb, line.kind, line.name) == (PlanVerb.CREATED, "user", ada().upn)
    assert line.after["display_name"] == "Ada Lovelace"
    assert await rows_in(store) == before
    real = await creation.create_user(scope, ada(), generate=True)
    assert real.plan.lines[0] == line


@pytest.mark.any_database
async def test_passwords_are_sealed_and_stand_nowhere_else(
    store: Store, scope: AccountScope
) -> None:
    given = await creation.create_user(scope, ada(), PASSWORD)
    made = await creation.create_user(scope, named("ben"), generate=True)
    generated = made.result.password
    assert generated is not None
    assert len(generated) >= 16
    for secret in (PASSWORD, generated):
        assert secret not in repr((given, made))
        async with store.read() as session:
            for table in (UserRow, AuditRow, AddressRow, SecretRow):
                for row in await session.scalars(select(table)):
                    assert secret not in repr(vars(row))


@pytest.mark.any_database
async def test_a_session_that_may_only_look_creates_nothing(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(Denied):
        await create(store, Caller("guest", may_write=False), account)
    with pytest.raises(Denied):
        await create(store, Caller("guest", accounts=frozenset()), account)


@pytest.mark.any_database
async def test_an_edit_records_only_what_differs(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    outcome = await editing.edit_user(
        scope,
        user.id,
        {"title": " Countess ", "last_name": "Lovelace", "test_user": "yes", "notes": "n"},
        expected_version=1,
    )
    (line,) = outcome.plan.lines
    assert dict(line.before) == {"title": "", "test_user": False, "notes": ""}
    assert dict(line.after) == {"title": "Countess", "test_user": True, "notes": "n"}
    assert outcome.result.details == ada(title="Countess", test_user=True, notes="n")
    assert outcome.result.version == 2
    assert outcome.plan.requests == ()
    async with store.read() as session:
        audit = (await session.scalars(select(AuditRow).order_by(AuditRow.id.desc()))).first()
    assert audit is not None
    assert (audit.operator, audit.ticket, audit.action) == ("anna", "T-1", "edit user")
    assert (audit.user_id, audit.before, audit.after) == (
        user.id,
        dict(line.before),
        dict(line.after),
    )


@pytest.mark.any_database
async def test_an_edit_that_changes_nothing_is_unchanged(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    before = await rows_in(store)
    outcome = await editing.edit_user(
        scope, user.upn, {"display_name": " Ada Lovelace", "disabled": False}
    )
    assert not outcome.plan.changes_anything
    assert outcome.result == user
    assert await rows_in(store) == before


@pytest.mark.any_database
async def test_a_stale_save_is_refused_with_what_the_other_one_did(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    other = Caller("ben")
    await editing.edit_user(
        AccountScope(store, other, account.id), user.id, {"title": "A", "city": "Perth"}
    )
    await editing.edit_user(
        AccountScope(store, other, account.id), user.id, {"title": "B", "city": ""}
    )
    await editing.add_alias(AccountScope(store, other, account.id), user.id, "al@acme.example")
    with pytest.raises(StaleVersion) as caught:
        await editing.edit_user(scope, user.id, {"notes": "mine"}, expected_version=user.version)
    assert caught.value.theirs == {"title": ("", "B"), "aliases": ([], ["al@acme.example"])}
    assert "ben" in str(caught.value)
    now = await users.details(scope, user.id)
    assert (now.details.notes, now.version) == ("", 4)
    saved = await editing.edit_user(scope, user.id, {"notes": "mine"}, expected_version=4)
    assert saved.result.details.notes == "mine"


@pytest.mark.any_database
async def test_setting_a_password_makes_no_open_form_stale(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    await passwords.set_password(scope, user.id)
    await editing.edit_user(scope, user.id, {"title": "x"}, expected_version=user.version)


@pytest.mark.any_database
async def test_the_username_is_fixed_and_unknown_fields_are_refused_together(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    with pytest.raises(InvalidInput) as caught:
        await editing.edit_user(
            scope,
            user.id,
            {"username": "new", "shoe_size": "9", "expires_on": "soon", "last_name": " "},
        )
    assert sorted(wheres(caught.value)) == ["expires_on", "last_name", "shoe_size", "username"]


@pytest.mark.any_database
async def test_what_was_imported_without_a_first_name_can_be_edited(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    async with store.write(caller, account.id) as tx:
        row = await tx.session.get_one(UserRow, user.id)
        row.details = {}
    edited = await editing.edit_user(scope, user.id, {"title": "x"})
    assert edited.result.details.first_names == ""
    assert edited.result.details.title == "x"


@pytest.mark.any_database
async def test_a_changed_upn_keeps_the_old_one(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    new = "ada.king@acme.example"
    renamed = await editing.edit_user(scope, user.id, {"upn": new})
    assert renamed.result.upn == new
    assert renamed.result.aliases == (user.upn,)
    assert renamed.result.primary_address == new
    assert (await users.details(scope, user.upn)).id == user.id
    with pytest.raises(Conflict, match="former UPN of Ada Lovelace"):
        await create(store, caller, account, ada(username="thief"))
    back = await editing.edit_user(scope, new, {"upn": user.upn})
    assert (back.result.upn, back.result.aliases) == (user.upn, (new,))
    respelt = await editing.edit_user(scope, user.id, {"upn": "Ada.Lovelace@acme.example"})
    assert respelt.result.upn == "Ada.Lovelace@acme.example"
    assert respelt.result.aliases == (new,)
    assert respelt.result.primary_address == "Ada.Lovelace@acme.example"


@pytest.mark.any_database
async def test_a_manager_is_a_user_and_stays_one_when_renamed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    boss = await create(store, caller, account, named("boss"))
    user = await create(store, caller, account, ada(manager="boss@acme.example"))
    await editing.edit_user(scope, boss.id, {"upn": "chief@acme.example"})
    now = await users.details(scope, user.id)
    assert now.details.manager == "chief@acme.example"
    same = await editing.edit_user(scope, user.id, {"manager": "boss@acme.example"})
    assert not same.plan.changes_anything
    for manager in ("nobody@acme.example", user.upn):
        with pytest.raises(InvalidInput) as caught:
            await editing.edit_user(scope, user.id, {"manager": manager})
        assert wheres(caught.value) == ["manager"]
    freed = await editing.edit_user(scope, user.id, {"manager": ""})
    assert freed.result.details.manager == ""


async def test_aliases_are_unique_with_upns_and_one_address_is_primary(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    ben = await create(store, caller, account, named("ben"))
    alias = "Countess@acme.example"
    added = await editing.add_alias(scope, user.id, alias)
    assert added.result.aliases == (alias,)
    again = await editing.add_alias(scope, user.id, alias.upper())
    assert not again.plan.changes_anything
    for taken in (ben.upn, alias.lower()):
        holder = user if taken == ben.upn else ben
        with pytest.raises(Conflict):
            await editing.add_alias(scope, holder.id, taken)
    with pytest.raises(InvalidInput):
        await editing.add_alias(scope, user.id, "x@elsewhere.example")
    primary = await editing.set_primary(scope, user.id, alias.lower())
    assert primary.result.primary_address == alias
    with pytest.raises(NotFound):
        await editing.set_primary(scope, user.id, ben.upn)
    with pytest.raises(Conflict):
        await editing.remove_alias(scope, user.id, user.upn)
    removed = await editing.remove_alias(scope, user.id, alias)
    assert removed.result.aliases == ()
    assert removed.result.primary_address == user.upn
    assert (await address_registry.upn_status(scope, alias)).free


@pytest.mark.any_database
async def test_details_and_addresses_are_one_change_or_none(
    store: Store, caller: Caller, account: Account
) -> None:
    scope = AccountScope(store, caller, account.id)
    user = await create(store, caller, account)
    await create(store, caller, account, named("ben"))
    before = await rows_in(store)
    both = aliases.AddressChanges(add=("ben@acme.example", "x@elsewhere.example"))
    with pytest.raises(InvalidInput) as caught:
        await editing.edit_user(
            scope, user.id, {"title": "Countess", "manager": "nobody"}, addresses=both
        )
    assert wheres(caught.value) == ["manager", "alias", "alias"]
    assert await rows_in(store) == before
    good = aliases.AddressChanges(add=("countess@acme.example",), primary="countess@acme.example")
    change = {"title": "Countess", "upn": "ada@acme.example"}
    tried = await editing.edit_user(scope, user.id, change, addresses=good, dry_run=True)
    assert await rows_in(store) == before
    done = await editing.edit_user(scope, user.id, change, addresses=good, expected_version=1)
    assert tried.plan == done.plan
    assert (done.result.version, done.result.details.title) == (2, "Countess")
    assert done.result.primary_address == "countess@acme.example"
    assert done.result.aliases == (user.upn, "countess@acme.example")
    assert (await rows_in(store))[2] == before[2] + 1
    assert len(await queries.list_requests(scope, user=user.id)) == 1
    back = aliases.AddressChanges(primary="ada@acme.example", remove=("countess@acme.example",))
    undone = await editing.edit_user(scope, user.id, {}, addresses=back)
    assert (undone.result.aliases, undone.result.primary_address) == (
        (user.upn,),
        "ada@acme.example",
    )


@pytest.mark.any_database
async def test_a_deleted_user_keeps_its_names_and_comes_back(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    await editing.add_alias(scope, user.id, "al@acme.example")
    deleted = await deletion.delete_user(scope, user.upn)
    assert deleted.result.in_bin
    assert deleted.result.deleted_at is not None
    assert deleted.result.password_waiting, "no back end got it: it is kept until the purge"
    assert (await users.details(scope, user.id)).in_bin
    with pytest.raises(Conflict) as caught:
        await create(store, caller, account)
    assert wheres(caught.value) == ["upn", "username"]
    assert "recycling bin" in str(caught.value)
    assert "restore" in str(caught.value)
    with pytest.raises(Conflict, match="recycling bin"):
        await create(store, caller, account, named("al"))
    with pytest.raises(NotFound, match="recycling bin"):
        await editing.edit_user(scope, user.id, {"title": "x"})
    restored = await deletion.restore_user(scope, user.upn)
    assert not restored.result.in_bin
    assert restored.result.details == user.details
    assert restored.result.aliases == ("al@acme.example",)
    again = await deletion.restore_user(scope, user.upn)
    assert not again.plan.changes_anything


@pytest.mark.any_database
async def test_the_account_s_own_policy_judges_passwords(
    store: Store, caller: Caller, catalogue: Catalogue
) -> None:
    strict = await make_account(store, caller, catalogue, "strict", "strict.example")
    async with store.write(caller, strict.id) as tx:
        row = await tx.session.get_one(AccountRow, strict.id)
        row.password_policy = {"min_length": 20, "classes": 4}
    details = ada(upn="ada@strict.example")
    with pytest.raises(InvalidInput) as caught:
        await creation.create_user(AccountScope(store, caller, strict.id), details, PASSWORD)
    assert wheres(caught.value) == ["password"]
    assert (await users.password_policy(AccountScope(store, caller, strict.id))).min_length == 20
    made = await creation.create_user(
        AccountScope(store, caller, strict.id), details, generate=True
    )
    assert len(made.result.password or "") >= 20


@pytest.mark.any_database
async def test_requests_of_a_user_without_services_have_succeeded(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    outcome = await editing.disable_user(scope, user.id)
    assert outcome.result.details.disabled
    assert outcome.plan.requests == ()
    (request,) = await queries.list_requests(scope)
    assert (request.kind, request.state, request.user_id) == ("disable", "succeeded", user.id)
    assert request.ended_at is not None
    enabled = await editing.enable_user(scope, user.id)
    assert not enabled.result.details.disabled
