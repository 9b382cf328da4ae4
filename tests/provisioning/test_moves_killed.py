"""kill -9 of workers at seeded points of moves: nothing is lost, nothing is done twice, and every move ends.

One person stands for one point: a step at the new place, the look before the old one is taken away, a step of that. One
kill meets them all, and more follow at random. All points, with as many seeds: ./run-tests --all, or MC_PROOF=20.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from mission_control_tui.model.states import Light, RequestKind, StepState, Wish
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import move
from mission_control_tui.model.views import RevealedPassword
from mission_control_tui.provisioning.connectors.simulator.connector import ledger, login
from mission_control_tui.provisioning.connectors.simulator.store import Effect
from tests.provisioning.mails import Mails
from tests.provisioning.support import EXCHANGE, EXCHANGE_STEPS, RULES, doubled, worker
from tests.provisioning.test_retention import keeps
from tests.support import proof_factor

OLD, NEW = "mail-1", "mail-2"
ARRIVING = tuple((NEW, step) for step in ("observe", *EXCHANGE_STEPS))
POINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "removed": (*ARRIVING, *((OLD, step) for step in ("observe", *reversed(EXCHANGE_STEPS)))),
    "kept": (*ARRIVING, (OLD, "observe"), (OLD, "directory account")),
    "withdrawn": ARRIVING,
}
"""Where a move is killed that removes at once, one that keeps, and one that is deprovisioned meanwhile."""
FEW, LATER_KILLS = 2, 3
STEPS = RULES.replace("seed = 1\n", "")

pytestmark = [pytest.mark.kill, pytest.mark.any_database]


@dataclass(frozen=True)
class Victim:
    """A user whose move, of `kind`, is to be killed in `step` at a connector."""

    upn: str
    kind: str
    connector: str
    step: str

    @property
    def rule(self) -> str:
        """What makes this step, and none before it there, take long."""
        call = 'call = "observe"' if self.step == "observe" else f'step = "{self.step}"'
        name = self.upn.partition("@")[0]
        return f'[[rule]]\nid = "{name}"\nupn = "{self.upn}"\n{call}\ndelay = 60\n'


class KilledMoves:
    """People whose mail is at the old place, and moves."""

    def __init__(self, mails: Mails, rng: random.Random) -> None:
        self.mails, self.rng = mails, rng
        self.victims: list[Victim] = []
        self.passwords: dict[str, str] = {}

    async def furnish(self, points: Sequence[tuple[str, str, str]]) -> None:
        world = self.mails.world
        self.mails.configure(slots=60, interactive_slots=20)
        self.rules("")
        await keeps(world)
        upns = await world.people(*(f"victim-{number}" for number in range(len(points))))
        self.victims = [Victim(upn, *point) for upn, point in zip(upns, points, strict=True)]
        everywhere = world.store.placements
        world.store.placements = {EXCHANGE: replace(everywhere[EXCHANGE], connectors=(OLD,))}
        for one in self.victims:
            await world.give(one.upn)
        world.store.placements = everywhere
        with worker(world, "before"):
            await world.settled()

    def rules(self, *rules: str) -> None:
        for name in (OLD, NEW):
            self.mails.rules(name, STEPS + "".join(rules))

    async def begin(self) -> None:
        """Ask for the moves, kill the worker when each is at its point, and withdraw some."""
        mails, world = self.mails, self.mails.world
        for name in (OLD, NEW):
            slow = [one.rule for one in self.victims if one.connector == name]
            mails.rules(name, STEPS + "".join(slow))
        for one in self.victims:
            made: list[RevealedPassword] = []
            wanted = ActionParams(EXCHANGE, on=NEW, at_once=one.kind != "kept", new_password=True)
            await move(replace(mails.scope, keep=made.extend), one.upn, wanted)
            self.passwords[one.upn] = made[0].password
        with worker(world, "first") as first:
            await world.until(self._at_their_points)
            first.kill()
        for one in self.victims:
            if one.kind == "withdrawn":
                await world.turn(one.upn, RequestKind.DEPROVISION)

    async def _at_their_points(self) -> bool:
        async with self.mails.world.store.read() as session:
            rows = await session.execute(
                select(UserRow.upn, AssignmentRow.connector, RequestStepRow.name)
                .join(RequestRow, RequestRow.id == RequestStepRow.request_id)
                .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
                .join(UserRow, UserRow.id == AssignmentRow.user_id)
                .where(RequestStepRow.state == StepState.RUNNING)
            )
            running = {tuple(row) for row in rows}
        return all((one.upn, one.connector, one.step) in running for one in self.victims)

    async def go_on(self) -> None:
        """Let workers go on and kill each at a random moment, the last one but not."""
        world = self.mails.world
        self.rules('[[rule]]\nid = "slow"\ndelay = 0.0\njitter = 0.3\n')
        for number in range(LATER_KILLS):
            with worker(world, f"killed-{number}") as one:
                await asyncio.sleep(self.rng.uniform(0.1, 1.5))
                one.kill()
            await self.check_meanwhile()
        self.rules("")
        with worker(world, "last"):
            await world.settled(120.0)

    def effects(self, connector: str, key: str, effect: str) -> list[Effect]:
        found = ledger(self.mails.file(connector)) if self.mails.file(connector).exists() else ()
        return [one for one in found if (one.key, one.effect) == (key, effect)]

    async def rows(self) -> dict[str, dict[bool, AssignmentRow]]:
        """What each user has, and what was left, by whether it was left."""
        async with self.mails.world.store.read() as session:
            rows = await session.execute(
                select(UserRow.upn, AssignmentRow)
                .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
                .where(AssignmentRow.service_id == EXCHANGE)
            )
            found: dict[str, dict[bool, AssignmentRow]] = {}
            for upn, row in rows:
                found.setdefault(upn, {})[bool(row.marked)] = row
            return found

    async def check_meanwhile(self) -> None:
        """Nobody is without: what was taken away at the old place was made at the new one before."""
        for upn, rows in (await self.rows()).items():
            key = rows[False].id
            removed = self.effects(OLD, key, "removed")
            created = self.effects(NEW, key, "created")
            if removed:
                assert {one.step for one in created} == {*EXCHANGE_STEPS}, upn
                assert max(one.at for one in created) < min(one.at for one in removed), upn

    async def check(self) -> None:
        world = self.mails.world
        await self.check_meanwhile()
        rows = await self.rows()
        for one in self.victims:
            row, left = rows[one.upn][False], rows[one.upn][True]
            removed = {each.step for each in self.effects(OLD, row.id, "removed")}
            assert removed == ({*EXCHANGE_STEPS} if one.kind == "removed" else set()), one
            assert (left.light, left.wish) == (Light.GREY, Wish.ABSENT), one
            assert (left.kept_until > 0) == (one.kind != "removed"), one
            if one.kind == "withdrawn":
                assert (row.light, row.wish) == (Light.GREY, Wish.ABSENT), one
            else:
                assert (row.light, row.connector) == (Light.GREEN, NEW), one
                assert row.observed_generation == row.generation
                assert login(self.mails.file(NEW), row.backend_name, self.passwords[one.upn]), one
        self.check_once()
        withdrawn = [one.upn for one in self.victims if one.kind == "withdrawn"]
        for upn in withdrawn:
            assert (await world.give(upn)).connector == OLD, upn
        with worker(world, "after"):
            await world.settled()
        rows = await self.rows()
        for upn in withdrawn:
            row = rows[upn][False]
            assert (row.light, row.connector) == (Light.GREEN, OLD), upn
            assert len(self.effects(OLD, row.id, "created")) == len(EXCHANGE_STEPS), upn
        self.check_once()

    def check_once(self) -> None:
        for name in (OLD, NEW):
            happened = Counter(
                (one.key, one.generation, one.step, one.effect)
                for one in ledger(self.mails.file(name))
            )
            assert not doubled(happened), name


async def kill(mails: Mails, seed: int, count: int | None = None) -> None:
    """Kill moves of each kind at so many points, at all of them without a number."""
    rng = random.Random(seed)
    points = [
        (kind, *point)
        for kind, found in POINTS.items()
        for point in (found if count is None else rng.sample(found, count))
    ]
    moves = KilledMoves(mails, rng)
    try:
        await moves.furnish(points)
        await moves.begin()
        await moves.go_on()
        await moves.check()
    except AssertionError:
        print(f"seed {seed}", await mails.world.story())  # noqa: T201 - shown with the failure
        raise


async def test_moves_that_are_killed_at_some_points_lose_nothing_and_do_nothing_twice(
    mails: Mails,
) -> None:
    await kill(mails, 1, FEW)


@pytest.mark.proof
@pytest.mark.parametrize("turn", range(proof_factor()))
async def test_moves_that_are_killed_at_every_point_lose_nothing_and_do_nothing_twice(
    mails: Mails, turn: int
) -> None:
    await kill(mails, int(time.time()) if proof_factor() > 1 else turn)
