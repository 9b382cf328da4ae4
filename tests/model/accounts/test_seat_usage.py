"""Usage of seats and state of domains: counted from what users really have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from mission_control_tui.model.accounts.domain_overview import DomainState, account_domains
from mission_control_tui.model.accounts.seat_usage import usage
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.approval import approve_order, set_approval_limit
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.services.domain_terms import term_end
from mission_control_tui.model.states import Light, RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import add_alias
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named

pytestmark = pytest.mark.any_database

MAILBOX = [ActionParams("managed-exchange", "popx")]
REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


async def test_nothing_bought_is_nothing_used(scope: AccountScope) -> None:
    found = await usage(scope)
    assert (found.levels, found.monthly, found.idle_seats) == ((), Money(0, "AUD"), ())


async def test_idle_seats_are_counted_named_and_priced(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=6)
    await buy(scope, "email", level="pc-web", quantity=2, term=12)
    ids = {}
    for local in ("works", "away", "paused", "red", "queued"):
        user = await create(store, caller, account, named(local))
        ids[local] = user.id
        if local not in ("red", "queued"):
            await provision(scope, user.id, MAILBOX)
    await finish(store, caller, account)
    await editing.disable_user(scope, ids["away"])
    await change_wish(scope, ids["paused"], "managed-exchange", RequestKind.SUSPEND)
    await finish(store, caller, account)
    for local in ("red", "queued"):
        await provision(scope, ids[local], MAILBOX)
    async with store.write(caller, account.id) as tx:
        failed = update(AssignmentRow).where(AssignmentRow.user_id == ids["red"])
        await tx.session.execute(failed.values(light=Light.RED))
    found = await usage(scope)
    popx, pc_web = found.levels
    assert (popx.seats.owned, popx.seats.free, popx.disabled, popx.suspended, popx.never_provisioned) == (
        6, 1, 1, 1, 1,
    )  # fmt: skip
    assert (popx.monthly, popx.idle) == (Money(1800, "AUD"), Money(600, "AUD"))
    assert (pc_web.monthly, pc_web.idle) == (Money(1650, "AUD"), Money(1650, "AUD"))
    assert (found.monthly, found.idle) == (Money(3450, "AUD"), Money(2250, "AUD"))
    assert [(one.upn.partition("@")[0], one.why) for one in found.idle_seats] == [
        ("away", ("disabled",)),
        ("paused", ("suspended",)),
        ("red", ("never provisioned",)),
    ]
    few = await usage(scope, limit=1)
    assert (len(few.idle_seats), few.more_idle_seats) == (1, 2)


async def test_usage_of_another_account_is_denied(
    store: Store, caller: Caller, account: Account
) -> None:
    stranger = replace(caller, accounts=frozenset({account.id + 1}))
    for read in (usage, account_domains):
        with pytest.raises(Denied):
            await read(AccountScope(store, stranger, account.id))


async def test_a_domain_goes_from_waiting_to_registered_to_expiring(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await set_approval_limit(scope, Money(0, "AUD"))
    order = await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    waits, elsewhere = await account_domains(scope)
    assert (waits.state, waits.order_id) == (DomainState.AWAITING_APPROVAL, order.result.id)
    assert (waits.ends_on, waits.light) == (None, None)
    assert (elsewhere.name, elsewhere.state) == ("acme.example", DomainState.ELSEWHERE)
    await approve_order(scope, order.result.id)
    (queued, _other) = await account_domains(scope)
    assert (queued.state, queued.light) == (DomainState.REGISTERING, Light.ORANGE)
    await finish(store, caller, account)
    async with store.write(caller, account.id) as tx:
        bought = update(DomainRow).where(DomainRow.name == "acme.com")
        await tx.session.execute(bought.values(added_at=datetime(2026, 3, 31, 2, tzinfo=UTC)))
    for now, state in (
        (datetime(2026, 5, 1, tzinfo=UTC), DomainState.REGISTERED),
        (datetime(2027, 3, 1, tzinfo=UTC), DomainState.EXPIRING),
        (datetime(2027, 3, 31, tzinfo=UTC), DomainState.EXPIRING),
        (datetime(2027, 4, 1, tzinfo=UTC), DomainState.OVER),
    ):
        (found, _other) = await account_domains(scope, now=now)
        assert (found.state, found.ends_on) == (state, date(2027, 3, 31))
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(update(AssignmentRow).values(light=Light.RED, error_said="no"))
    (found, _other) = await account_domains(scope)
    assert (found.state, found.services[0].error_said) == (DomainState.FAILED, "no")


async def test_users_of_a_domain_are_counted_once_with_their_aliases(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    for local in ("ada", "bob"):
        user = await create(store, caller, account, named(local))
    await add_alias(scope, user.id, "second@acme.example")
    (found,) = await account_domains(scope)
    assert found.users == 2


@pytest.mark.parametrize(
    ("began", "months", "ends"),
    [
        (datetime(2024, 2, 29, tzinfo=UTC), 12, date(2025, 2, 28)),
        (datetime(2026, 1, 31, tzinfo=UTC), 1, date(2026, 2, 28)),
        (datetime(2026, 12, 15, tzinfo=UTC), 24, date(2028, 12, 15)),
        (datetime(2026, 5, 1, tzinfo=UTC) - timedelta(seconds=1), 1, date(2026, 5, 30)),
    ],
)
def test_a_term_ends_on_the_same_day_or_the_last_of_a_shorter_month(
    began: datetime, months: int, ends: date
) -> None:
    assert term_end(began, months, UTC) == ends
