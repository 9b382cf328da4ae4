"""Bulks with settings that depend on who gets them: addresses, whom mail is sent on to, and what one alone can have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning, queries
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.bulk.views import BulkAction, BulkPlan, ItemState
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.bulk import BulkItemRow
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import set_primary
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named, own_seats

pytestmark = pytest.mark.any_database

MAIL, WEB = "managed-exchange", "web-hosting"


class Office:
    """An account with users, and bulks in it that run to their end."""

    def __init__(self, store: Store, caller: Caller, account: Account) -> None:
        self.store, self.caller, self.account = store, caller, account
        self.scope = AccountScope(store, caller, account.id)

    async def people(self, *names: str) -> list[str]:
        return [
            (await create(self.store, self.caller, self.account, named(name))).upn for name in names
        ]

    async def both(
        self, upns: list[str], action: BulkAction, params: ActionParams
    ) -> tuple[BulkPlan, list[str], int]:
        """The plan, what became of the items in their order, and the bulk's number."""
        planned = await planning.plan(self.scope, upns, action, params)
        started = await bulks.start(self.scope, upns, action, params)
        return planned, await self.done(started.result.id), started.result.id

    async def done(self, bulk_id: int) -> list[str]:
        while not (await work_slice(self.store, bulk_id)).last:
            pass
        await finish(self.store, self.caller, self.account)
        async with self.store.read() as session:
            rows = await session.scalars(
                select(BulkItemRow.state)
                .where(BulkItemRow.bulk_id == bulk_id)
                .order_by(BulkItemRow.id)
            )
            return list(rows)

    async def addresses(self, upn: str) -> tuple[tuple[str, ...], str]:
        view = await users.details(self.scope, upn)
        return view.aliases, view.primary_address


@pytest.fixture
async def office(store: Store, caller: Caller, account: Account) -> Office:
    await own_seats(store, caller, account, MAIL, "pc-web")
    await own_seats(store, caller, account, WEB, "starter")
    return Office(store, caller, account)


def counts(plan: BulkPlan) -> tuple[int, int, int]:
    return plan.queued, plan.unchanged, plan.refused


def box(settings: Mapping[str, object], level: str | None = "pc-web") -> ActionParams:
    return ActionParams(MAIL, level, settings)


async def test_addresses_that_a_bulk_gives_are_changes_that_an_undo_takes_back(
    office: Office,
) -> None:
    (boss,) = await office.people("boss")
    await provision(office.scope, boss, [box({})])
    await finish(office.store, office.caller, office.account)
    alias = "yy@acme.example"
    for settings, after, said in (
        ({"aliases": [alias]}, ((alias,), boss), {f"aliases: none -> {alias}"}),
        (
            {"primary-address": alias},
            ((alias,), alias),
            {f"aliases: none -> {alias}", f"primary address: {boss} -> {alias}"},
        ),
    ):
        planned, items, number = await office.both([boss], "change", box(settings, None))
        assert counts(planned) == (1, 0, 0)
        assert {change.what for change in planned.changes} >= said
        assert items == [ItemState.QUEUED]
        assert await office.addresses(boss) == after
        assert (await queries.show(office.scope, number)).progress.green == 1
        again, items, _number = await office.both([boss], "change", box(settings, None))
        assert counts(again) == (0, 1, 0)
        assert items == [ItemState.UNCHANGED]

        undone = (await undo(office.scope, bulk=number)).result.bulk
        assert undone is not None
        assert await office.done(undone.id) == [ItemState.QUEUED]
        assert await office.addresses(boss) == ((), boss)

        redone = (await undo(office.scope, bulk=undone.id)).result.bulk
        assert redone is not None
        assert await office.done(redone.id) == [ItemState.QUEUED]
        assert await office.addresses(boss) == after
        twice = (await undo(office.scope, bulk=redone.id)).result.bulk
        assert twice is not None
        await office.done(twice.id)


async def test_an_undo_takes_the_address_with_the_service_and_not_over_a_later_choice(
    office: Office,
) -> None:
    (boss,) = await office.people("boss")
    given = box({"primary-address": "yy@acme.example"})
    _planned, _items, number = await office.both([boss], "provision", given)
    await set_primary(office.scope, boss, boss)
    first = (await undo(office.scope, bulk=number)).result.bulk
    assert first is not None
    await office.done(first.id)
    assert await office.addresses(boss) == ((), boss)


async def test_an_address_goes_to_one_user_of_a_bulk(office: Office) -> None:
    ann, bob, cem = await office.people("ann", "bob", "cem")
    shared = box({"aliases": "same@acme.example"})

    planned, items, _number = await office.both([bob, cem], "provision", shared)
    assert counts(planned) == (1, 0, 1)
    assert items == [ItemState.QUEUED, ItemState.REFUSED]
    (reason,) = planned.reasons
    assert (reason.names, "same@acme.example" in reason.reason) == ((cem,), True)

    planned, items, _number = await office.both([ann, bob], "provision", shared)
    assert counts(planned) == (0, 1, 1)
    assert items == [ItemState.REFUSED, ItemState.UNCHANGED]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
async def test_who_would_forward_to_itself_is_refused_alone(
    office: Office, order: tuple[int, ...]
) -> None:
    upns = await office.people("ann", "bob", "cem")
    params = box({"forward-to": upns[0]})
    planned, items, _number = await office.both(
        [upns[place] for place in order], "provision", params
    )
    assert counts(planned) == (2, 0, 1)
    refused = [ItemState.REFUSED if place == 0 else ItemState.QUEUED for place in order]
    assert items == refused


async def test_who_is_forwarded_to_further_on_is_judged_alone(office: Office) -> None:
    ann, bob, cem = await office.people("ann", "bob", "cem")
    keeps = {"keep-copy": False}
    service = "forward-to"
    await provision(office.scope, ann, [box({service: bob, **keeps})])
    planned, items, _number = await office.both(
        [cem, bob], "provision", box({service: ann, **keeps})
    )
    assert counts(planned) == (1, 0, 1)
    assert items == [ItemState.QUEUED, ItemState.REFUSED]


async def test_a_unique_value_goes_to_the_first_of_a_bulk(office: Office) -> None:
    ann, bob = await office.people("ann", "bob")
    params = ActionParams(WEB, "starter", {"domain": "shop.acme.example"}, "www")
    planned, items, _number = await office.both([bob, ann], "provision", params)
    assert counts(planned) == (1, 0, 1)
    assert items == [ItemState.QUEUED, ItemState.REFUSED]
    planned, items, _number = await office.both([ann, bob], "provision", params)
    assert counts(planned) == (0, 1, 1)
    assert items == [ItemState.REFUSED, ItemState.UNCHANGED]
