"""Domains are renewed by hand and by the worker, once for each term; what ends soon is said, what is over is red."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from mission_control_tui.model.accounts.attention import attention
from mission_control_tui.model.accounts.domain_overview import DomainState, account_domains
from mission_control_tui.model.accounts.front_page import front_page
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.billing import statements
from mission_control_tui.model.bulk.retry import retry_plan
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.dates import months_later
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import (
    approve_order,
    cancel_order,
    decline_order,
    set_approval_limit,
)
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.due_renewals import FROM, due_renewals
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.orders.renewing import (
    offers,
    renew,
    renew_due,
    set_auto_renew,
)
from mission_control_tui.model.services.attention import mine, newest
from mission_control_tui.model.services.domain_terms import Urgency
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, OrderKind, OrderState
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope, AllAccounts
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.views import Account
from mission_control_tui.provisioning.housekeeping import Housekeeping
from mission_control_tui.settings.settings import WorkerSettings
from tests.model.helpers import finish
from tests.model.orders.test_approval import REGISTRANT
from tests.support import share

pytestmark = pytest.mark.any_database
NAME = "acme.com"
TODAY = datetime.now(ZoneInfo("Australia/Sydney")).date()
"""In the account's time zone."""


@pytest.fixture
async def bought(store: Store, caller: Caller, account: Account, scope: AccountScope) -> str:
    """A domain that was bought for a year today, registered."""
    await buy(scope, "domain-names", domain=NAME, fields=REGISTRANT)
    await finish(store, caller, account)
    return NAME


async def age(store: Store, caller: Caller, account: Account, days: int) -> None:
    """Let so many days pass since the domain was bought."""
    async with store.write(caller, account.id) as tx:
        at = datetime.now(UTC) - timedelta(days=days)
        await tx.session.execute(
            update(DomainRow).where(DomainRow.name == NAME).values(added_at=at)
        )


def first_end(days: int = 0) -> str:
    return months_later(TODAY - timedelta(days=days), 12).isoformat()


async def ends(scope: AccountScope) -> str:
    (domain,) = [domain for domain in await account_domains(scope) if domain.name == NAME]
    return str(domain.ends_on)


async def renewals(store: Store) -> int:
    async with store.read() as session:
        found = select(func.count()).where(OrderRow.kind == OrderKind.RENEWAL)
        return int(await session.scalar(found) or 0)


async def test_a_renewal_is_an_order_for_a_further_term_and_charged(
    scope: AccountScope, bought: str
) -> None:
    before = await ends(scope)
    assert [(offer.months, offer.total) for offer in await offers(scope, bought)] == [
        (12, Money(1980, "AUD")),
        (24, Money(3850, "AUD")),
    ]
    tried = await renew(scope, bought, dry_run=True)
    assert (tried.plan.total, await ends(scope)) == (Money(1980, "AUD"), before)
    order = (await renew(scope, bought, term=24)).result
    assert (order.kind, order.state, order.total) == (
        OrderKind.RENEWAL,
        OrderState.COMPLETE,
        Money(3850, "AUD"),
    )
    assert await ends(scope) == months_later(TODAY, 36).isoformat()
    month = await statements.statement(scope)
    assert [line.total.minor for line in month.lines] == [1980, 3850]
    (entry,) = [entry for entry in await audit_log.entries(scope) if entry.action == "renew domain"]
    assert "renewed for 2 years" in str(entry.after["label"])


async def test_what_cannot_be_renewed_is_refused(scope: AccountScope, bought: str) -> None:
    with pytest.raises(NotFound):
        await renew(scope, "nobody.com")
    with pytest.raises(Conflict, match="not bought here"):
        await renew(scope, "acme.example")
    with pytest.raises(InvalidInput) as wrong:
        await renew(scope, bought, term=7)
    assert "12, 24" in wrong.value.problems[0].hint
    for _ in range(4):
        await renew(scope, bought, term=24)
    with pytest.raises(Conflict, match="paid for until"):
        await renew(scope, bought, term=24)


