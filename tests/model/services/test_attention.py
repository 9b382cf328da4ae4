"""Whose lights want an eye: the operator's own orange and red, and the newest light of a colour before any place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.requests.control import retry
from mission_control_tui.model.services import attention
from mission_control_tui.model.services.attention import OwnLights, mine, newest
from mission_control_tui.model.states import Light, RequestState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, named, own_seats

pytestmark = pytest.mark.any_database

MAIL = ActionParams("managed-exchange", "pc-web")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def other(caller: Caller) -> Caller:
    """Somebody else with the same rights."""
    return replace(caller, operator="somebody.else")


@pytest.fixture
async def people(store: Store, caller: Caller, account: Account) -> list[UserView]:
    """Four users without services."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    return [await create(store, caller, account, named(f"user{n}")) for n in range(4)]


async def turn(store: Store, caller: Caller, user: UserView, light: Light, minute: int = 0) -> None:
    """The user's services show this light since that minute, and their requests have ended."""
    async with store.write(caller) as tx:
        since = START + timedelta(minutes=minute)
        mine = AssignmentRow.user_id == user.id
        await tx.session.execute(update(AssignmentRow).where(mine).values(light=light, since=since))
        if light is not Light.ORANGE:
            ended = update(RequestRow).where(RequestRow.user_id == user.id)
            await tx.session.execute(ended.values(state=RequestState.FAILED, ended_at=since))


async def test_only_what_the_operator_asked_for_last_is_counted(
    store: Store,
    caller: Caller,
    other: Caller,
    account: Account,
    scope: AccountScope,
    people: list[UserView],
) -> None:
    assert await mine(scope) == OwnLights(0, 0, waiting=False)
    await provision(scope, people[0].id, [MAIL])
    await provision(AccountScope(store, other, account.id), people[1].id, [MAIL])
    first = await mine(scope)
    assert first.waiting
    alone = first.orange
    assert alone >= 1
    assert (await mine(AccountScope(store, other, account.id))).orange == alone
    await turn(store, caller, people[0], Light.RED)
    assert await mine(scope) == OwnLights(0, alone, waiting=True, all_red=alone)
    await turn(store, caller, people[1], Light.GREEN)
    assert await mine(AccountScope(store, other, account.id)) == OwnLights(
        0, 0, waiting=False, all_red=alone
    )


async def test_whoever_asks_again_has_it_from_then_on(
    store: Store,
    caller: Caller,
    other: Caller,
    account: Account,
    scope: AccountScope,
    people: list[UserView],
) -> None:
    await provision(scope, people[0].id, [MAIL])
    await turn(store, caller, people[0], Light.RED)
    before = await mine(scope)
    async with store.read() as session:
        failed = await session.scalar(select(RequestRow.id).order_by(RequestRow.id.desc()))
    assert failed is not None
    await retry(AccountScope(store, other, account.id), failed)
    assert (await mine(scope)).red == before.red - 1
    assert (await mine(AccountScope(store, other, account.id))).orange == 1


async def test_more_lights_than_are_followed_are_said_to_be_more(
    scope: AccountScope, people: list[UserView], monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in people[:2]:
        await provision(scope, user.id, [MAIL])
    every = await mine(scope)
    monkeypatch.setattr(attention, "FOLLOWED", every.orange)
    assert not (await mine(scope)).more
    monkeypatch.setattr(attention, "FOLLOWED", every.orange - 1)
    assert (await mine(scope)).more


async def test_the_newest_light_comes_first_then_older_ones_and_none_is_left_out(
    store: Store, caller: Caller, scope: AccountScope, people: list[UserView]
) -> None:
    assert await newest(scope, Light.RED) is None
    minutes = (3, 9, 3, 1)
    for user, minute in zip(people, minutes, strict=True):
        await provision(scope, user.id, [MAIL])
        await turn(store, caller, user, Light.RED, minute)
    async with store.read() as session:
        reds = set(await session.scalars(select(AssignmentRow.id)))
    seen = []
    one = await newest(scope, Light.RED)
    while one is not None:
        seen.append(one)
        one = await newest(scope, Light.RED, before=(one.since, one.id))
    assert seen[0].user_id == people[1].id
    assert seen[-1].user_id == people[3].id
    assert [view.since for view in seen] == sorted((view.since for view in seen), reverse=True)
    assert {view.id for view in seen} == reds
    assert len(seen) == len(reds)


async def test_another_account_is_not_looked_at(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(NotFound):
        await mine(AccountScope(store, caller, account.id + 1))
    with pytest.raises(NotFound):
        await newest(AccountScope(store, caller, account.id + 1), Light.RED)
