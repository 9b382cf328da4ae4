"""An orphan's removal is judged when it acts: nothing is removed that a service has, or that is not what was listed."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mission_control_tui.connect import DesiredState, Mark, Wish
from mission_control_tui.model.catalogue.in_force import current
from mission_control_tui.model.onboarding.adoption import Bringing, bring_in
from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow, RowAction
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.orphans import LostObject, remove_orphans
from mission_control_tui.model.states import Light, RequestKind, RequestState
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.provisioning.orphans import look_at_orphans
from mission_control_tui.settings.settings import load
from mission_control_tui.testing.converging import reach
from tests.provisioning.support import (
    ACCOUNT,
    EXCHANGE,
    EXCHANGE_STEPS,
    PASSWORD,
    SMALL,
    World,
    worker,
)

pytestmark = pytest.mark.any_database

LOOKS, ACTS = (f'call = "{call}"\nstate = "absent"\ndelay = 1.5' for call in ("observe", "apply"))
"""Rules that give a test the time to do something while a removal looks, or acts."""
ONE_AT_A_TIME = {"concurrency": 1}


@dataclass
class Lost:
    """A mailbox at `simulator` that was taken away here, and came back with a backup of the back end."""

    world: World
    upn: str
    key: str
    name: str

    @property
    def scope(self) -> AccountScope:
        return AccountScope(self.world.store, self.world.caller, ACCOUNT)

    def removed(self) -> list[str]:
        """The parts that were removed since, in order."""
        effects = ledger(self.world.simulator_path)
        return [one.step for one in effects if (one.effect, one.name) == ("removed", self.name)]

    async def seen(self) -> LostObject:
        """List it and look at it, as before one is asked."""
        backends = Backends(load(), self.world.store.installation)
        try:
            (one,) = await look_at_orphans(
                *(self.world.store, self.world.caller, backends, "simulator", load()),
                names=[self.name],
            )
        finally:
            await backends.close()
        assert one.refused == ""
        return one.found

    async def ask(self) -> RequestRow:
        """Ask for its removal."""
        asked = await remove_orphans(self.scope, [await self.seen()])
        assert asked.result.asked == [self.name]
        return await self.world.request(asked.plan.requests[0])

    async def written(self, key: str, generation: int) -> None:
        """Let a service of this key have it at the back end, as one did that is lost again."""
        connector = await registry.load_set_up("simulator", load(), self.world.store.installation)
        mark = Mark(self.world.store.installation, key, generation, 1)
        wish = DesiredState(mark, EXCHANGE, self.name, Wish.PRESENT, SMALL, adopt=True)
        try:
            await reach(connector, wish)
        finally:
            await connector.aclose()

    async def taken_over(self) -> None:
        """Ask for it to be taken over by somebody else, as nothing here has its name any more."""
        async with self.world.store.write(self.world.caller) as tx:
            other = update(AssignmentRow).where(AssignmentRow.id == self.key)
            await tx.session.execute(other.values(backend_name="as_it_was"))
        service = (await current(self.world.store)).catalogue.service(EXCHANGE)
        row = AdoptionRow(
            *("simulator", EXCHANGE, self.name, RowAction.CHANGE, ACCOUNT, "ben@acme.example"),
            level=SMALL,
            row=2,
        )
        outcome = await bring_in(self.scope, [Bringing(row, service, SMALL)])
        assert outcome.result.adopted == [2]

    async def conflict(self, request: RequestRow) -> str:
        """What the removal that was refused says."""
        ended = await self.world.request(request.id)
        assert ended.state == RequestState.FAILED, await self.world.story()
        row = await self.world.assignment(str(request.assignment_id))
        assert (row.light, row.error_kind) == (Light.RED, "conflict")
        return row.error_said


def copy(file: Path, to: Path) -> None:
    """Copy what a simulator keeps."""
    opened = contextlib.closing
    with opened(sqlite3.connect(file)) as one, opened(sqlite3.connect(to)) as other:
        one.backup(other)


@pytest.fixture
async def lost(world: World) -> Lost:
    world.configure(simulator=ONE_AT_A_TIME)
    (upn, _) = await world.people("ada", "ben")
    given = await world.give(upn)
    backup = world.directory / "backup.db"
    with worker(world, "before"):
        await world.settled()
    copy(world.simulator_path, backup)
    await world.turn(upn, RequestKind.DEPROVISION)
    with worker(world, "taken"):
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREY
    copy(backup, world.simulator_path)
    # Its password is not kept here: it can be given again with a new one.
    await set_password(AccountScope(world.store, world.caller, ACCOUNT), upn, PASSWORD)
    row = await world.assignment(given.assignment_id)
    return Lost(world, upn, row.id, row.backend_name)


async def test_it_is_removed_once_and_the_service_can_be_given_again(lost: Lost) -> None:
    asked = await lost.ask()
    with worker(lost.world):
        await lost.world.settled()
        assert (await lost.world.request(asked.id)).state == RequestState.SUCCEEDED
        assert Counter(lost.removed()) == Counter(EXCHANGE_STEPS)
        again = await lost.world.give(lost.upn)
        await lost.world.settled()
    assert await lost.world.light(again.assignment_id) == Light.GREEN
    assert again.assignment_id == lost.key


@pytest.mark.parametrize("whose", ["its own", "another"])
async def test_what_carries_another_mark_than_was_listed_is_left_alone(
    lost: Lost, whose: str
) -> None:
    asked = await lost.ask()
    # Whoever had it meanwhile is lost again by now: no service of today's knows it.
    await lost.written(lost.key if whose == "its own" else "f" * 32, 7)
    with worker(lost.world):
        await lost.world.settled()
    assert "is not what was listed" in await lost.conflict(asked)
    assert lost.removed() == []


@pytest.mark.parametrize("rule", [LOOKS, ACTS], ids=["looks", "acts"])
async def test_a_service_that_is_given_again_while_the_removal_runs_keeps_what_is_left(
    lost: Lost, rule: str
) -> None:
    lost.world.rules(rule)
    asked = await lost.ask()
    step = "Looking" if rule == LOOKS else EXCHANGE_STEPS[-1]
    with worker(lost.world):
        await lost.world.until(lambda: lost.world.running_step(step))
        again = await lost.world.give(lost.upn)
        await lost.world.settled()
    assert again.assignment_id == lost.key
    assert "is no orphan any more" in await lost.conflict(asked)
    assert await lost.world.light(lost.key) == Light.GREEN, await lost.world.story()
    assert lost.removed() == ([] if rule == LOOKS else [EXCHANGE_STEPS[-1]])


async def test_a_take_over_that_is_asked_for_while_the_removal_runs_wins(lost: Lost) -> None:
    lost.world.rules(LOOKS)
    asked = await lost.ask()
    with worker(lost.world):
        await lost.world.until(lambda: lost.world.running_step("Looking"))
        await lost.taken_over()
        await lost.world.settled()
    assert "is no orphan any more" in await lost.conflict(asked)
    assert lost.removed() == []
    assert (await lost.world.services())["ben@acme.example"].light == Light.GREEN


async def test_what_is_being_taken_over_is_not_asked_away(lost: Lost) -> None:
    found = await lost.seen()
    await lost.taken_over()
    refused = (await remove_orphans(lost.scope, [found])).result.refused
    assert refused == {lost.name: "a service here is taking it over"}


async def test_a_removal_that_is_cancelled_while_it_runs_leaves_no_light(lost: Lost) -> None:
    lost.world.rules(ACTS)
    asked = await lost.ask()
    with worker(lost.world):
        await lost.world.until(lambda: lost.world.running_step(EXCHANGE_STEPS[-1]))
        await requests.cancel(lost.scope, asked.id)
        await lost.world.settled()
    assert await lost.world.light(str(asked.assignment_id)) == Light.GREY
    assert (await lost.world.request(asked.id)).state == RequestState.CANCELLED
    # The rest of it is an orphan still, with the mark that it had.
    await lost.ask()
    lost.world.rules()
    with worker(lost.world, "again"):
        await lost.world.settled()
    assert Counter(lost.removed()) == Counter(EXCHANGE_STEPS)


async def test_a_removal_that_is_cancelled_after_it_was_replaced_does_not_say_that_it_is_gone(
    lost: Lost,
) -> None:
    lost.world.rules(ACTS)
    asked = await lost.ask()
    with worker(lost.world):
        await lost.world.until(lambda: lost.world.running_step(EXCHANGE_STEPS[-1]))
        await requests.cancel(lost.scope, asked.id)
        await lost.written("f" * 32, 7)
        await lost.world.settled()
    ended = await lost.world.request(asked.id)
    assert ended.state == RequestState.CANCELLED, await lost.world.story()
    assert await lost.world.light(str(asked.assignment_id)) == Light.GREY


def wired(lost: Lost, *parts: str) -> None:
    """Let Managed Exchange be at a composite of these parts, beside what is there."""
    second = lost.world.directory / "second.db"
    lines = ["[connectors.second]", 'type = "simulator"', f'path = "{second}"']
    lines += ["[connectors.whole]", 'type = "composite"']
    for part in parts:
        lines += [f"[connectors.whole.parts.{part}]", f'connector = "{part}"']
    lost.world.configure(more=[*lines, "[services]", f'{EXCHANGE} = "whole"'])
    lost.world.store.connectors = {EXCHANGE: "whole"}


async def at_whole(lost: Lost) -> AssignmentRow:
    async with lost.world.store.read() as session:
        rows = await session.scalars(
            select(AssignmentRow).where(AssignmentRow.connector == "whole")
        )
        return rows.one()


async def test_the_same_key_at_another_connector_is_another_object(lost: Lost) -> None:
    wired(lost, "second")
    with worker(lost.world, "given"):
        await lost.world.give(lost.upn)
        await lost.world.settled()
    assert (await at_whole(lost)).id == lost.key
    asked = await lost.ask()
    with worker(lost.world):
        await lost.world.settled()
    assert (await lost.world.request(asked.id)).state == RequestState.SUCCEEDED
    assert Counter(lost.removed()) == Counter(EXCHANGE_STEPS)
    assert "removed" not in {one.effect for one in ledger(lost.world.directory / "second.db")}
    assert (await at_whole(lost)).light == Light.GREEN


@pytest.mark.parametrize("runs", [False, True])
async def test_where_it_may_be_known_is_judged_by_the_settings_of_that_moment(
    lost: Lost, runs: bool
) -> None:
    wired(lost, "second")
    with worker(lost.world, "given"):
        await lost.world.give(lost.upn)
        await lost.world.settled()
    found = await lost.seen()

    async def begun() -> bool:
        return not runs or "begins" in (lost.world.directory / "worker.log").read_text()

    with worker(lost.world) if runs else contextlib.nullcontext():
        await lost.world.until(begun)
        wired(lost, "second", "simulator")
        asked = await remove_orphans(lost.scope, [found])
        assert asked.result.asked == [lost.name]
        request = await lost.world.request(asked.plan.requests[0])
        with worker(lost.world, "then") if not runs else contextlib.nullcontext():
            await lost.world.settled()
    assert "is no orphan any more" in await lost.conflict(request)
    assert lost.removed() == []
