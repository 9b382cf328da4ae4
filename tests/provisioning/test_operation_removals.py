"""Mass removals wait until somebody allows them; everything else goes on."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.removal_limit import (
    RemovalLimit,
    allow_removals,
    held_removals,
)
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from tests.provisioning.support import ACCOUNT, SMALL, World, worker

pytestmark = pytest.mark.any_database

NAMES = ("ada", "ben", "cleo", "dora", "emil", "fred")


async def removed(world: World) -> int:
    async with world.store.read() as session:
        rows = await session.scalars(
            select(RequestRow.id).where(
                RequestRow.kind == RequestKind.DEPROVISION,
                RequestRow.state == RequestState.SUCCEEDED,
            )
        )
        return len(rows.all())


async def held_rows(world: World) -> list[AssignmentRow]:
    async with world.store.read() as session:
        rows = await session.scalars(
            select(AssignmentRow).where(
                AssignmentRow.word == Word.WAITING, AssignmentRow.wish == Wish.ABSENT
            )
        )
        return list(rows)


async def test_removals_above_the_limit_wait_for_a_yes_and_others_go_on(world: World) -> None:
    world.configure(removal_limit=2, removal_window_seconds=0.5)
    users = await world.people(*NAMES, "gina", "hugo")
    for user in users[:6]:
        await world.give(user)
    with worker(world):
        await world.settled()
    for user in users[:6]:
        await world.turn(user, RequestKind.DEPROVISION)
    with worker(world):

        async def two_gone() -> bool:
            return await removed(world) == 2 and len(await held_rows(world)) == 4

        await world.until(two_gone)
        given = await world.give(users[6])

        async def green() -> bool:
            return await world.light(given.assignment_id) == Light.GREEN

        await world.until(green)
        # The window is long over: what is held stays held all the same, by another worker too.
        await asyncio.sleep(1.0)
        assert await removed(world) == 2
    with worker(world, "second"):
        again = await world.turn(users[6], RequestKind.DEPROVISION)

        async def grey() -> bool:
            return await world.light(again.assignment_id) == Light.GREY

        await world.until(grey)
        (row, *_) = await held_rows(world)
        assert row.light == Light.ORANGE
        assert row.step == (
            "Paused: more than 2 removals within 0.5 seconds; "
            "allow them with `mission-control requests allow`"
        )
        assert (await world.held())[SMALL] == 4
        held = await held_removals(AccountScope(world.store, world.caller, ACCOUNT))
        assert len(held) == 4
        cancelled, *others = held
        await requests.cancel(AccountScope(world.store, world.caller, ACCOUNT), cancelled)
        tried = await allow_removals(AccountScope(world.store, world.caller, ACCOUNT), dry_run=True)
        assert tried.result == tuple(others)
        assert await held_removals(AccountScope(world.store, world.caller, ACCOUNT)) == tuple(
            others
        )
        allowed = await allow_removals(AccountScope(world.store, world.caller, ACCOUNT))
        assert allowed.result == tuple(others)
        await world.settled()
        assert await removed(world) == 6
        # What was allowed does not use up the limit of what comes next.
        last = await world.give(users[7])
        await world.settled()
        await world.turn(users[7], RequestKind.DEPROVISION)
        await world.settled()
        assert await world.light(last.assignment_id) == Light.GREY
    assert await world.held() == {SMALL: 1, "pc-web": 0}
    kinds = [one.kind for one in await world.events(others[0])]
    assert [kind for kind in kinds if kind in {"held", "allowed", "succeeded"}] == [
        "held",
        "allowed",
        "succeeded",
    ]
    async with world.store.read() as session:
        entries = await session.scalars(select(AuditRow).where(AuditRow.action == "allow removal"))
        assert {(one.request_id, one.ticket) for one in entries} == {(one, "T-1") for one in others}


async def test_a_new_wish_takes_the_place_of_a_held_removal(sqlite_world: World) -> None:
    world = sqlite_world
    world.configure(removal_limit=1, removal_window_seconds=60)
    users = await world.people("ada", "ben")
    for user in users:
        await world.give(user)
    with worker(world):
        await world.settled()
        for user in users:
            await world.turn(user, RequestKind.DEPROVISION)

        async def one_held() -> bool:
            return len(await held_rows(world)) == 1

        await world.until(one_held)
        given = await world.give(users[1])
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
    assert await held_removals(AccountScope(world.store, world.caller, ACCOUNT)) == ()
    assert not [
        one for one in world.effects() if one.effect == "removed" and one.key == given.assignment_id
    ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (RemovalLimit(20, 60), "more than 20 removals within 1 minute"),
        (RemovalLimit(5, 600), "more than 5 removals within 10 minutes"),
        (RemovalLimit(5, 90), "more than 5 removals within 90 seconds"),
    ],
)
def test_the_limit_in_words(limit: RemovalLimit, words: str) -> None:
    assert limit.words == words
