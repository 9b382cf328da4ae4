"""Removing what was bought: refused while anybody holds it, naming them; domains go back where they came from."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.accounts.overview import list_seats, show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.domains.ownership import remove_domain
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.orders.subscriptions import list_subscriptions
from mission_control_tui.model.plan import PlanVerb, SeatLine
from mission_control_tui.model.states import Light, OrderKind, OrderState, RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.helpers import ada, create, finish, list_domains, named

pytestmark = pytest.mark.any_database

REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


async def test_removing_seats_that_nobody_holds(scope: AccountScope) -> None:
    await buy(scope, "email", level="popx", quantity=5)
    done = await remove(scope, "Email", level="popx", quantity=2)
    order = done.result
    assert (order.kind, order.state) == (OrderKind.REMOVAL, OrderState.COMPLETE)
    assert order.total == Money(0, "AUD")
    assert (order.lines[0].label, order.lines[0].quantity) == (
        "Removed Email: Standard Mail (POPX)",
        2,
    )
    assert done.plan.seats == (SeatLine("managed-exchange", "popx", 5, 3, 5, 3),)
    rest = await remove(scope, "email")
    assert rest.result.lines[0].quantity == 3
    assert await list_subscriptions(scope) == ()
    (seats,) = await list_seats(scope)
    assert seats.owned == 0
    with pytest.raises(NotFound, match="has no Email"):
        await remove(scope, "email")
    with pytest.raises(NotFound, match="has no Email"):
        await remove(scope, "email", level="popx")
    (kept,) = (await show(scope)).this_month
    assert kept == Money(1650, "AUD")
    assert len(await audit_log.entries(scope, action="remove email")) == 2


async def test_what_cannot_be_removed_like_this(scope: AccountScope) -> None:
    await buy(scope, "email", level="popx", quantity=2)
    await buy(scope, "email", level="pc-web")
    with pytest.raises(Conflict) as several:
        await remove(scope, "email")
    assert "popx" in several.value.hint
    for count in (0, -1):
        with pytest.raises(InvalidInput, match="below 1"):
            await remove(scope, "email", level="popx", quantity=count)
    with pytest.raises(Conflict, match="has 2"):
        await remove(scope, "email", level="popx", quantity=3)
    with pytest.raises(InvalidInput, match="not removed by domain"):
        await remove(scope, "email", level="popx", domain="acme.example")
    with pytest.raises(InvalidInput, match="domain name is needed"):
        await remove(scope, "domain-names", level="registration")
    assert len(await list_orders(scope)) == 2


async def test_seats_that_users_hold_stay_and_the_users_are_named(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=3)
    for local in ("bob", "carl"):
        user = await create(store, caller, account, named(local))
        wanted = [ActionParams("managed-exchange", "popx")]
        await provision(scope, user.id, wanted)
    with pytest.raises(Conflict, match=r"bob@acme\.example, carl@acme\.example") as caught:
        await remove(scope, "email", quantity=2)
    assert "At most 1" in caught.value.hint
    with pytest.raises(Conflict, match="bob@"):
        await remove(scope, "email", dry_run=True)
    await remove(scope, "email", quantity=1)

    await finish(store, caller, account)
    kind = RequestKind.DEPROVISION
    await change_wish(scope, "bob", "managed-exchange", kind)
    with pytest.raises(Conflict, match="bob@"):
        await remove(scope, "email", quantity=1)


async def test_a_bought_domain_is_let_go(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    await finish(store, caller, account)
    with pytest.raises(Conflict, match="bought here"):
        await remove_domain(scope, "acme.com")
    user = await create(store, caller, account, ada(upn="ada@acme.com"))
    with pytest.raises(Conflict, match=r"ada@acme\.com"):
        await remove(scope, "domain-names", domain="acme.com")
    with pytest.raises(Conflict, match="not bought here"):
        await remove(scope, "domain-names", domain="acme.example")
    with pytest.raises(NotFound, match="has no domain"):
        await remove(scope, "domain-names", domain="nobody.com")
    async with store.write(caller, account.id) as tx:  # as if the user had been purged
        for table in ("addresses", "search_terms", "search_texts"):
            await tx.session.execute(text(f"DELETE FROM {table} WHERE user_id = '{user.id}'"))
        await tx.session.execute(text(f"UPDATE users SET secret_id = NULL WHERE id = '{user.id}'"))
        await tx.session.execute(text(f"DELETE FROM users WHERE id = '{user.id}'"))
    done = await remove(scope, "domain-names", domain="ACME.com")
    assert done.result.lines[0].domain == "acme.com"
    assert len(done.plan.requests) == 1
    assert (PlanVerb.REMOVED, "domain", "acme.com") in [
        (line.verb, line.kind, line.name) for line in done.plan.lines
    ]
    assert [one.name for one in await list_domains(store, account.id)] == ["acme.example"]
    async with store.read() as session:
        (row,) = await session.scalars(select(AssignmentRow))
    assert (row.wish, row.light) == ("absent", Light.ORANGE)


async def test_a_removed_domain_comes_back_under_its_own_name(
    store: Store, caller: Caller, account: Account
) -> None:
    other = (await create_account(store, caller, name="Other", code="other")).result

    async def take(code: str) -> None:
        await buy(
            AccountScope(store, caller, code), "domain-names", domain="acme.com", fields=REGISTRANT
        )

    async def give_up(code: str) -> None:
        await remove(AccountScope(store, caller, code), "domain-names", domain="acme.com")

    async def held() -> list[tuple[int, str, str]]:
        async with store.read() as session:
            rows = await session.scalars(select(AssignmentRow).order_by(AssignmentRow.account_id))
            return [(row.account_id, row.backend_name.partition("#")[0], row.wish) for row in rows]

    await take("acme")
    await finish(store, caller, account)
    await give_up("acme")
    await take("acme")  # before the worker came to it: the same registration is wished for again
    await finish(store, caller, account)
    await give_up("acme")
    with pytest.raises(Conflict, match="still being taken away"):
        await take("other")
    await finish(store, caller, account)
    await take("other")
    assert await held() == [(account.id, "acme.com", "absent"), (other.id, "acme.com", "present")]
    await finish(store, caller, account)
    await give_up("other")
    await finish(store, caller, account)
    await take("acme")
    async with store.read() as session:
        wished = await session.scalars(select(AssignmentRow).where(AssignmentRow.wish == "present"))
        (mine,) = wished
    assert (mine.account_id, mine.backend_name) == (account.id, "acme.com")


async def test_a_domain_stays_while_a_web_site_answers_to_it(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    await buy(scope, "web-hosting", level="starter", domain="acme.com")
    user = await create(store, caller, account)
    wanted = [ActionParams("web-hosting", "starter", {"domain": "acme.com"}, "shop")]
    await provision(scope, user.id, wanted)
    with pytest.raises(Conflict, match=r"Web Hosting"):
        await remove(scope, "domain-names", domain="acme.com")
