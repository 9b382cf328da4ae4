"""The sample account: made once, for an empty database only, and started over without touching anybody else."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from mission_control_tui.model.accounts.editing import (
    create_account,
    list_accounts,
    resolve_account,
)
from mission_control_tui.model.accounts.overview import list_seats, show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.domains.ownership import add_domain
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.installation import catalogue_update, sample_account
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import add_alias
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from tests.model.helpers import create, finish, named
from tests.support import share

Rows = dict[str, list[tuple[Any, ...]]]


async def test_an_empty_database_gets_a_sample_that_shows_what_there_is(store: Store) -> None:
    made = await sample_account.ensure_sample(store)
    assert made is not None
    assert made.is_sample
    caller = Caller(operator="anna")
    assert await resolve_account(store, caller, None) == made
    details = await show(AccountScope(store, caller, "sample"))
    assert details.users == 9
    assert len(details.domains) == 2
    assert len({seats.level_id for seats in details.seats}) >= 4
    assert all(seats.free > 0 for seats in details.seats)
    assert details.orders == 5
    assert details.this_month[0].minor > 0
    services = await status(AccountScope(store, caller, "sample"))
    assert {view.connector for view in services} == {"simulator"}
    assert {view.light for view in services} == {Light.ORANGE}
    upns = {view.subject for view in services}
    assert {f"fails.once@{sample_account.DOMAIN}", f"never.works@{sample_account.DOMAIN}"} <= upns
    queued = await list_requests(AccountScope(store, caller, "sample"))
    assert len(queued) == len(services)
    (entry,) = await audit_log.entries(
        AccountScope(store, caller, "sample"), action="create account"
    )
    assert (entry.operator, entry.source) == ("mission-control", "sample")


async def test_it_is_made_once_and_only_where_there_is_nobody(store: Store, caller: Caller) -> None:
    first, second = await asyncio.gather(
        sample_account.ensure_sample(store), sample_account.ensure_sample(store)
    )
    assert (first is None) != (second is None)
    assert await sample_account.ensure_sample(store) is None
    assert len(await list_accounts(store, caller)) == 1


@pytest.mark.any_database
async def test_a_real_account_is_enough(store: Store, caller: Caller) -> None:
    await create_account(store, caller, name="Acme", code="acme")
    assert await sample_account.ensure_sample(store) is None
    assert [one.code for one in await list_accounts(store, caller)] == ["acme"]


@pytest.mark.any_database
async def test_its_services_stay_on_the_simulator_whatever_the_settings_say(
    store: Store, caller: Caller
) -> None:
    store.connectors["databases"] = "postgresql"
    await sample_account.ensure_sample(store)
    await provision(
        AccountScope(store, caller, "sample"),
        "noah.patel",
        [ActionParams("databases", "small", instance="more")],
    )
    services = await status(AccountScope(store, caller, "sample"))
    assert {view.connector for view in services} == {"simulator"}


async def test_starting_over(store: Store, caller: Caller) -> None:
    await sample_account.ensure_sample(store)
    before = {view.backend_name for view in await status(AccountScope(store, caller, "sample"))}
    await buy(AccountScope(store, caller, "sample"), "email", level="popx", quantity=50)
    await add_domain(AccountScope(store, caller, "sample"), "more.example")
    await deprovision_all(AccountScope(store, caller, "sample"), "mia.chen")
    tried = await sample_account.reset_sample(store, caller, dry_run=True)
    assert not tried.applied
    assert len(await list_orders(AccountScope(store, caller, "sample"))) == 6
    objects = await sample_account.sample_objects(store)
    assert {one.backend_name for one in objects} == before

    done = await sample_account.reset_sample(store, caller)
    assert done.result.forgotten == objects
    assert await resolve_account(store, caller, None) == done.result.account
    assert {
        view.backend_name for view in await status(AccountScope(store, caller, "sample"))
    } == before
    assert {one.assignment_id for one in await sample_account.sample_objects(store)}.isdisjoint(
        one.assignment_id for one in objects
    )
    assert len(await list_orders(AccountScope(store, caller, "sample"))) == 5
    entries = await audit_log.entries(AccountScope(store, caller, "sample"), limit=1000)
    assert "deprovision managed-exchange" not in {entry.action for entry in entries}


@pytest.mark.any_database
async def test_a_real_account_with_its_code_is_not_replaced(store: Store, caller: Caller) -> None:
    await create_account(store, caller, name="Real", code="sample")
    with pytest.raises(Conflict, match="real account"):
        await sample_account.reset_sample(store, caller)
    assert not (await resolve_account(store, caller, None)).is_sample


@pytest.mark.any_database
async def test_another_catalogue_gives_a_smaller_sample(store: Store, caller: Caller) -> None:
    other = shipped().replace('id = "popx"', 'id = "plain"')
    other = other.replace("per_level.popx", "per_level.plain").replace("{ popx =", "{ plain =")
    other = other.replace('grants_level = "popx"', 'grants_level = "plain"')
    await catalogue_update.load(store, caller, other, "other.toml")
    await sample_account.ensure_sample(store)
    assert (await in_force.current(store)).number == 1
    services = await status(AccountScope(store, caller, "sample"))
    assert {view.light for view in services} == {Light.ORANGE}
    assert "plain" not in {
        seats.level_id for seats in await list_seats(AccountScope(store, caller, "sample"))
    }


async def everything(store: Store) -> Rows:
    """Every row of every table, in a form that can be compared."""
    found: Rows = {}
    async with store.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = (await session.execute(select(table))).all()
            found[table.name] = sorted(tuple(repr(value) for value in row) for row in rows)
    return found


async def of_account(store: Store, account_id: int) -> Rows:
    """The rows of every table that name the account."""
    found: Rows = {}
    async with store.read() as session:
        for table in Base.metadata.sorted_tables:
            key = _key(table)
            if key is not None:
                rows = (await session.execute(select(table).where(key == account_id))).all()
                found[table.name] = sorted(tuple(repr(value) for value in row) for row in rows)
    return found


def _key(table: Table) -> Any:
    return table.c.id if table.name == "accounts" else table.c.get("account_id")


ACTIONS = st.lists(
    st.sampled_from(["user", "buy", "give", "alias", "take", "finish", "domain", "reset"]),
    min_size=3,
    max_size=12,
)


@settings(max_examples=share(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=ACTIONS)
def test_starting_over_never_touches_a_real_account(
    sqlite_template: Path, actions: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        shutil.copy(sqlite_template, path)
        asyncio.run(_live_and_reset(path, actions))


async def test_starting_over_never_touches_a_real_account_on_either_database(where: str) -> None:
    await _live_and_reset(where, ["reset", "user", "buy", "give", "alias", "domain", "finish"])


async def _live_and_reset(where: str | Path, actions: list[str]) -> None:
    store = await Store.open(where)
    caller = Caller(operator="anna", ticket="T-9")
    try:
        made = await create_account(
            store, caller, name="Acme", code="acme", domains=["acme.example"]
        )
        real = made.result
        await buy(AccountScope(store, caller, "acme"), "email", level="popx", quantity=20)
        for number, action in enumerate(actions):
            await _act(store, replace(caller, ticket=f"T-{number}"), action, number)
        before, mine = await everything(store), await of_account(store, real.id)
        await sample_account.reset_sample(store, caller)
        await sample_account.reset_sample(store, caller)
        assert await of_account(store, real.id) == mine
        after = await everything(store)
        accounts = await list_accounts(store, caller)
        assert [one.code for one in accounts] == ["acme", "sample"]
        theirs = await of_account(store, next(one.id for one in accounts if one.is_sample))
        assert all(theirs[name] for name in ("users", "orders", "requests", "audit"))
        for name in ("installation", "catalogue_versions", "workers", "connector_states"):
            assert after[name] == before[name]
    finally:
        await store.close()


async def _act(store: Store, caller: Caller, action: str, number: int) -> None:
    account = await resolve_account(store, caller, "acme")
    async with store.read() as session:
        people = list(
            await session.scalars(select(UserRow.id).where(UserRow.account_id == account.id))
        )
    match action:
        case "user":
            await create(store, caller, account, named(f"u{number}"))
        case "buy":
            await buy(AccountScope(store, caller, "acme"), "email", level="pc-web", quantity=2)
        case "domain":
            await add_domain(AccountScope(store, caller, "acme"), f"d{number}.example")
        case "finish":
            await finish(store, caller, account)
        case "reset":
            await sample_account.reset_sample(store, caller)
        case "give" if people:
            wanted = [ActionParams("managed-exchange", "popx")]
            await provision(AccountScope(store, caller, "acme"), people[-1], wanted)
        case "alias" if people:
            await add_alias(
                AccountScope(store, caller, "acme"), people[0], f"a{number}@acme.example"
            )
        case "take" if people:
            await deprovision_all(AccountScope(store, caller, "acme"), people[-1])
