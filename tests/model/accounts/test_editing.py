"""Accounts: their codes and domains are unique, the right one is meant, edits that collide are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mission_control_tui.model.accounts.contacts import (
    Contact,
    ContactRole,
    list_contacts,
    set_contacts,
)
from mission_control_tui.model.accounts.editing import (
    create_account,
    edit_account,
    list_accounts,
    resolve_account,
)
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.domains.ownership import add_domain, remove_domain
from mission_control_tui.model.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.orders.queries import month_start
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.editing import add_alias
from mission_control_tui.model.views import Account
from tests.model.helpers import ada, create, list_domains

pytestmark = pytest.mark.any_database


async def make(store: Store, caller: Caller, code: str, *domains: str) -> Account:
    return (
        await create_account(store, caller, name=code.title(), code=code, domains=domains)
    ).result


async def test_the_first_account_brings_the_shipped_catalogue(store: Store, caller: Caller) -> None:
    made = await create_account(
        store,
        caller,
        name=" Acme Pty Ltd ",
        code="ACME",
        domains=["Acme.Example.", "bücher.example", "acme.example"],
        time_zone="Australia/Sydney",
        policy=PasswordPolicy(min_length=12),
    )
    assert made.applied
    assert made.result.name == "Acme Pty Ltd"
    assert made.result.code == "acme"
    assert made.result.domains == ("acme.example", "xn--bcher-kva.example")
    force = await in_force.current(store)
    assert force.number == 1
    assert force.catalogue.product("Email").buy_label == "BUY EMAIL"
    details = await show(AccountScope(store, caller, "acme"))
    assert details.account == made.result
    assert details.policy.min_length == 12
    assert [one.bought for one in details.domains] == [False, False]
    assert [(line.verb, line.kind, line.name) for line in made.plan.lines] == [
        (PlanVerb.CREATED, "account", "acme"),
        (PlanVerb.CREATED, "domain", "acme.example"),
        (PlanVerb.CREATED, "domain", "xn--bcher-kva.example"),
    ]


async def test_a_later_account_leaves_the_catalogue_alone(store: Store, caller: Caller) -> None:
    await make(store, caller, "acme")
    await make(store, caller, "other")
    assert (await in_force.current(store)).number == 1


async def test_a_dry_run_makes_nothing(store: Store, caller: Caller) -> None:
    tried = await create_account(store, caller, name="Acme", code="acme", dry_run=True)
    assert not tried.applied
    assert tried.plan.changes_anything
    assert await list_accounts(store, caller) == ()
    with pytest.raises(NotFound):
        await in_force.current(store)


async def test_every_problem_is_told_at_once(store: Store, caller: Caller) -> None:
    with pytest.raises(InvalidInput) as caught:
        await create_account(
            store,
            caller,
            name="\x1b[31m",
            code="-a",
            domains=["fine.example", "no_underscore.example", "a..b", "single", "-x.example"],
            time_zone="Mars/Olympus",
        )
    where = [problem.where for problem in caught.value.problems]
    assert where == ["name", "code", "time_zone", "domain", "domain", "domain", "domain"]
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("code", ["a", "a" * 17, "a_b", "a-", "-a", "a b", "ä1", ""])
async def test_codes_that_are_refused(store: Store, caller: Caller, code: str) -> None:
    with pytest.raises(InvalidInput, match="account code"):
        await create_account(store, caller, name="A", code=code)


@pytest.mark.parametrize("code", ["ab", "a-b", "1a", "a" * 16])
async def test_codes_that_are_taken_as_they_are(store: Store, caller: Caller, code: str) -> None:
    assert (await make(store, caller, code)).code == code


async def test_code_and_domains_are_unique_in_the_installation(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(Conflict) as caught:
        await make(store, caller, "acme", "ACME.example", "new.example")
    assert [problem.where for problem in caught.value.problems] == ["code", "domain"]
    assert len(await list_accounts(store, caller)) == 1


async def test_a_caller_for_some_accounts_sees_only_those(
    store: Store, caller: Caller, account: Account
) -> None:
    other = await make(store, caller, "other", "other.example")
    some = replace(caller, accounts=frozenset({other.id}))
    assert [one.code for one in await list_accounts(store, some)] == ["other"]
    assert (await resolve_account(store, some, None)).code == "other"
    with pytest.raises(Denied):
        await show(AccountScope(store, some, "acme"))
    with pytest.raises(Denied):
        await make(store, some, "third")


async def test_which_account_is_meant(store: Store, caller: Caller) -> None:
    with pytest.raises(NotFound, match="init"):
        await resolve_account(store, caller, None)
    await create_account(store, caller, name="Sample", code="sample", is_sample=True)
    assert (await resolve_account(store, caller, None)).is_sample
    acme = await make(store, caller, "acme", "acme.example")
    assert await resolve_account(store, caller, None) == acme
    assert await resolve_account(store, caller, "ACME") == acme
    assert await resolve_account(store, caller, acme.id) == acme
    assert (await resolve_account(store, caller, "sample")).is_sample
    await make(store, caller, "other")
    with pytest.raises(UsageError) as caught:
        await resolve_account(store, caller, None)
    assert "acme (Acme), other (Other)" in caught.value.what
    assert "sample" not in caught.value.what
    with pytest.raises(NotFound, match=r"acme .*, other .*, sample "):
        await resolve_account(store, caller, "none")


async def test_an_edit_that_somebody_overtook_is_refused_with_what_they_did(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    other = replace(caller, operator="otto")
    first = await edit_account(
        AccountScope(store, other, account.id),
        version=1,
        name="Acme Ltd",
        time_zone="Europe/Berlin",
    )
    assert (first.result.name, first.result.version) == ("Acme Ltd", 2)
    with pytest.raises(StaleVersion, match="otto") as caught:
        await edit_account(scope, version=1, name="Acme Inc")
    assert caught.value.theirs["name"] == ("Acme Pty Ltd", "Acme Ltd")
    again = await edit_account(scope, version=2, name="Acme Ltd")
    assert not again.plan.changes_anything
    assert again.result.version == 2
    policy = PasswordPolicy(min_length=20)
    await edit_account(scope, version=2, policy=policy)
    assert (await show(scope)).policy == policy


async def test_contacts_are_replaced_as_a_whole(scope: AccountScope) -> None:
    wanted = [
        Contact(ContactRole.BILLING, "Bill", "bill@acme.example", "+61 2 5550 1234"),
        Contact(ContactRole.PRIMARY, " Paula ", "paula@ACME.example"),
    ]
    done = await set_contacts(scope, wanted)
    assert [one.name for one in done.result] == ["Paula", "Bill"]
    assert await list_contacts(scope) == done.result
    assert (await show(scope)).contacts == done.result
    again = await set_contacts(scope, done.result)
    assert not again.plan.changes_anything
    with pytest.raises(InvalidInput) as caught:
        await set_contacts(scope, [Contact(ContactRole.PRIMARY, "", "nonsense", "\x07")])
    assert [problem.where for problem in caught.value.problems] == [
        "contact 1 name",
        "contact 1 phone",
        "contact 1 email",
    ]
    assert await list_contacts(scope) == done.result
    (entry,) = await audit_log.entries(scope, action="set contacts")
    assert entry.before == {"contacts": []}


async def test_a_domain_that_is_registered_elsewhere_comes_and_goes(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    other = await make(store, caller, "other")
    await add_domain(scope, "Two.Example")
    with pytest.raises(Conflict, match="already"):
        await add_domain(scope, "two.example")
    with pytest.raises(Conflict, match="another account"):
        await add_domain(AccountScope(store, caller, other.id), "two.example")
    tried = await remove_domain(scope, "two.example", dry_run=True)
    assert not tried.applied
    assert len(await list_domains(store, account.id)) == 2
    await remove_domain(scope, "TWO.example")
    assert [one.name for one in await list_domains(store, account.id)] == ["acme.example"]
    await add_domain(AccountScope(store, caller, other.id), "two.example")
    with pytest.raises(Conflict, match="another account"):
        await add_domain(scope, "two.example")
    with pytest.raises(NotFound, match="has no domain"):
        await remove_domain(scope, "two.example")
    await remove_domain(AccountScope(store, caller, other.id), "two.example")
    await add_domain(scope, "two.example")
    assert len(await list_domains(store, account.id)) == 2


async def test_a_domain_stays_while_users_have_addresses_in_it(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await add_domain(scope, "two.example")
    user = await create(store, caller, account, ada())
    await add_alias(scope, user.id, "ada@two.example")
    with pytest.raises(Conflict, match=r"ada\.lovelace@acme\.example"):
        await remove_domain(scope, "two.example")
    await delete_user(scope, user.id)
    with pytest.raises(Conflict, match="recycling bin"):
        await remove_domain(scope, "two.example")


def test_a_month_begins_in_the_accounts_own_time_zone() -> None:
    from zoneinfo import ZoneInfo

    sydney = ZoneInfo("Australia/Sydney")
    late = datetime(2026, 10, 31, 13, 30, tzinfo=UTC)  # 1 November, 00:30 in Sydney
    assert month_start(late, sydney) == datetime(2026, 10, 31, 13, 0, tzinfo=UTC)
    assert month_start(late, UTC) == datetime(2026, 10, 1, tzinfo=UTC)
    assert month_start(datetime(2026, 10, 20, tzinfo=UTC), sydney) == datetime(
        2026, 9, 30, 14, 0, tzinfo=UTC
    )
