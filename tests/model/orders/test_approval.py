"""Orders above the account's limit: nothing is granted before a person agrees, then once; and orders taken back."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from mission_control_tui.model.accounts.overview import list_seats, show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.domains.registrar import RegistrarAnswer
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, StaleVersion
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import (
    NotChecked,
    PriceChanged,
    approval_limit,
    approve_order,
    ask_again,
    cancel_order,
    decline_order,
    set_approval_limit,
)
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import OrderView, list_orders, show_order
from mission_control_tui.model.orders.subscriptions import list_subscriptions
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.states import OrderKind, OrderState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, list_domains

pytestmark = pytest.mark.any_database

LIMIT = Money(1000, "AUD")
REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


async def waiting(store: Store, caller: Caller, account: Account, quantity: int = 5) -> OrderView:
    """An order of mailboxes at 3.30 each that is above the limit of 10.00."""
    await set_approval_limit(AccountScope(store, caller, account.id), LIMIT)
    done = await buy(
        AccountScope(store, caller, account.id), "email", level="popx", quantity=quantity
    )
    assert any("waits for approval" in one for one in done.plan.warnings)
    return done.result


async def test_an_order_above_the_limit_waits_and_grants_nothing(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    assert order.state is OrderState.AWAITING_APPROVAL
    assert "AUD 16.50 is more than AUD 10.00" in order.note
    assert await list_seats(scope) == ()
    assert await list_subscriptions(scope) == ()
    small = (await buy(scope, "email", level="popx", quantity=3)).result
    assert small.state is OrderState.COMPLETE
    details = await show(scope)
    assert (details.approval_above, details.orders_awaiting_approval) == (LIMIT, 1)
    assert details.this_month == (small.total,)


async def test_a_domain_above_the_limit_is_not_registered(
    store: Store, scope: AccountScope, account: Account
) -> None:
    await set_approval_limit(scope, LIMIT)
    done = await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    assert done.plan.requests == ()
    assert [one.name for one in await list_domains(store, account.id)] == ["acme.example"]
    approved = await approve_order(scope, done.result.id)
    assert len(approved.plan.requests) == 1
    assert "acme.com" in [one.name for one in await list_domains(store, account.id)]


async def test_approval_grants_exactly_once_however_often_it_is_pressed(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    tried = await approve_order(scope, order.id, dry_run=True)
    assert tried.result.state is OrderState.COMPLETE
    assert await list_seats(scope) == ()
    answers = await asyncio.gather(
        *(approve_order(scope, order.id, note="fine") for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Conflict) for one in answers) == 3
    (seats,) = await list_seats(scope)
    assert seats.owned == 5
    view = await show_order(scope, order.id)
    assert (view.state, view.decided_by, view.reason) == (OrderState.COMPLETE, "anna", "fine")
    assert view.decided_at is not None
    (entry,) = await audit_log.entries(scope, action="approve order")
    assert entry.after == {"state": "complete", "reason": "fine"}
    with pytest.raises(Conflict, match="it is complete by anna"):
        await decline_order(scope, order.id, "late")


async def test_approval_looks_at_the_price_again(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    dearer = shipped().replace("prices = { 1 = 300,", "prices = { 1 = 400,")
    await catalogue_update.load(store, caller, dearer, "dearer.toml")
    with pytest.raises(PriceChanged, match=r"agreed at AUD 16.50, and it costs AUD 22.00 now"):
        await approve_order(scope, order.id)
    assert await list_seats(scope) == ()
    done = await approve_order(scope, order.id, agreed_price=True)
    assert done.result.total == Money(1650, "AUD")
    assert any("costs AUD 22.00 now" in one for one in done.plan.warnings)


async def test_what_is_no_longer_sold_cannot_be_approved(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    head, email, tail = shipped().partition('id = "email"')
    gone = tail.replace('id = "popx"', 'id = "popx"\nwithdrawn = true', 1)
    await catalogue_update.load(store, caller, head + email + gone, "gone.toml")
    with pytest.raises(Conflict, match="cannot be approved any more"):
        await approve_order(scope, order.id)
    done = await decline_order(scope, order.id, "no longer sold")
    assert done.result.state is OrderState.DECLINED


async def test_the_limit_is_kept_shown_and_taken_away(scope: AccountScope) -> None:
    assert await approval_limit(scope) is None
    before = (await show(scope)).account.version
    await set_approval_limit(scope, LIMIT, version=before)
    assert await approval_limit(scope) == LIMIT
    with pytest.raises(StaleVersion) as stale:
        await set_approval_limit(scope, None, version=before)
    assert stale.value.theirs == {"approval above": ("never", "AUD 10.00")}
    again = await set_approval_limit(scope, LIMIT, version=before)
    assert not again.plan.changes_anything
    with pytest.raises(InvalidInput):
        await set_approval_limit(scope, Money(5, "JPY"))
    await set_approval_limit(scope, None)
    order = (await buy(scope, "email", level="popx", quantity=500)).result
    assert order.state is OrderState.COMPLETE
    await set_approval_limit(scope, Money(0, "AUD"))
    order = (await buy(scope, "email", level="popx")).result
    assert order.state is OrderState.AWAITING_APPROVAL


async def test_an_order_that_waits_is_cancelled(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    done = await cancel_order(scope, order.id, "ordered twice")
    assert (done.result.state, done.result.reason) == (OrderState.CANCELLED, "ordered twice")
    assert [one.id for one in await list_orders(scope)] == [order.id]
    with pytest.raises(Conflict, match="it is cancelled"):
        await cancel_order(scope, order.id)


async def test_a_complete_order_is_taken_back_and_credited(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = (await buy(scope, "email", level="popx", quantity=2)).result
    user = await create(store, caller, account)
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    with pytest.raises(Conflict, match="held"):
        await cancel_order(scope, order.id, "too many")
    with pytest.raises(InvalidInput, match="with a reason"):
        await cancel_order(scope, order.id)
    await buy(scope, "email", level="popx", quantity=1)
    done = await cancel_order(scope, order.id, "too many")
    assert done.result.state is OrderState.RETURNED
    (seats,) = await list_seats(scope)
    assert (seats.owned, seats.free) == (1, 0)
    removal = (await list_orders(scope, kind=OrderKind.REMOVAL))[0]
    assert (removal.note, removal.reason) == (f"Takes back order {order.id}", "too many")
    assert removal.total == -order.total
    assert (await show(scope)).this_month == (Money(330, "AUD"),)
    for number in (order.id, removal.id):
        with pytest.raises(Conflict, match="cannot be cancelled"):
            await cancel_order(scope, number)


async def test_a_bought_domain_is_taken_back(
    store: Store, scope: AccountScope, account: Account
) -> None:
    bought = await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    await cancel_order(scope, bought.result.id, "another name was meant")
    assert [one.name for one in await list_domains(store, account.id)] == ["acme.example"]
    kinds = {one.kind for one in await list_requests(scope)}
    assert "deprovision" in kinds


async def test_orders_are_found_by_state_kind_and_words(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)
    await cancel_order(scope, order.id)
    other = (await buy(scope, "email", level="pc-web", quantity=1)).result
    async with store.write(caller, account.id) as tx:
        renamed = update(OrderRow).where(OrderRow.id == other.id)
        await tx.session.execute(renamed.values(operator="Zoë", ticket="T-50%"))

    async def found(**filters: object) -> list[int]:
        views = await list_orders(scope, **filters)  # type: ignore[arg-type]
        return [one.id for one in views]

    assert await found(states=[OrderState.CANCELLED]) == [order.id]
    assert await found(kind=OrderKind.REMOVAL) == []
    assert await found(text="PC & web") == [other.id]
    assert await found(text="50%") == [other.id]
    assert await found(text=str(order.id)) == [order.id]
    assert await found(text="%") == [other.id]
    with pytest.raises(NotFound):
        await cancel_order(scope, 999)


@pytest.mark.parametrize("free", [True, False, None])
async def test_what_the_registrar_says_by_now_decides_about_a_name(
    store: Store, caller: Caller, account: Account, scope: AccountScope, free: bool | None
) -> None:
    await set_approval_limit(scope, Money(1, "AUD"))
    order = (await buy(scope, "domain-names", domain="acme-new.com", fields=REGISTRANT)).result

    async def ask(name: str) -> RegistrarAnswer:
        return RegistrarAnswer(name, free, "the registry")

    answer = await ask_again(scope, order.id, ask)
    assert answer is not None
    assert answer.name == "acme-new.com"
    if free is None:
        with pytest.raises(NotChecked, match="was not checked: the registry"):
            await approve_order(scope, order.id, registrar=answer)
    if free is False:
        with pytest.raises(Conflict, match="is taken, says the registry"):
            await approve_order(scope, order.id, registrar=answer, unchecked=True)
        assert "acme-new.com" not in [found.name for found in await list_domains(store, account.id)]
        return
    done = await approve_order(scope, order.id, registrar=answer, unchecked=free is None)
    assert done.result.state is OrderState.COMPLETE
    assert len(done.plan.warnings) == (free is None)
    assert await ask_again(scope, order.id, ask) is None, "it waits no more"


async def test_nobody_is_asked_about_what_is_no_new_name(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    order = await waiting(store, caller, account)

    async def ask(name: str) -> RegistrarAnswer:
        raise AssertionError(name)

    assert await ask_again(scope, order.id, ask) is None
    assert await ask_again(scope, order.id, None) is None
