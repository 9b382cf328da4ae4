"""Several connectors that serve one service: what is new is shared out by the rule, what is there stays."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import insert, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.installation.connector_switch import switch_connectors
from mission_control_tui.model.placement import Placement, PlacementRule
from mission_control_tui.model.services.placing import placed_counts
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

MAIL = "managed-exchange"
MAILS = ("mail-1", "mail-2", "mail-3")
WANTED = ActionParams(MAIL, "popx")


@pytest.fixture
async def people(store: Store, caller: Caller, account: Account) -> list[str]:
    """Twelve users of acme with seats to spare, and three connectors that serve their mail."""
    store.placements = {MAIL: Placement(MAILS)}
    await own_seats(store, caller, account, MAIL, "popx", 20)
    return [(await create(store, caller, account, named(f"u{number}"))).upn for number in range(12)]


async def there(store: Store) -> Counter[str]:
    async with store.read() as session:
        counts = Counter[str]()
        for (connector, _), count in (await placed_counts(session, MAIL)).items():
            counts[connector] += count
        return counts


async def connector_of(scope: AccountScope, user: str, on: str = "") -> str:
    wanted = ActionParams(MAIL, "popx", on=on)
    return (await provision(scope, user, [wanted])).result[0].connector


async def test_new_ones_are_shared_out_and_those_that_are_there_stay(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[str]
) -> None:
    chosen = [await connector_of(scope, user) for user in people[:6]]
    assert Counter(chosen) == dict.fromkeys(MAILS, 2)
    outcome = await provision(scope, people[6], [WANTED], dry_run=True)
    assert outcome.plan.lines[-1].after["connector"] in MAILS, "the plan says where"
    store.placements = {MAIL: Placement(MAILS, closed=frozenset(MAILS[:2]))}
    assert [await connector_of(scope, user) for user in people[:6]] == chosen
    assert {await connector_of(scope, user) for user in people[6:9]} == {"mail-3"}
    store.placements = {MAIL: Placement(MAILS[2:])}
    assert await switch_connectors(store, caller) == ()
    assert await there(store) == {"mail-1": 2, "mail-2": 2, "mail-3": 5}


async def test_who_chooses_at_the_same_moment_shares_out_all_the_same(
    store: Store, scope: AccountScope, people: list[str]
) -> None:
    await asyncio.gather(*(provision(scope, user, [WANTED]) for user in people))
    assert await there(store) == dict.fromkeys(MAILS, 4)


async def test_one_is_named_and_who_names_a_closed_one_is_told(
    store: Store, scope: AccountScope, people: list[str]
) -> None:
    assert await connector_of(scope, people[0], "mail-3") == "mail-3"
    with pytest.raises(UsageError, match="nowhere does not serve Managed Exchange"):
        await connector_of(scope, people[1], "nowhere")
    with pytest.raises(Conflict, match="at connector mail-3 already") as refused:
        await connector_of(scope, people[0], "mail-1")
    assert "mission-control move" in refused.value.hint
    store.placements = {MAIL: Placement(MAILS, closed=frozenset(MAILS))}
    with pytest.raises(Conflict, match="No connector takes anything new"):
        await connector_of(scope, people[1])
    named_one = await provision(scope, people[1], [ActionParams(MAIL, "popx", on="mail-2")])
    assert named_one.result[0].connector == "mail-2"
    assert any("mail-2 is closed" in said for said in named_one.plan.warnings)


async def test_a_service_of_one_connector_takes_no_other(
    store: Store, scope: AccountScope, people: list[str]
) -> None:
    store.placements = {}
    with pytest.raises(UsageError, match="mail-2 does not serve"):
        await connector_of(scope, people[0], "mail-2")


async def test_a_full_and_a_paused_one_are_passed_over(
    store: Store, caller: Caller, scope: AccountScope, people: list[str]
) -> None:
    store.placements = {MAIL: Placement(MAILS, most={"mail-1": 1})}
    async with store.write(caller) as tx:
        await tx.session.execute(
            insert(ConnectorStateRow).values(
                name="mail-2",
                paused=True,
                kind="",
                said="down",
                remedy="",
                since=tx.now,
                next_check_at=0.0,
            )
        )
    chosen = Counter([await connector_of(scope, user) for user in people[:5]])
    assert chosen == {"mail-1": 1, "mail-3": 4}


async def test_what_is_gone_is_placed_anew_with_its_name_and_nothing_known(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[str]
) -> None:
    await connector_of(scope, people[0], "mail-1")
    await finish(store, caller, account)
    await change_wish(scope, people[0], MAIL, RequestKind.DEPROVISION, at_once=True)
    assert await there(store) == {}
    store.placements = {MAIL: Placement(MAILS, closed=frozenset({"mail-1"}))}
    assert await connector_of(scope, people[0]) == "mail-1", "it is still there"
    await change_wish(scope, people[0], MAIL, RequestKind.DEPROVISION, at_once=True)
    await finish(store, caller, account)
    assert await connector_of(scope, people[0]) == "mail-2"


async def test_the_account_stays_on_one(
    store: Store, caller: Caller, account: Account, scope: AccountScope, people: list[str]
) -> None:
    store.placements = {MAIL: Placement(MAILS, PlacementRule.ACCOUNT)}
    assert len({await connector_of(scope, user) for user in people}) == 1


async def test_names_differ_over_all_of_them(
    store: Store, scope: AccountScope, people: list[str]
) -> None:
    for user in people:
        await connector_of(scope, user)
    async with store.read() as session:
        names = list(await session.scalars(select(AssignmentRow.backend_name)))
    assert len(set(names)) == len(names)
