"""Buying: prices are copied, seats arrive, domains are registered, details that disagree wait for a person."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.accounts.overview import list_seats, show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.errors import Conflict, Denied, InvalidInput, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import approve_order, decline_order
from mission_control_tui.model.orders.buying import Availability, buy, check_domain
from mission_control_tui.model.orders.queries import list_orders, show_order
from mission_control_tui.model.orders.subscriptions import list_subscriptions
from mission_control_tui.model.plan import PlanVerb, SeatLine
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, OrderKind, OrderState, RequestState, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.views import Account, LightCounts
from tests.model.helpers import list_domains

pytestmark = pytest.mark.any_database

ABN = "51 824 753 556"  # of the Australian Taxation Office, and its examples
COMPANY_ABN = "53 004 085 616"  # an ACN with two digits in front
ACN = "004 085 616"

REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


def australian(kind: str, number: str, **more: str) -> dict[str, Any]:
    return {**REGISTRANT, "eligibility-type": kind, "eligibility-number": number, **more}


async def test_seats_of_a_level_at_the_price_of_the_day(scope: AccountScope) -> None:
    done = await buy(scope, "Email", level="pc-web", quantity=3)
    order = done.result
    assert (order.kind, order.state) == (OrderKind.PURCHASE, OrderState.COMPLETE)
    assert (order.operator, order.ticket) == ("anna", "T-1")
    assert order.net == Money(2700, "AUD")
    assert order.tax == Money(270, "AUD")
    assert order.total == Money(2970, "AUD")
    (line,) = order.lines
    assert line.label == "Email: Managed Exchange - PC & Web Access, 1 month"
    assert (line.quantity, line.term_months, line.unit) == (3, 1, Money(900, "AUD"))
    assert line.total == order.total
    assert (done.plan.net, done.plan.tax, done.plan.total) == (order.net, order.tax, order.total)
    assert done.plan.seats == (SeatLine("managed-exchange", "pc-web", 0, 3, 0, 3),)
    (seats,) = await list_seats(scope)
    assert (seats.level_id, seats.owned, seats.used, seats.queued, seats.free) == (
        "pc-web", 3, 0, 0, 3,
    )  # fmt: skip
    (had,) = await list_subscriptions(scope)
    assert (had.product_id, had.level_id, had.quantity) == ("email", "pc-web", 3)
    assert await show_order(scope, order.id) == order
    (entry,) = await audit_log.entries(scope, action="buy email")
    assert entry.after["total"] == "AUD 29.70"


async def test_buying_again_adds_up(scope: AccountScope) -> None:
    await buy(scope, "email", level="popx", quantity=2)
    second = await buy(scope, "email", level="popx", quantity=5, term=12)
    assert second.plan.seats == (SeatLine("managed-exchange", "popx", 2, 7, 2, 7),)
    (had,) = await list_subscriptions(scope)
    assert (had.quantity, had.term_months) == (7, 12)
    details = await show(scope)
    assert details.orders == 2
    assert details.this_month == (Money(660 + 18150, "AUD"),)
    orders = await list_orders(scope)
    assert [order.total.minor for order in orders] == [18150, 660]
    assert await list_orders(scope, before_id=orders[0].id) == orders[1:]
    assert await list_orders(scope, states=[OrderState.DECLINED]) == ()


async def test_a_dry_run_shows_the_same_and_leaves_nothing(scope: AccountScope) -> None:
    tried = await buy(scope, "email", level="popx", quantity=2, dry_run=True)
    assert not tried.applied
    assert await list_orders(scope) == ()
    assert await list_seats(scope) == ()
    assert await audit_log.entries(scope) == ()
    done = await buy(scope, "email", level="popx", quantity=2)
    assert done.plan.seats == tried.plan.seats
    assert [(one.verb, one.kind) for one in done.plan.lines] == [
        (one.verb, one.kind) for one in tried.plan.lines
    ]


async def test_a_later_price_changes_no_order(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    order = (await buy(scope, "email", level="popx")).result
    dearer = shipped().replace("prices = { 1 = 300,", "prices = { 1 = 99900,")
    dearer = dearer.replace('name = "Standard Mail (POPX)"', 'name = "Simple Mail"')
    await catalogue_update.load(store, caller, dearer, "dearer.toml")
    assert await show_order(scope, order.id) == order
    after = (await buy(scope, "email", level="popx")).result
    assert after.net == Money(99900, "AUD")
    assert after.lines[0].label == "Email: Simple Mail, 1 month"


async def test_everything_that_is_wrong_is_told_at_once(scope: AccountScope) -> None:
    with pytest.raises(InvalidInput) as caught:
        await buy(
            scope,
            "domain-names",
            quantity=7,
            term=5,
            domain="acme.com",
            fields={"registrant-email": "nonsense", "shoe-size": 44},
        )
    assert {problem.where for problem in caught.value.problems} == {
        "quantity", "term", "registrant-email", "registrant-name", "shoe-size",
    }  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "email", quantity=0, domain="acme.example")
    assert [problem.where for problem in caught.value.problems] == ["domain", "level", "quantity"]
    with pytest.raises(NotFound, match="hats"):
        await buy(scope, "hats")
    assert await list_orders(scope) == ()


async def test_a_domain_name_is_registered_by_itself(
    store: Store, scope: AccountScope, account: Account
) -> None:
    done = await buy(
        scope,
        "Domain Names",
        domain="Bücher.com",
        term=24,
        fields={**REGISTRANT, "name-servers": "ns1.acme.example, NS2.acme.example"},
    )
    assert done.result.lines[0].label == "Domain Names: Registration for xn--bcher-kva.com, 2 years"
    assert done.result.net == Money(3500, "AUD")
    assert any("not checked" in warning for warning in done.plan.warnings)
    domains = {one.name: one for one in await list_domains(store, account.id)}
    assert domains["acme.example"].light is None
    bought = domains["xn--bcher-kva.com"]
    assert (bought.bought, bought.light, bought.word) == (True, Light.ORANGE, Word.QUEUED)
    assert bought.term_months == 24
    (registration,) = await status(scope)
    assert registration.service_id == "domain-registration"
    assert registration.subject == registration.backend_name == "xn--bcher-kva.com"
    assert registration.settings == {
        "auto-renew": True,
        "name-servers": ["ns1.acme.example", "ns2.acme.example"],
    }
    assert (await show(scope)).lights == LightCounts(orange=1)
    (request,) = await list_requests(scope)
    assert done.plan.requests == (request.id,)
    assert request.state is RequestState.QUEUED


async def test_a_domain_belongs_to_one_account(
    store: Store, caller: Caller, account: Account
) -> None:
    async def attempt(code: str, name: str) -> None:
        await buy(AccountScope(store, caller, code), "domain-names", domain=name, fields=REGISTRANT)

    await create_account(store, caller, name="Other", code="other", domains=["other.com"])
    await attempt("acme", "acme.com")
    with pytest.raises(Conflict, match="another account"):
        await attempt("other", "ACME.com")
    with pytest.raises(Conflict, match="already"):
        await attempt("acme", "acme.com")
    with pytest.raises(Conflict, match="another account"):
        await attempt("acme", "other.com")
    assert len(await list_orders(AccountScope(store, caller, "other"))) == 0


async def test_what_is_known_of_a_name_before_it_is_bought(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    await create_account(store, caller, name="Other", code="other", domains=["other.com"])
    await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)

    async def check(name: str) -> tuple[str, Availability]:
        found = await check_domain(scope, "domain-names", name)
        return found.extension_id, found.availability

    assert await check("new.com.au") == ("com-au", Availability.NOT_CHECKED)
    assert await check("acme.COM") == ("com", Availability.YOURS)
    assert await check("other.com") == ("com", Availability.TAKEN)
    with pytest.raises(NotFound, match="no ending that is sold"):
        await check("acme.zz")
    with pytest.raises(InvalidInput):
        await check("-.com")


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("company", ACN),
        ("company", COMPANY_ABN),
        ("registered-business", ABN),
        ("sole-trader", ABN),
        ("Partnership", ABN),
    ],
)
async def test_details_that_agree_need_nobody(scope: AccountScope, kind: str, number: str) -> None:
    fields = australian(kind, number)
    done = await buy(scope, "domain-names", domain="acme.com.au", fields=fields)
    assert done.result.state is OrderState.COMPLETE
    assert done.result.note == ""


@pytest.mark.parametrize("number", ["51 824 753 557", "004 085 617", "12345", "ABN"])
async def test_a_number_whose_check_digits_are_wrong_is_refused(
    scope: AccountScope, number: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "domain-names", domain="acme.com.au", fields=australian("company", number))
    assert [problem.where for problem in caught.value.problems] == ["eligibility-number"]


async def test_an_australian_name_needs_its_details(scope: AccountScope) -> None:
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "domain-names", domain="acme.com.au", fields=REGISTRANT)
    assert [problem.where for problem in caught.value.problems] == [
        "eligibility-type",
        "eligibility-number",
    ]
    with pytest.raises(InvalidInput, match="eligibility-type"):
        await buy(scope, "domain-names", domain="acme.com", fields=australian("company", ACN))


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        (australian("company", ABN), "needs an ACN"),
        (australian("sole-trader", ACN), "needs an ABN"),
        (australian("other", ABN), "verify"),
        (australian("trademark-owner", ABN), "verify"),
        (australian("company", ACN, **{"eligibility-name": "Someone Else"}), "Someone Else"),
    ],
)
async def test_details_that_do_not_match_wait_for_approval(
    scope: AccountScope, fields: dict[str, Any], doubt: str
) -> None:
    done = await buy(scope, "domain-names", domain="acme.com.au", fields=fields)
    order = done.result
    assert order.state is OrderState.AWAITING_APPROVAL
    assert doubt in order.note
    assert done.plan.requests == ()
    details = await show(scope)
    assert [one.name for one in details.domains] == ["acme.example"]
    assert details.orders_awaiting_approval == 1
    assert details.this_month == (Money(0, "AUD"),)
    assert await list_subscriptions(scope) == ()
    with pytest.raises(Conflict, match=f"Order {order.id}"):
        await buy(scope, "domain-names", domain="acme.com.au", fields=fields)

    approved = await approve_order(scope, order.id, note="Seen the register")
    assert approved.result.state is OrderState.COMPLETE
    assert approved.result.reason == "Seen the register"
    assert approved.plan.total == Money(1650, "AUD")
    assert len(approved.plan.requests) == 1
    details = await show(scope)
    assert [one.name for one in details.domains] == ["acme.com.au", "acme.example"]
    assert details.this_month == (Money(1650, "AUD"),)
    for decide in (
        approve_order(scope, order.id),
        decline_order(scope, order.id, "late"),
    ):
        with pytest.raises(Conflict, match="does not wait"):
            await decide


async def test_a_declined_order_brings_nothing_and_frees_the_name(
    store: Store, scope: AccountScope, account: Account
) -> None:
    fields = australian("company", ABN)
    order = (await buy(scope, "domain-names", domain="acme.com.au", fields=fields)).result
    with pytest.raises(InvalidInput, match="reason"):
        await decline_order(scope, order.id, "  ")
    declined = await decline_order(scope, order.id, "Not a company")
    assert declined.result.state is OrderState.DECLINED
    assert declined.result.reason == "Not a company"
    assert len(await list_domains(store, account.id)) == 1
    (entry,) = await audit_log.entries(scope, action="decline order")
    assert entry.before["state"] == "awaiting approval"
    good = australian("company", ACN)
    await buy(scope, "domain-names", domain="acme.com.au", fields=good)


async def test_an_order_cannot_be_approved_when_its_name_is_gone(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    fields = australian("company", ABN)
    order = (await buy(scope, "domain-names", domain="acme.com.au", fields=fields)).result
    await create_account(store, caller, name="Other", code="other", domains=["acme.com.au"])
    with pytest.raises(Conflict, match="another account"):
        await approve_order(scope, order.id)
    again = await show_order(scope, order.id)
    assert again.state is OrderState.AWAITING_APPROVAL


async def test_web_hosting_is_attached_to_a_domain_of_the_account(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    await create_account(store, caller, name="Other", code="other", domains=["other.example"])
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "web-hosting", level="starter")
    assert [problem.where for problem in caught.value.problems] == ["domain"]
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "web-hosting", level="starter", domain="other.example")
    assert "acme.example" in caught.value.problems[0].hint
    with pytest.raises(InvalidInput) as caught:
        await buy(scope, "web-hosting", level="starter", domain="..")
    assert len(caught.value.problems) == 1
    done = await buy(scope, "web-hosting", level="starter", domain="ACME.example", term=12)
    (line,) = done.result.lines
    assert line.domain == "acme.example"
    assert line.fields == {"domain": "acme.example"}
    assert line.label == "Web Hosting: Starter for acme.example, 1 year"
    by_field = await buy(scope, "web-hosting", level="starter", fields={"domain": "acme.example"})
    assert by_field.result.lines[0].domain == "acme.example"


async def test_an_account_that_one_may_not_see_cannot_be_bought_for(
    store: Store, caller: Caller, account: Account
) -> None:
    nobody = Caller(operator="eve", accounts=frozenset())
    with pytest.raises(Denied):
        await buy(AccountScope(store, nobody, account.id), "email", level="popx")
    with pytest.raises(Denied):
        await list_orders(AccountScope(store, nobody, account.id))
    reader = Caller(operator="rita", may_write=False)
    with pytest.raises(Denied, match="read-only"):
        await buy(AccountScope(store, reader, account.id), "email", level="popx")


async def test_orders_are_data_that_json_can_hold(store: Store, scope: AccountScope) -> None:
    fields = {**REGISTRANT, "name-servers": ["ns1.acme.example"]}
    await buy(scope, "domain-names", domain="acme.com", fields=fields)
    (order,) = await list_orders(scope)
    assert json.loads(json.dumps(dict(order.lines[0].fields)))["registrant-country"] == "AU"
    async with store.read() as session:
        (row,) = await session.scalars(select(AssignmentRow))
    assert row.backend_name == "acme.com"


async def test_what_a_purchase_tells_in_its_plan(scope: AccountScope) -> None:
    done = await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    assert [(line.verb, line.kind) for line in done.plan.lines] == [
        (PlanVerb.CREATED, "order"),
        (PlanVerb.CREATED, "subscription"),
        (PlanVerb.CREATED, "domain"),
        (PlanVerb.CREATED, "service"),
    ]


async def test_buying_at_the_same_time_adds_up(scope: AccountScope) -> None:
    await asyncio.gather(*(buy(scope, "email", level="popx", quantity=2) for _ in range(5)))
    (seats,) = await list_seats(scope)
    assert seats.owned == 10
    (had,) = await list_subscriptions(scope)
    assert had.quantity == 10
    assert (await show(scope)).this_month == (Money(5 * 660, "AUD"),)


async def test_two_accounts_cannot_buy_one_name_at_the_same_time(
    store: Store, caller: Caller, account: Account
) -> None:
    codes = ["acme"]
    for number in range(3):
        code = f"other{number}"
        codes.append(code)
        await create_account(store, caller, name=code, code=code)
    outcomes = await asyncio.gather(
        *(
            buy(
                AccountScope(store, caller, code),
                "domain-names",
                domain="acme.com",
                fields=REGISTRANT,
            )
            for code in codes
        ),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(refused) == 3
    assert {type(one) for one in refused} == {Conflict}
    bought = [code for code in codes if await list_orders(AccountScope(store, caller, code))]
    assert len(bought) == 1
    assert len(await list_requests(AccountScope(store, caller, bought[0]))) == 1
