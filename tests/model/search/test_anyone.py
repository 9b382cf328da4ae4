"""Finding people, orders and accounts over all accounts, and what an operator looked at last, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.model.accounts.editing import edit_account
from mission_control_tui.model.accounts.search import find_accounts
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Denied
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.operators import recents
from mission_control_tui.model.orders import buying
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import anyone
from mission_control_tui.model.search.anyone import find_anyone, order_number
from mission_control_tui.model.search.results import SearchResults
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.editing import add_alias
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, finish


@pytest.fixture
async def globex(store: Store, caller: Caller, catalogue: Catalogue, account: Account) -> Account:
    """A second account, with globex.example."""
    return await make_account(store, caller, catalogue, "globex", "globex.example")


async def person(
    store: Store, caller: Caller, account: Account, name: str, local: str, **changes: object
) -> str:
    """The id of a new user of the account's first domain."""
    first, _, last = name.partition(" ")
    details = ada(
        upn=f"{local}@{account.domains[0]}",
        username=local[:20],
        first_names=first,
        last_name=last,
        display_name=name,
        **changes,
    )
    return (await create(store, caller, account, details)).id


def names(found: SearchResults) -> list[str]:
    return [f"{one.display_name} of {one.account.code}" for one in found.users]


async def test_everybody_who_may_be_seen_is_found_by_names_upn_alias_and_phone(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    await person(store, caller, account, "Ada Lovelace", "ada")
    grace = await person(
        store, caller, globex, "Grace Hopper", "grace", office_phone="+61 2 9000 1234"
    )
    await add_alias(AccountScope(store, caller, globex.id), grace, "amazing@globex.example")
    for query in ("hop", "GRACE", "grace@globex", "amazing", "gr hop", "+61 2 9000", "02 9000 1"):
        (hit,) = (await find_anyone(store, caller, query, current=account.id)).users
        assert (hit.user_id, hit.account.code, hit.account.domains) == (
            grace,
            "globex",
            ("globex.example",),
        ), query
    assert (await find_anyone(store, caller, "amazing")).users[0].matched == (
        "alias amazing@globex.example"
    )
    for query in ("02 9000 1", "9000 1234", "1234"):
        matched = (await find_anyone(store, caller, query)).users[0].matched
        assert "+61 2 9000 1234" in matched, query
    assert (await find_anyone(store, caller, "234")).users == (), "three digits are too few"
    assert (await find_anyone(store, caller, "hopper")).users[0].matched == ""
    own = replace(caller, accounts=frozenset({account.id}))
    assert names(await find_anyone(store, own, "a")) == ["Ada Lovelace of acme"]
    for query in ("grace", "grace@globex.example", "amazing@globex.example", "opper"):
        assert (await find_anyone(store, own, query)).users == (), query


async def test_the_best_come_first_and_the_current_account_among_equals(
    store: Store, caller: Caller, account: Account, scope: AccountScope, globex: Account
) -> None:
    await person(store, caller, globex, "Zed Sam", "z.sam")
    await person(store, caller, account, "Yve Samson", "y.samson")
    await person(store, caller, globex, "Samantha Ash", "samantha")
    await person(store, caller, account, "Samuel Bo", "samuel")
    await person(store, caller, globex, "Nobody Else", "sam")
    gone = await person(store, caller, account, "Sam Gone", "sam.gone")
    await deletion.delete_user(scope, gone)
    found = await find_anyone(store, caller, "sam", current=account.id)
    assert names(found) == [
        "Nobody Else of globex",
        "Samuel Bo of acme",
        "Samantha Ash of globex",
        "Yve Samson of acme",
        "Zed Sam of globex",
        "Sam Gone of acme",
    ]
    assert [one.in_bin for one in found.users] == [False] * 5 + [True]
    there = await find_anyone(store, caller, "sam", current=globex.id)
    assert names(there)[:3] == [
        "Nobody Else of globex",
        "Samantha Ash of globex",
        "Samuel Bo of acme",
    ]
    few = await find_anyone(store, caller, "sam", 2, current=account.id)
    assert (len(few.users), few.more, found.more) == (2, True, False)


async def test_the_middle_of_a_word_is_looked_for_when_nothing_begins_so(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    await person(store, caller, account, "Ada Lovelace", "ada")
    await person(store, caller, globex, "Grace Hopper", "grace")
    assert names(await find_anyone(store, caller, "velac")) == ["Ada Lovelace of acme"]
    assert names(await find_anyone(store, caller, "bex.exam")) == ["Grace Hopper of globex"]
    assert names(await find_anyone(store, caller, "op")) == []
    assert names(await find_anyone(store, caller, "%")) == []
    assert names(await find_anyone(store, caller, "   ")) == []


async def test_a_name_and_digits_of_a_phone_find_together_each_in_its_own_place(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    await person(store, caller, account, "Ada Smith", "ada", office_phone="+61 2 9000 4567")
    bea = await person(store, caller, globex, "Bea Smithers", "bea", mobile_phone="0412 839 562")
    await add_alias(AccountScope(store, caller, globex.id), bea, "amazing@globex.example")
    await person(store, caller, globex, "Cem Jones", "cem", office_phone="+61 2 9000 4567")
    await person(store, caller, account, "Dee Smith", "dee", office_phone="+61 2 9000 7654")
    await person(store, caller, account, "Eve Smith4567", "eve")
    for query, expected in (
        ("smith 4567", {"Ada Smith of acme"}),
        ("4567 SMITH", {"Ada Smith of acme"}),
        ("ada@acme 4567", {"Ada Smith of acme"}),
        ("smith 02 9000 4567", {"Ada Smith of acme"}),
        ("smith 9562", {"Bea Smithers of globex"}),
        ("amazing 8395", {"Bea Smithers of globex"}),
        ("smith 4567 9000", {"Ada Smith of acme"}),
        ("smith 4567 9562", set()),
        ("jones 7654", set()),
        ("smith 567", set()),
    ):
        found = await find_anyone(store, caller, query, current=account.id)
        assert set(names(found)) == expected, query
    found = await find_anyone(store, caller, "amazing 8395")
    assert found.users[0].matched == "alias amazing@globex.example"
    (ada,) = (await find_anyone(store, caller, "smith 4567")).users
    assert "+61 2 9000 4567" in ada.matched
    own = replace(caller, accounts=frozenset({account.id}))
    assert (await find_anyone(store, own, "smith 9562")).users == ()
    assert names(await find_anyone(store, own, "smith 4567")) == ["Ada Smith of acme"]


async def test_digits_are_looked_for_in_all_phones_where_many_have_the_name(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    await person(store, caller, globex, "Ann Smith", "ann", office_phone="+61 2 9000 4567")
    await person(store, caller, account, "Bob Smith", "bob", office_phone="04 1223 4488")
    await person(store, caller, account, "Abe Jones", "abe", office_phone="04 1299 4567")
    everywhere = [
        set(names(await find_anyone(store, caller, query, current=account.id)))
        for query in ("smith 4567", "4567", "a 4567", "a 9000 4567", "b 2344")
    ]
    assert everywhere == [
        {"Ann Smith of globex"},
        {"Ann Smith of globex", "Abe Jones of acme"},
        {"Ann Smith of globex", "Abe Jones of acme"},
        {"Ann Smith of globex"},
        {"Bob Smith of acme"},
    ]


async def test_several_words_that_many_have_find_the_same(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    globex: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await person(store, caller, account, "Ada Smith", "ada.king")
    await person(store, caller, globex, "Smith Adams", "s.adams")
    await person(store, caller, globex, "Ada Jones", "ada.jones")
    gone = await person(store, caller, account, "Ada Smithers", "ada.smithers")
    await deletion.delete_user(scope, gone)

    async def answers() -> list[list[str]]:
        return [
            names(await find_anyone(store, caller, query, current=account.id))
            for query in ("ada smith", "smith a", "ada s k", "jones smith")
        ]

    few = await answers()
    assert few == [
        ["Ada Smith of acme", "Smith Adams of globex", "Ada Smithers of acme"],
        ["Smith Adams of globex", "Ada Smith of acme", "Ada Smithers of acme"],
        ["Ada Smith of acme"],
        [],
    ]
    monkeypatch.setattr(anyone, "MANY", 1)
    assert await answers() == few
    monkeypatch.setattr(anyone, "COUNTED", 1)
    assert await answers() == few


@pytest.mark.any_database
async def test_flags_and_lights_are_told(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await person(store, caller, account, "Ada Lovelace", "ada")
    await editing.disable_user(scope, user)
    await finish(store, caller, account)
    (hit,) = (await find_anyone(store, caller, "ada")).users
    assert (hit.disabled, hit.locked, hit.in_bin, hit.username) == (True, False, False, "ada")


async def test_orders_are_found_by_their_number(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    order = (
        await buying.buy(AccountScope(store, caller, globex.id), "email", level="popx", quantity=2)
    ).result
    for query in (str(order.id), f"#{order.id}", f"order {order.id}", f"Order no. {order.id}"):
        (hit,) = (await find_anyone(store, caller, query, current=account.id)).orders
        assert (hit.order_id, hit.account.code, hit.total) == (order.id, "globex", order.total)
    own = replace(caller, accounts=frozenset({account.id}))
    assert (await find_anyone(store, own, f"#{order.id}")).orders == ()
    assert (await find_anyone(store, caller, "order 999999999")).orders == ()
    assert [order_number(text) for text in ("12", "#012", "order 12", "12a", "", "order")] == [
        12,
        12,
        12,
        None,
        None,
        None,
    ]


async def test_accounts_are_found_by_parts_recent_ones_first(
    store: Store, caller: Caller, catalogue: Catalogue, account: Account, globex: Account
) -> None:
    acme2 = await make_account(store, caller, catalogue, "xacme", "mail.example")

    async def codes(query: str, by: Caller = caller) -> list[str]:
        return [one.code for one in await find_accounts(store, by, query)]

    assert await codes("") == ["acme", "globex", "xacme"]
    assert await codes("lobe") == ["globex"]
    assert await codes("GLOBEX.exa") == ["globex"]
    assert await codes("pty xacm") == ["xacme"]
    assert await codes("nosuch") == []
    assert await codes("acme") == ["acme", "xacme"]
    await recents.remember(store, caller, acme2.id)
    assert await codes("acme") == ["acme", "xacme"], "the exact code comes first"
    assert await codes("acm") == ["xacme", "acme"]
    assert await codes("") == ["xacme", "acme", "globex"]
    own = replace(caller, accounts=frozenset({globex.id}))
    assert await codes("", own) == ["globex"]
    assert await codes("acme", own) == []


async def test_accounts_and_domains_are_found_with_the_people(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    await person(store, caller, account, "Glen Bexley", "glen")
    await edit_account(
        AccountScope(store, caller, globex.id),
        version=globex.version,
        name="Łódź Logistics",
        customer_number="K-4711/2",
    )

    async def codes(query: str, by: Caller = caller) -> list[str]:
        return [found.code for found in (await find_anyone(store, by, query)).accounts]

    for query in ("globex", "GLOBEX.example", "lodz", "k-4711/2", "4711", "logis", "lodz glob"):
        assert await codes(query) == ["globex"], query
    assert await codes("g") == ["globex"]
    assert names(await find_anyone(store, caller, "gle")) == ["Glen Bexley of acme"]
    assert await codes("nosuch") == await codes("") == []
    own = replace(caller, accounts=frozenset({account.id}))
    assert await codes("globex", own) == []
    found = await find_accounts(store, caller, "K-4711/2")
    assert [(each.code, each.customer_number) for each in found] == [("globex", "K-4711/2")]


@pytest.mark.any_database
async def test_recents_are_an_operators_own_and_bounded_and_not_in_the_audit(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    globex: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = [
        await person(store, caller, account, f"Ada {n}", f"ada{n}") for n in ("one", "two", "three")
    ]
    there = await person(store, caller, globex, "Grace Hopper", "grace")
    before = await audit_log.entries(scope)
    looker = replace(caller, operator="lois", may_write=False)
    for user in (*here, here[0]):
        await recents.remember(store, looker, account.id, user)
    await recents.remember(store, looker, globex.id, there)
    await recents.remember(store, looker, globex.id, there)
    seen = [one.user.user_id for one in await recents.recent_users(store, looker)]
    assert seen == [there, here[0], here[2], here[1]]
    assert await recents.recent_users(store, caller) == ()
    assert [one.code for one in await recents.recent_accounts(store, looker)] == ["globex", "acme"]
    await recents.remember(store, looker, account.id)
    assert [one.code for one in await recents.recent_accounts(store, looker)] == ["acme", "globex"]
    assert await audit_log.entries(scope) == before
    monkeypatch.setattr(recents, "KEPT", 2)
    await recents.remember(store, looker, account.id, here[1])
    seen = [one.user.user_id for one in await recents.recent_users(store, looker)]
    assert seen == [here[1], there]
    own = replace(looker, accounts=frozenset({account.id}))
    assert [one.user.user_id for one in await recents.recent_users(store, own)] == [here[1]]
    with pytest.raises(Denied):
        await recents.remember(store, own, globex.id, there)