async def test_a_renewal_that_was_a_mistake_is_taken_back_with_a_credit(
    scope: AccountScope, bought: str
) -> None:
    before = await ends(scope)
    order = (await renew(scope, bought)).result
    done = await cancel_order(scope, order.id, "twice")
    assert (done.result.state, await ends(scope)) == (OrderState.RETURNED, before)
    month = await statements.statement(scope)
    assert month.sums[0].total == Money(1980, "AUD"), "the first term alone"
    assert [domain.name for domain in await account_domains(scope)] == [bought, "acme.example"]


async def test_a_registration_is_taken_back_after_its_renewals_the_newest_first(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    (order,) = await list_orders(scope)
    await age(store, caller, account, 365 - 3)
    await keep_house(store)
    (itself,) = await list_orders(scope, kind=OrderKind.RENEWAL)
    by_hand = (await renew(scope, bought, term=24)).result
    await set_approval_limit(scope, Money(100, "AUD"))
    waits = (await renew(scope, bought)).result
    assert waits.state is OrderState.AWAITING_APPROVAL

    for renewal, first in (
        (waits, f"orders {waits.id} and {by_hand.id} and {itself.id}, its renewals, first"),
        (by_hand, f"orders {by_hand.id} and {itself.id}, its renewals, first"),
        (itself, f"order {itself.id}, its renewal, first"),
    ):
        for credit in (True, False):
            with pytest.raises(Conflict, match=f"a renewal of {bought} stands") as refused:
                await cancel_order(scope, order.id, "wrong", credit=credit)
            assert first in refused.value.hint
        await cancel_order(scope, renewal.id, "wrong")
    await cancel_order(scope, order.id, "wrong")
    assert [domain.name for domain in await account_domains(scope)] == ["acme.example"]
    assert (await statements.statement(scope)).sums[0].total.minor == 0


async def test_a_renewal_is_credited_also_when_the_domain_is_gone_or_bought_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    (order,) = await list_orders(scope)
    removed = (await renew(scope, bought, term=24)).result
    other = (await renew(scope, bought)).result
    await remove(scope, "domain-names", domain=bought)
    await finish(store, caller, account)
    assert (await statements.statement(scope)).sums[0].total.minor == 1980 + 3850 + 1980
    done = await cancel_order(scope, removed.id, "wrong")
    assert done.result.state is OrderState.RETURNED
    assert done.plan.total == Money(-3850, "AUD")

    again = (await buy(scope, "domain-names", domain=bought, fields=REGISTRANT)).result
    await finish(store, caller, account)
    before = await ends(scope)
    await cancel_order(scope, other.id, "wrong")
    assert await ends(scope) == before, "the renewal was of the term before"
    with pytest.raises(Conflict, match=f"bought again by order {again.id}"):
        await cancel_order(scope, order.id, "wrong")
    await cancel_order(scope, again.id, "wrong")
    assert (await statements.statement(scope)).sums[0].total == Money(1980, "AUD")


async def place_before(store: Store, caller: Caller, account: Account, days: int) -> None:
    """Let so many days pass since the domain was bought and all orders were placed."""
    await age(store, caller, account, days)
    async with store.write(caller, account.id) as tx:
        at = datetime.now(UTC) - timedelta(days=days)
        await tx.session.execute(update(OrderRow).values(placed_at=at, decided_at=None))


@pytest.mark.parametrize(
    ("days", "credited"), [(400, True), (729, True), (732, False), (3000, False)]
)
async def test_a_renewal_is_credited_while_its_own_term_runs_or_is_to_come(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    bought: str,
    days: int,
    credited: bool,
) -> None:
    order = (await renew(scope, bought)).result
    await place_before(store, caller, account, days)
    if credited:
        with pytest.raises(InvalidInput, match="with a reason"):
            await cancel_order(scope, order.id)
    done = await cancel_order(scope, order.id, "wrong" if credited else "")
    assert done.plan.total == Money(-1980 if credited else 0, "AUD")
    (said,) = [
        command for entry in await audit_log.entries(scope, limit=4) for command in entry.commands
    ][:1]
    reason = ["--reason", "wrong"] if credited else []
    assert list(said) == ["orders", "cancel", str(order.id), *reason, "--yes"]
    assert await ends(scope) == first_end(days)


async def test_whatever_is_renewed_and_taken_back_the_term_is_what_stands(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    chance = random.Random(7)
    standing: dict[int, int] = {}
    days = 0
    for _ in range(share(24)):
        if standing and chance.random() < 0.4:
            number = chance.choice(list(standing))
            months = standing[number]
            runs = months_later(TODAY - timedelta(days), 12 + sum(standing.values())) > TODAY
            credit = chance.random() < 0.8
            done = await cancel_order(scope, number, "wrong", credit=credit)
            paid = {12: 1980, 24: 3850}[months]
            assert done.plan.total == Money(-paid if runs and credit else 0, "AUD")
            del standing[number]
        elif chance.random() < 0.3:
            days = chance.randrange(0, 2000)
            await age(store, caller, account, days)
        else:
            months = chance.choice((12, 24))
            if sum(standing.values()) + months > 60:
                continue
            standing[(await renew(scope, bought, term=months)).result.id] = months
        paid_for = 12 + sum(standing.values())
        assert await ends(scope) == months_later(TODAY - timedelta(days), paid_for).isoformat()


async def test_above_the_limit_it_waits_and_is_approved_or_declined(
    scope: AccountScope, bought: str
) -> None:
    before = await ends(scope)
    await set_approval_limit(scope, Money(100, "AUD"))
    order = (await renew(scope, bought)).result
    assert (order.state, await ends(scope)) == (OrderState.AWAITING_APPROVAL, before)
    with pytest.raises(Conflict, match="waits for approval"):
        await renew(scope, bought)
    await approve_order(scope, order.id)
    after = await ends(scope)
    assert after > before
    other = (await renew(scope, bought)).result
    await decline_order(scope, other.id, "no")
    assert await ends(scope) == after


async def test_a_domain_that_is_bought_again_begins_anew(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await renew(scope, bought, term=24)
    await remove(scope, "domain-names", domain=bought)
    await finish(store, caller, account)
    await buy(scope, "domain-names", domain=bought, fields=REGISTRANT)
    await finish(store, caller, account)
    assert await ends(scope) == months_later(TODAY, 12).isoformat()


@pytest.mark.parametrize(
    ("days", "urgency"),
    [
        (365 - 61, None),
        (365 - 45, Urgency.SOON),
        (365 - 20, Urgency.MONTH),
        (365 - 3, Urgency.DAYS),
        (365 + 5, Urgency.OVER),
    ],
)
async def test_the_end_is_said_60_30_and_7_days_before_and_over_is_not_green(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    bought: str,
    days: int,
    urgency: Urgency | None,
) -> None:
    await age(store, caller, account, days)
    details = await show(scope)
    assert [domain.urgency for domain in details.expiring] == ([urgency] if urgency else [])
    (view,) = [domain for domain in details.domains if domain.name == bought]
    (domain,) = [domain for domain in await account_domains(scope) if domain.name == bought]
    over = urgency is Urgency.OVER
    assert (view.light, domain.light) == ((Light.RED,) * 2 if over else (Light.GREEN,) * 2)
    assert (domain.state is DomainState.OVER) is over
    assert ("renew" in view.error_said) is over
    (lit,) = [lit for lit in await status(scope) if lit.subject == bought]
    assert lit.light is (Light.RED if over else Light.GREEN)
    if over:
        assert timedelta() < datetime.now(UTC) - lit.since < timedelta(days=days - 364)
        (line,) = (await attention(AllAccounts(store, caller))).lines
        assert line.service.since == lit.since
        shown = await newest(scope, Light.RED)
        assert shown is not None
        assert await newest(scope, Light.RED, before=(shown.since, shown.id)) is None
    assert bool(await status(scope, light=Light.RED)) is over
    assert bool(await status(scope, light=Light.GREEN)) is not over
    reds = {
        "account": details.lights.red,
        "front page": len((await front_page(scope, 10)).red),
        "the top line": (await mine(scope)).all_red,
        "next red": int(await newest(scope, Light.RED) is not None),
        "all accounts": (await attention(AllAccounts(store, caller))).total,
    }
    assert reds == dict.fromkeys(reds, int(over)), "all of them count alike"
    assert details.lights.green == int(not over)
    plan = await retry_plan(scope)
    assert (plan.queued, plan.past_term) == (0, (bought,) if over else ())
    assert (f"mission-control renew {bought}" in plan.not_retried) is over
    assert not (await retry_plan(scope, service="managed-exchange")).past_term


async def keep_house(store: Store) -> None:
    house = Housekeeping(store, WorkerSettings())
    await house.run()
    while house.wait == 0.0:
        await house.run()


async def test_the_worker_renews_once_a_week_before_where_the_option_says_so(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await age(store, caller, account, 365 - 20)
    await keep_house(store)
    assert await renewals(store) == 0, "twenty days are long"
    await age(store, caller, account, 365 - 3)
    await keep_house(store)
    await keep_house(store)
    assert await renewals(store) == 1
    assert await ends(scope) > first_end(365 - 3)
    assert await due_renewals(store) == ()
    (order,) = [entry for entry in await audit_log.entries(scope) if entry.action == "renew domain"]
    assert order.operator == "worker"


async def test_while_the_clock_is_in_doubt_nothing_is_renewed(
    store: Store, caller: Caller, account: Account, bought: str
) -> None:
    await age(store, caller, account, 365 - 3)
    await trusted_clock.doubt(store, "It leaped.")
    await keep_house(store)
    assert await renewals(store) == 0
    await trusted_clock.confirm(store, caller)
    await keep_house(store)
    assert await renewals(store) == 1


async def test_two_workers_at_once_renew_once(
    store: Store, caller: Caller, account: Account, bought: str
) -> None:
    await age(store, caller, account, 365 - 3)
    (due,) = await due_renewals(store)
    done = await asyncio.gather(*(renew_due(store, due) for _ in range(4)))
    assert sorted(str(state) for state in done) == ["None", "None", "None", "complete"]
    assert await renewals(store) == 1


async def test_switched_off_it_is_left_to_a_person(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await set_auto_renew(scope, bought, False)
    assert not (await set_auto_renew(scope, bought, False)).plan.changes_anything
    await finish(store, caller, account)
    await age(store, caller, account, 365 - 3)
    await keep_house(store)
    assert await renewals(store) == 0
    (domain,) = (await show(scope)).expiring
    assert not domain.auto_renew
    assert "does not renew itself" in domain.said


async def test_long_over_is_not_renewed_by_itself(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await age(store, caller, account, 365 + 40)
    await keep_house(store)
    assert await renewals(store) == 0
    await renew(scope, bought)
    (domain,) = [domain for domain in await account_domains(scope) if domain.name == bought]
    assert domain.light is Light.GREEN


async def test_one_that_was_declined_is_not_ordered_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await set_approval_limit(scope, Money(100, "AUD"))
    await age(store, caller, account, 365 - 3)
    await keep_house(store)
    async with store.read() as session:
        number = await session.scalar(
            select(OrderRow.id).where(OrderRow.state == OrderState.AWAITING_APPROVAL)
        )
    await keep_house(store)
    await decline_order(scope, int(number or 0), "they leave")
    await keep_house(store)
    assert await renewals(store) == 1
    # In one of these the term ends on another day than in the account's.
    for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati"):
        async with store.write(caller, account.id) as tx:
            await tx.session.execute(update(AccountRow).values(time_zone=zone))
        await keep_house(store)
    assert await renewals(store) == 1


async def test_one_that_is_bought_again_renews_itself_though_the_former_was_renewed(
    store: Store, caller: Caller, account: Account, scope: AccountScope, bought: str
) -> None:
    await renew(scope, bought)
    await remove(scope, "domain-names", domain=bought)
    await finish(store, caller, account)
    await buy(scope, "domain-names", domain=bought, fields=REGISTRANT)
    await finish(store, caller, account)
    days = 365 - 3
    await age(store, caller, account, days)
    async with store.write(caller, account.id) as tx:
        former = OrderRow.kind == OrderKind.RENEWAL
        at = datetime.now(UTC) - timedelta(days=days + 1)
        await tx.session.execute(update(OrderRow).where(former).values(placed_at=at))
        line = (await tx.session.scalars(select(OrderLineRow).join(OrderRow).where(former))).one()
        line.details = {FROM: first_end(days)}
    await keep_house(store)
    assert await renewals(store) == 2
