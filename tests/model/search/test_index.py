"""Finding users as one types, and listing them from anywhere in their order, on both databases."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import user_list
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.index import terms_of
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, finish, named, own_seats


async def found(store: Store, caller: Caller, account: Account, query: str) -> list[str]:
    page = await user_list.page(AccountScope(store, caller, account.id), UserFilter(query))
    assert page.total == len(page.rows)
    assert not page.more
    return [row.upn.partition("@")[0] for row in page.rows]


@pytest.fixture
async def people(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> Sequence[UserDetails]:
    """Users whose names try a search."""
    made = [
        named("b.obrien", display_name="Brían  O'Brien", first_names="Brían", last_name="O'Brien"),
        named("jl", display_name="Jean-Luc Straße", last_name="Straße", office_phone="9876 5432"),
        ada(mobile_phone="+61 2 9876 5432"),
        named("x", display_name="王小明", first_names="小明", last_name="王"),
        named("pz", display_name="Paweł Żółć", first_names="Paweł", last_name="Żółć"),
        named("ii", display_name="İbrahim Iş\u0131k", first_names="İbrahim", last_name="Iş\u0131k"),
        named(
            "ba", display_name="Bjørn Ærø\u2013Þór", first_names="Bjørn", last_name="Ærø\u2013Þór"
        ),
        named(
            "so", display_name="Sinéad O\u2019Shea", first_names="Sinéad", last_name="O\u2019Shea"
        ),
        named("ps", display_name="प्रिया शर्मा", first_names="प्रिया", last_name="शर्मा"),
    ]
    for one in made:
        await create(store, caller, account, one)
    user = await users.details(scope, "jl")
    await editing.add_alias(scope, user.id, "captain.picard@acme.example")
    return made


EVERYBODY = ["ada.lovelace", "ba", "b.obrien", "ii", "jl", "pz", "so", "ps", "x"]
FINDS = {
    "pawel": ["pz"],
    "zolc": ["pz"],
    "PAWEŁ żółć": ["pz"],
    "isik": ["ii"],
    "\u0131ş\u0131k": ["ii"],
    "IŞIK ibrahim": ["ii"],
    "bjorn aero": ["ba"],
    "bjørn": ["ba"],
    "aero-thor": ["ba"],
    "o'shea": ["so"],
    "o\u2019shea": ["so"],
    "o`shea": ["so"],
    "oshea": ["so"],
    "sine\u0301ad\u00a0o\u02bcsh": ["so"],
    "प्रिया": ["ps"],
    "शर्मा": ["ps"],
    "र्मा": [],
    "brian": ["b.obrien"],
    "BRÍA": ["b.obrien"],
    "o'b": ["b.obrien"],
    "obri": ["b.obrien"],
    "brien": ["b.obrien"],
    "luc": ["jl"],
    "jean-l": ["jl"],
    "strasse": ["jl"],
    "picard": ["jl"],
    "captain.p": ["jl"],
    "ada.lovelace@acme.example": ["ada.lovelace"],
    "<ada.lovelace@acme.example>,": ["ada.lovelace"],
    "Lovelace, Ada": ["ada.lovelace"],
    "love ada": ["ada.lovelace"],
    "love brian": [],
    "ove": [],
    "王": ["x"],
    "298765432": ["ada.lovelace"],
    "+61\u20112\u20119876": ["ada.lovelace"],
    "9876": ["jl"],
    "98765432": ["jl"],
    "+61 2 9876": ["ada.lovelace"],
    "(02) 98": ["ada.lovelace"],
    "0298765432": ["ada.lovelace"],
    "acme": [],
    "%": [],
    "   ": EVERYBODY,
    "( )": EVERYBODY,
    "_": [],
    "zzz": [],
}


async def test_what_is_typed_finds_whom_it_should(
    store: Store, caller: Caller, account: Account, people: Sequence[UserDetails]
) -> None:
    assert {query: await found(store, caller, account, query) for query in FINDS} == FINDS


async def test_what_changes_is_found_anew_and_what_was_is_not(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account)
    await editing.edit_user(
        scope,
        user.id,
        {"last_name": "King", "display_name": "Ada King", "upn": "ada.king@acme.example"},
    )
    assert await found(store, caller, account, "king") == ["ada.king"]
    assert await found(store, caller, account, "ada.lovelace@") == ["ada.king"]
    await editing.remove_alias(scope, user.id, user.upn)
    assert await found(store, caller, account, "ada.lovelace@") == []
    assert await found(store, caller, account, "ada.love") == ["ada.king"], "the username stays"
    await deletion.delete_user(scope, user.id)
    assert await found(store, caller, account, "king") == []
    binned = await user_list.page(scope, UserFilter("king", in_bin=True))
    assert [row.id for row in binned.rows] == [user.id]
    await deletion.restore_user(scope, user.id)
    assert await found(store, caller, account, "king") == ["ada.king"]


async def test_accounts_do_not_see_each_other(
    store: Store, caller: Caller, account: Account, catalogue: Catalogue
) -> None:
    other = await make_account(store, caller, catalogue, "rival", "rival.example")
    await create(store, caller, account)
    await create(store, caller, other, ada(upn="ada@rival.example"))
    assert await found(store, caller, account, "ada") == ["ada.lovelace"]
    assert await found(store, caller, other, "ada") == ["ada"]
    assert (await user_list.page(AccountScope(store, caller, other.id))).total == 1
    assert (await show(AccountScope(store, caller, other.id))).lights.green == 0


async def test_pages_are_pieces_of_one_order(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    names = ["Zoë", "anna", "Émile", "Anna", "bob", "Ödön"]
    for number, name in enumerate(names):
        await create(
            store, caller, account, named(f"u{number}", display_name=name, last_name="Same")
        )
    whole = await user_list.page(scope)
    assert [row.display_name for row in whole.rows][2:] == ["bob", "Émile", "Ödön", "Zoë"]
    for query in ("", "same"):
        pieces = [
            await user_list.page(scope, UserFilter(query), offset=start, limit=2)
            for start in range(0, 8, 2)
        ]
        assert [row for piece in pieces for row in piece.rows] == list(whole.rows)
        assert [piece.total for piece in pieces] == [6] * 4


async def test_a_user_with_many_alike_words_hides_nobody(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    first = await create(store, caller, account, named("many", display_name="A"))
    for number in range(12):
        await editing.add_alias(scope, first.id, f"common{number}@acme.example")
    for number in range(3):
        await create(store, caller, account, named(f"common.{number}x", display_name=f"B{number}"))
    page = await user_list.page(scope, UserFilter("common"), limit=4)
    assert [row.display_name for row in page.rows] == ["A", "B0", "B1", "B2"]
    assert (page.total, page.more) == (4, False)
    assert len((await user_list.page(scope, UserFilter("common"), limit=2)).rows) == 2


async def test_more_than_is_counted_is_said_to_be_more(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(user_list, "COUNT_LIMIT", 3)
    for number in range(6):
        await create(store, caller, account, named(f"u{number}", display_name=f"N{number}"))
    page = await user_list.page(scope, UserFilter("ada"), limit=2)
    assert (len(page.rows), page.total, page.more) == (2, 3, True)
    last = await user_list.page(scope, UserFilter("ada"), offset=4, limit=4)
    assert (len(last.rows), last.total, last.more) == (2, 6, False)
    assert (await user_list.page(scope, limit=2)).total == 6
    beyond = await user_list.page(scope, UserFilter("ada"), offset=9, limit=4)
    assert (beyond.rows, beyond.total, beyond.more) == ((), 6, False)


@pytest.mark.parametrize("few", [0, 100])
async def test_filters_agree_with_each_other(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(user_list, "FEW", few)
    await own_seats(store, caller, account, "managed-exchange", "popx")
    for number in range(4):
        user = await create(
            store, caller, account, named(f"u{number}", display_name=f"Ann {number}")
        )
        if number:
            wanted = [ActionParams("managed-exchange", "popx")]
            await provision(scope, user.id, wanted)
        if number == 2:
            await finish(store, caller, account)
        if number > 1:
            await editing.disable_user(scope, user.id)

    async def names(
        query: str = "", light: Light | None = None, disabled: bool | None = None
    ) -> str:
        lights = frozenset({light} if light else ())
        wanted = UserFilter(query, lights, disabled=disabled)
        page = await user_list.page(scope, wanted)
        assert page.total == len(page.rows)
        return "".join(row.display_name[-1] for row in page.rows)

    for query in ("", "ann"):
        assert await names(query) == "0123"
        assert await names(query, Light.GREEN) == "1"
        assert await names(query, Light.ORANGE) == "23"
        assert await names(query, Light.RED) == ""
        assert await names(query, disabled=True) == "23"
        assert await names(query, disabled=False) == "01"
        assert await names(query, Light.GREEN, disabled=False) == "1"
        assert await names(query, Light.GREEN, disabled=True) == ""
    counts = (await show(scope)).lights
    assert (counts.green, counts.orange, counts.red, counts.grey) == (1, 2, 0, 0)
    page = await user_list.page(scope, UserFilter("u2"))
    assert page.rows[0].lights == (("managed-exchange", Light.ORANGE),)


def test_a_term_that_begins_another_is_left_out() -> None:
    terms = terms_of(ada(mobile_phone="02 9876 5432", country="AU"))
    assert terms == [
        "0298765432",
        "298765432",
        "61298765432",
        "<23456789216",
        "ada.lovelace@acme.example",
        "lovelace",
    ]
