"""Pasting a list: proposals, refusals, users and their bulk in one transaction, on both databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from mission_control_tui.model.bulk import queries
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.bulk.views import ItemOutcome
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import InvalidInput, NoSeats
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.onboarding.paste import PasteChoices, PasteResult, paste, preview
from mission_control_tui.model.onboarding.pasted_list import read_list
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.upn_proposals import Pattern, local_part
from mission_control_tui.model.people.address_syntax import upn_problems
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.views import Account
from tests.model.helpers import ada, create, finish, named, own_seats

pytestmark = pytest.mark.any_database

EXCHANGE = "managed-exchange"
DOMAIN = "acme.example"
MAILBOX = TemplateContent({"department": "Sales"}, (TemplateService(EXCHANGE, "pc-web"),))
CHOICES = PasteChoices(DOMAIN, Pattern.FIRST_LAST, MAILBOX)


async def pasted(
    store: Store, caller: Caller, account: Account, text: str, **named: bool
) -> Outcome[PasteResult]:
    return await paste(AccountScope(store, caller, account.id), read_list(text), CHOICES, **named)  # type: ignore[arg-type]


async def count(store: Store, what: type[UserRow | BulkRow]) -> int:
    async with store.read() as session:
        return await session.scalar(select(func.count()).select_from(what)) or 0


async def test_a_list_becomes_users_and_one_bulk(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 5)
    outcome = await pasted(
        store, caller, account, "Ada Lovelace\nHopper, Grace\n\n3. Mary van Dyke"
    )
    result = outcome.result

    assert [one.upn for one in result.created] == [
        *("ada.lovelace@acme.example", "grace.hopper@acme.example", "mary.vandyke@acme.example")
    ]
    assert [one.upn for one in result.passwords] == [one.upn for one in result.created]
    assert all(len(one.password) >= 8 for one in result.passwords)
    assert (await users.details(scope, "mary.vandyke")).details.department == "Sales"
    bulk = result.bulk
    assert bulk is not None
    assert (bulk.progress.total, bulk.progress.left) == (3, 3)
    while not (await work_slice(store, bulk.id)).last:
        pass
    items = await queries.items(scope, bulk.id, outcomes=frozenset(ItemOutcome))
    assert [one.outcome for one in items] == [ItemOutcome.ORANGE] * 3
    async with store.read() as session:
        levels = (await session.scalars(select(AssignmentRow.level_id))).all()
    assert levels == ["pc-web"] * 3


async def test_an_undo_of_the_bulk_takes_the_services_and_leaves_the_users(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 5)
    bulk = (await pasted(store, caller, account, "Ada Lovelace\nGrace Hopper")).result.bulk
    assert bulk is not None
    while not (await work_slice(store, bulk.id)).last:
        pass
    await finish(store, caller, account)
    undone = await undo(scope, bulk=bulk.id)
    assert undone.result.bulk is not None
    while not (await work_slice(store, undone.result.bulk.id)).last:
        pass
    async with store.read() as session:
        wishes = (await session.scalars(select(AssignmentRow.wish))).all()
    assert wishes == ["absent", "absent"]
    assert await count(store, UserRow) == 2


async def test_somebody_who_took_the_upn_meanwhile_is_not_overwritten(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account, named("ada.lovelace", display_name="Adam Lovelace"))
    people = read_list("Ada Lovelace\nGrace Hopper <adam.lovelace@acme.example>")
    await create(store, caller, account, named("adam.lovelace", display_name="A. Lovelace"))
    found = await preview(scope, people, PasteChoices(DOMAIN))
    assert found[0].upn == "ada.lovelace2@acme.example"
    assert "is taken by A. Lovelace" in str(found[1].problems[0])


async def test_a_dry_run_says_the_same_and_changes_nothing(
    store: Store, caller: Caller, account: Account
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 1)
    outcome = await pasted(store, caller, account, "Ada Lovelace\nGrace Hopper", dry_run=True)
    (need,) = outcome.result.seats
    assert (need.free, need.needed, need.short) == (1, 2, 1)
    assert len(outcome.result.created) == 2
    assert outcome.result.passwords == ()
    assert (await count(store, UserRow), await count(store, BulkRow)) == (0, 0)


async def test_too_few_seats_refuse_the_list_unless_they_are_allowed_for(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 1)
    with pytest.raises(NoSeats, match="2 needed, 1 free"):
        await pasted(store, caller, account, "Ada Lovelace\nGrace Hopper")
    assert await count(store, UserRow) == 0

    outcome = await pasted(store, caller, account, "Ada Lovelace\nGrace Hopper", allow_short=True)
    assert outcome.result.bulk is not None
    while not (await work_slice(store, outcome.result.bulk.id)).last:
        pass
    bulk = await queries.show(scope, outcome.result.bulk.id)
    assert (bulk.progress.orange, bulk.progress.refused) == (1, 1)


async def test_everything_wrong_is_said_at_once_at_its_line_and_the_rest_is_done(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 5)
    await create(store, caller, account, ada())
    text = (
        "Name\tEmail\tCountry\n"
        "Ada Lovelace\t\t\n"  # is there
        "Grace Hopper\tgrace@navy.example\tUS\n"  # good; the address is another domain's
        "Bad Country\t\tNowhere\n"
        "Odd Address\todd address@acme.example\t\n"
        "Other\tada.lovelace@acme.example\t\n"  # taken by Ada
        "山田 太郎\t\t\n"  # no UPN
        "Mary Jackson\tmary@acme.example\t\n"
        "Mary Jackson\tmary@acme.example\t\n"
    )
    result = (await pasted(store, caller, account, text)).result
    assert [one.upn for one in result.created] == ["grace.hopper@acme.example", "mary@acme.example"]
    said = {one.person.line: str(one.problems[0]) for one in result.refused}
    assert sorted(said) == [2, 4, 5, 6, 7, 9]
    assert "is there already" in said[2]
    assert said[4].startswith("line 4, Country")
    assert "is not an address" in said[5]
    assert "is taken by Ada Lovelace" in said[6]
    assert "no UPN can be made" in said[7]
    assert "stands in line 8 already" in said[9]
    grace = await users.details(scope, "grace.hopper")
    assert (grace.details.external_email, grace.details.country) == ("grace@navy.example", "US")


async def test_who_has_the_name_already_gets_another_one_proposed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account, named("ada.lovelace", display_name="Adam Lovelace"))
    people = read_list("Ada Lovelace\nAda King Lovelace\nada lovelace <a@b.example>")
    choices = PasteChoices(DOMAIN)
    found = await preview(scope, people, choices)
    assert [one.upn.partition("@")[0] for one in found] == [
        *("ada.lovelace2", "a.lovelace", "ada.lovelace.3")
    ]


async def test_the_same_list_again_creates_nobody(
    store: Store, caller: Caller, account: Account
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 9)
    await create(store, caller, account, named("ada.lovelace", display_name="Adam Lovelace"))
    text = "Ada Lovelace\nGrace Hopper\nx@acme.example"
    first = await pasted(store, caller, account, text)
    again = await pasted(store, caller, account, text)
    assert (len(first.result.created), len(again.result.created)) == (3, 0)
    assert again.result.bulk is None
    assert await count(store, UserRow) == 4


async def test_what_keeps_the_passwords_can_still_stop_everything(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 5)

    def full(_made: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await paste(scope, read_list("Ada Lovelace"), CHOICES, keep=full)
    assert (await count(store, UserRow), await count(store, BulkRow)) == (0, 0)


async def test_a_domain_of_somebody_else_is_refused_as_a_whole(scope: AccountScope) -> None:
    with pytest.raises(InvalidInput, match=DOMAIN):
        await preview(scope, read_list("Ada"), PasteChoices("other.example"))


async def test_two_thousand_lines_at_once(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, EXCHANGE, "pc-web", 2000)
    text = "\n".join(f"Person{number % 50} Number{number}" for number in range(2000))
    result = (await pasted(store, caller, account, text)).result
    assert len(result.created) == 2000
    assert result.bulk is not None
    assert result.bulk.progress.total == 2000
    assert (await page(scope)).total == 2000


@pytest.mark.parametrize(
    ("pattern", "local"),
    [
        (Pattern.FIRST_LAST, "jose.garcia"),
        (Pattern.F_LAST, "jgarcia"),
        (Pattern.FIRST, "jose"),
        (Pattern.LAST_FIRST, "garcia.jose"),
        (Pattern.FIRSTLAST, "josegarcia"),
    ],
)
def test_patterns(pattern: Pattern, local: str) -> None:
    assert local_part(pattern, "José María", "García") == local


@given(st.sampled_from(Pattern), st.text(max_size=90), st.text(max_size=90))
def test_a_local_part_is_valid_or_there_is_none(pattern: Pattern, first: str, last: str) -> None:
    local = local_part(pattern, first, last)
    assert not local or upn_problems(f"{local}@{DOMAIN}") == []
