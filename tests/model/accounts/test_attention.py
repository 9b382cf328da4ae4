"""What is red or waits anywhere: one list of all accounts that may be seen, in each order, with every word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from mission_control_tui.model.accounts.attention import AttentionOrder, attention
from mission_control_tui.model.accounts.editing import edit_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope, AllAccounts
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, own_seats

pytestmark = pytest.mark.any_database


@pytest.fixture
async def globex(store: Store, caller: Caller, catalogue: Catalogue, account: Account) -> Account:
    """Two accounts with lights: acme's older and red, globex's orange, and a green one."""
    other = await make_account(store, caller, catalogue, "globex", "globex.example")
    lights = {
        ("acme", "ada"): (account, Light.RED, "exchange-a", 5),
        ("acme", "bea"): (account, Light.GREEN, "exchange-a", 9),
        ("globex", "cem"): (other, Light.ORANGE, "exchange-b", 2),
        ("globex", "dee"): (other, Light.RED, "exchange-a", 1),
    }
    for each in (account, other):
        await own_seats(store, caller, each, "managed-exchange", "popx")
    for (code, local), (of, light, connector, hours) in lights.items():
        user = await create(store, caller, of, ada(upn=f"{local}@{code}.example", username=local))
        scope = AccountScope(store, caller, of.id)
        await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
        async with store.write(caller, of.id) as tx:
            await tx.session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.user_id == user.id)
                .values(light=light, connector=connector, since=tx.now - timedelta(hours=hours))
            )
    return other


async def test_orders_words_pages_and_who_may_see_them(
    store: Store, caller: Caller, account: Account, globex: Account
) -> None:
    everywhere = AllAccounts(store, caller)

    async def found(query: str = "", order: str = "oldest", by: Caller = caller) -> list[str]:
        page = await attention(AllAccounts(store, by), query, AttentionOrder(order))
        assert page.total == len(page.lines)
        assert not page.more
        return [line.service.subject.partition("@")[0] for line in page.lines]

    assert await found() == ["ada", "cem", "dee"]
    assert await found(order="newest") == ["dee", "cem", "ada"]
    assert await found(order="account") == ["ada", "cem", "dee"]
    assert await found(order="connector") == ["ada", "dee", "cem"]
    assert await found("red") == ["ada", "dee"]
    assert await found("orange globex") == ["cem"]
    assert await found("exchange-a globex") == ["dee"]
    assert await found("cem@glob") == ["cem"]
    assert await found("Exchange") == ["ada", "cem", "dee"]
    assert await found("green") == []
    await edit_account(
        AccountScope(store, caller, globex.id),
        version=globex.version,
        name="Łódź",
        customer_number="4711",
    )
    assert await found("lodz") == await found("4711") == ["cem", "dee"]
    assert await found(by=replace(caller, accounts=frozenset({account.id}))) == ["ada"]
    assert await found(by=replace(caller, accounts=frozenset())) == []
    page = await attention(everywhere, limit=1, offset=1)
    assert (page.total, [line.account.code for line in page.lines]) == (3, ["globex"])
    one = await attention(AccountScope(store, caller, globex.id))
    assert [line.account.customer_number for line in one.lines] == ["4711", "4711"]


async def test_the_first_page_comes_from_an_index(sqlite_store: Store) -> None:
    async with sqlite_store.read() as session:
        statement = (
            select(AssignmentRow.id)
            .where(AssignmentRow.light.in_((Light.RED, Light.ORANGE)))
            .order_by(AssignmentRow.since)
            .limit(50)
        ).compile(sqlite_store.engine.sync_engine, compile_kwargs={"literal_binds": True})
        connection = await session.connection()
        plan = await connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))
        seen = [str(row.detail) for row in plan]
    assert any("ix_assignments_attention" in line for line in seen), seen
