"""Mass removals wait until somebody allows them; everything else goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.claims import Room, Slots, choose, hold, stand
from mission_control_tui.model.requests.removal_limit import (
    RemovalLimit,
    allow_removals,
    held_removals,
    hold_excess,
)
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.settings.settings import load
from tests.provisioning.support import ACCOUNT, EXCHANGE, SMALL, World, worker

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


async def test_a_removal_that_is_just_being_started_counts(postgres_world: World) -> None:
    world = postgres_world
    users = await world.people(*NAMES[:4])
    given = [await world.give(user) for user in users]
    with worker(world):
        await world.settled()
    for user in users:
        await world.turn(user, RequestKind.DEPROVISION)
    # As the statement that begins an attempt has it, before its commit.
    begins = select(AssignmentRow.id).where(AssignmentRow.id == given[0].assignment_id)
    async with world.store.write(WORKER) as other:
        await other.session.execute(begins.with_for_update())
        async with world.store.write(WORKER) as tx:
            assert (await hold_excess(tx, RemovalLimit(3, 60.0))).held == 1
    (row,) = await held_rows(world)
    assert row.id == given[3].assignment_id


class Unlimited:
    """As much as there is."""

    def concurrency(self, connector: str, *, bulk: bool) -> int:
        return 100

    def starts_left(self, connector: str) -> int:
        return 100


async def test_a_removal_that_nobody_has_counted_yet_is_not_started(postgres_world: World) -> None:
    world = postgres_world
    users = await world.people(*NAMES[:3])
    for user in users:
        await world.give(user)
    with worker(world):
        await world.settled()
    slots = Slots(10, 10, RemovalLimit(1, 60.0))

    async def chosen(asks: Sequence[str]) -> int:
        """How many start of what is asked for while somebody chooses."""
        async with world.store.write(WORKER) as tx:
            standing = await stand(tx.session)
            for user in asks:
                await world.turn(user, RequestKind.DEPROVISION)
            _, removals = await hold(tx, slots, standing)
            room = Room(Unlimited(), Counter(), Counter())
            return len(await choose(tx.session, slots, room, (), removals))

    assert await chosen(users) == 0
    assert await chosen(()) == 1
    assert len(await held_rows(world)) == 2


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


async def test_composites_with_one_directory_have_one_limit_there(world: World) -> None:
    lines = []
    for name in ("directory", "mail-1", "mail-2"):
        file = world.directory / f"{name}.db"
        lines += [f"[connectors.{name}]", 'type = "simulator"', f'path = "{file}"']
        lines += ["delay_factor = 0"]
    for number in (1, 2):
        lines += [f"[connectors.exchange-{number}]", 'type = "composite"']
        for part, connector in (("directory", "directory"), ("mailbox", f"mail-{number}")):
            lines += [f"[connectors.exchange-{number}.parts.{part}]", f'connector = "{connector}"']
    lines += [f"[placement.{EXCHANGE}]", 'connectors = ["exchange-1", "exchange-2"]']
    world.configure(removal_limit=2, removal_window_seconds=3600, more=lines)
    world.store.placements = load().placements
    users = await world.people(*NAMES)
    given = [await world.give(user) for user in users]
    assert {one.connector for one in given} == {"exchange-1", "exchange-2"}
    with worker(world):
        await world.settled()
        for user in users[:4]:
            await world.turn(user, RequestKind.DEPROVISION)

        async def two_gone() -> bool:
            return await removed(world) == 2 and len(await held_rows(world)) == 2

        await world.until(two_gone)
        await allow_removals(AccountScope(world.store, world.caller, ACCOUNT))
        await world.settled()
        # The directory has had its two: what is asked for now waits, wherever its mailbox is.
        await world.turn(users[4], RequestKind.DEPROVISION)

        async def held() -> bool:
            return len(await held_rows(world)) == 1

        await world.until(held)
    assert await removed(world) == 4
