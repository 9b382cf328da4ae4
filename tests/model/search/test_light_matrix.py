"""The matrix of lights: pages, places and ids agree with each other and with what the words ask for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import cycle, product

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import light_matrix, user_queries
from mission_control_tui.model.search.filters import UserFilter, UserOrder, parse_filter
from mission_control_tui.model.states import Light, RequestKind, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.conftest import DOMAIN, make_account
from tests.model.helpers import create, finish, named, own_seats
from tests.model.search.test_query_plans import plan, statements
from tests.support import is_everything_tried

BOX, DB = "managed-exchange", "databases"
LIGHTS = {
    0: (Light.GREEN, Word.PROVISIONED, 0),
    1: (Light.RED, Word.ERROR, 50),
    2: (Light.ORANGE, Word.QUEUED, 10),
    3: (Light.RED, Word.ERROR, 20),
    4: (Light.GREEN, Word.PROVISIONED, 0),
    5: (Light.ORANGE, Word.WAITING, 30),
}


@pytest.fixture
async def people(store: Store, caller: Caller, account: Account, scope: AccountScope) -> list[str]:
    """Ids of eight users: six with a mailbox of each light, one without anything, one in the bin."""
    await own_seats(store, caller, account, BOX, "pc-web")
    await own_seats(store, caller, account, BOX, "popx")
    made = [
        await create(
            store,
            caller,
            account,
            named(
                f"u{number}",
                display_name=name,
                first_names=name.split()[0],
                last_name=name.split()[1],
                disabled=number == 4,
            ),
        )
        for number, name in enumerate(
            ("Zoe Red", "Ada A", "Bob A", "Ada B", "Éva C", "Cyd A", "Dan A", "Gone A")
        )
    ]
    await deletion.delete_user(scope, made[7].id)
    for number, user in enumerate(made[:6]):
        level = "popx" if number in (1, 2) else "pc-web"
        if number != 4:
            await provision(scope, user.id, [ActionParams(BOX, level)])
    await finish(store, caller, account)
    await change_wish(scope, made[0].id, BOX, RequestKind.SUSPEND)
    async with store.write(caller, account.id) as tx:
        for number, (light, word, age) in LIGHTS.items():
            await tx.session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.user_id == made[number].id)
                .values(
                    light=light,
                    word=word,
                    since=tx.now - timedelta(minutes=age),
                    drift=number == 5,
                )
            )
    return [user.id for user in made]


def mail(*lights: Light, **more: object) -> UserFilter:
    return UserFilter(lights=frozenset(lights), **more)  # type: ignore[arg-type]


SIGHTS: list[tuple[UserFilter, set[int]]] = [
    (UserFilter(), {0, 1, 2, 3, 4, 5, 6}),
    (UserFilter(text="ada"), {1, 3}),
    (UserFilter(text="ada b"), {3}),
    (mail(Light.RED), {1, 3}),
    (mail(Light.RED, Light.ORANGE), {1, 2, 3, 5}),
    (mail(Light.GREEN), {0}),
    (mail(Light.RED, levels=frozenset({(BOX, "popx")})), {1}),
    (UserFilter(levels=frozenset({(BOX, "popx"), (DB, "small")})), {1, 2}),
    (UserFilter(services=frozenset({BOX})), {0, 1, 2, 3, 5}),
    (UserFilter(services=frozenset({DB})), set()),
    (UserFilter(disabled=True), {4}),
    (UserFilter(disabled=False, text="a"), {1, 2, 3, 5, 6}),
    (UserFilter(drift=True), {5}),
    (mail(Light.RED, text="ada", disabled=False), {1, 3}),
]


def sights_and_orders() -> Iterable[tuple[tuple[UserFilter, set[int]], UserOrder]]:
    """Each sight in an order and each order with a sight; for proof all with all."""
    if is_everything_tried():
        return product(SIGHTS, UserOrder)
    return (*zip(SIGHTS, cycle(UserOrder), strict=False), *product(SIGHTS[:1], UserOrder))


@pytest.mark.any_database
@pytest.mark.parametrize("few", [0, pytest.param(10_000, marks=pytest.mark.proof)])
async def test_pages_places_and_ids_are_one_list_in_each_order(
    store: Store,
    caller: Caller,
    account: Account,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(user_queries, "FEW", few)
    scope = AccountScope(store, caller, account.id)
    for (sight, expected), order in sights_and_orders():
        whole = await light_matrix.page(scope, sight, order)
        shown = [row.user_id for row in whole.rows]
        assert set(shown) == {people[number] for number in expected}, sight
        assert whole.total == len(expected)
        parts = [
            row.user_id
            for offset in range(0, len(shown), 2)
            for row in (await light_matrix.page(scope, sight, order, offset=offset, limit=2)).rows
        ]
        assert parts == shown
        assert await light_matrix.ids(scope, sight, order) == tuple(shown)
        for index, user in enumerate(people):
            place = await light_matrix.place(scope, user, sight, order)
            assert place == (shown.index(user) if index in expected else None)
        assert await light_matrix.among(scope, people, sight) == set(shown)
        for first, last in product(shown[:2], shown[-2:]):
            places = sorted((shown.index(first), shown.index(last)))
            between = await light_matrix.ids(scope, sight, order, first=first, last=last)
            assert between == tuple(shown[places[0] : places[1] + 1])


async def test_the_oldest_trouble_comes_first_and_the_rest_by_name(
    store: Store, caller: Caller, account: Account, people: list[str]
) -> None:
    scope = AccountScope(store, caller, account.id)
    oldest = [people.index(one) for one in await light_matrix.ids(scope, order=UserOrder.OLDEST)]
    assert oldest[:4] == [1, 5, 3, 2]
    newest = [people.index(one) for one in await light_matrix.ids(scope, order=UserOrder.NEWEST)]
    assert newest[:4] == [2, 3, 5, 1]
    assert oldest[4:] == newest[4:] == [6, 4, 0]
    assert await light_matrix.ids(scope, first=people[7], last=people[0]) == ()


async def test_a_cell_has_light_letter_and_flags(scope: AccountScope, people: list[str]) -> None:
    found = await light_matrix.page(scope)
    letters = {people.index(row.user_id): row.cells[BOX].letter for row in found.rows if row.cells}
    assert letters == {0: "S", 1: "E", 2: "Q", 3: "E", 5: "D"}
    by_user = {people.index(row.user_id): row for row in found.rows}
    assert by_user[0].cells[BOX].suspended
    assert by_user[5].cells[BOX].drift
    assert by_user[6].cells == {}
    assert by_user[0].since is None
    assert by_user[1].since is not None
    across = await light_matrix.columns(scope)
    assert [(one.service_id, one.code) for one in across] == [(BOX, "ME")]


def test_words_are_lights_levels_states_and_the_rest_is_text(catalogue: Catalogue) -> None:
    assert parse_filter("", catalogue) == UserFilter()
    assert parse_filter("Red popx smith", catalogue) == UserFilter(
        "smith", frozenset({Light.RED}), levels=frozenset({(BOX, "popx")})
    )
    assert parse_filter("red ORANGE", catalogue).lights == {Light.RED, Light.ORANGE}
    assert parse_filter("disabled drift", catalogue) == UserFilter(disabled=True, drift=True)
    assert parse_filter("enabled", catalogue).disabled is False
    assert parse_filter('"red" baron', catalogue) == UserFilter("red baron")
    assert parse_filter('unclosed "red', catalogue) == UserFilter("unclosed red")
    assert parse_filter("Managed Exchange ada", catalogue) == UserFilter(
        "ada", services=frozenset({BOX})
    )
    long_name = catalogue.service(BOX).level("popx").name
    assert parse_filter(f"{long_name} red", catalogue) == UserFilter(
        "", frozenset({Light.RED}), levels=frozenset({(BOX, "popx")})
    )


@pytest.mark.parametrize("few", [-1, pytest.param(10_000, marks=pytest.mark.proof)])
async def test_no_matrix_reads_a_whole_table(
    sqlite_store: Store,
    caller: Caller,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(user_queries, "FEW", few)
    account = (await make_account(sqlite_store, caller, catalogue, "acme", DOMAIN)).id
    scope = AccountScope(sqlite_store, caller, account)
    sights = [
        UserFilter(text, lights, frozenset(), levels, disabled, drift)
        for text, lights, levels, disabled, drift in product(
            ("", "a", "a b"),
            (frozenset[Light](), frozenset({Light.RED})),
            (frozenset[tuple[str, str]](), frozenset({(BOX, "popx")})),
            (None, True),
            (False, True),
        )
    ]
    with statements(sqlite_store) as seen:
        for sight, order in (
            product(sights, UserOrder)
            if is_everything_tried()
            else zip(sights, cycle(UserOrder), strict=False)
        ):
            await light_matrix.page(scope, sight, order)
            await light_matrix.place(scope, "x", sight, order)
            await light_matrix.ids(scope, sight, order)
            await light_matrix.among(scope, ["x"], sight)
    lines = await plan(sqlite_store, list({_key(one): None for one in seen}))
    tables = ("users", "search_terms", "assignments")
    assert not [line for line in lines if line.startswith("SCAN") and line.endswith(tables)]
    assert any("ix_assignments_drift" in line for line in lines)
    assert any("COVERING INDEX ix_users_listing" in line for line in lines)


def _key(seen: tuple[str, object]) -> tuple[str, tuple[object, ...]]:
    return seen[0], tuple(seen[1])  # type: ignore[arg-type]


async def test_the_columns_have_different_codes(
    store: Store, caller: Caller, account: Account, scope: AccountScope, catalogue: Catalogue
) -> None:
    for service in catalogue.services:
        for level in service.levels[:1]:
            await own_seats(store, caller, account, service.id, level.id)
    across = await light_matrix.columns(scope)
    assert len({one.code for one in across}) == len(across) > 2
    async with store.read() as session:
        assert await session.scalar(select(AssignmentRow.id)) is None
