"""kill -9 in every step of every kind of request: nothing is lost, and no effect happens twice.

One user stands for each step of each kind. Rules let exactly that step take long, so that one kill meets them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from mission_control_tui.model.states import Light, StepState
from mission_control_tui.model.store.tables.requests import RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from tests.provisioning.support import EXCHANGE_STEPS, LARGE, SMALL, World, doubled, wish, worker

STEPS: dict[str, tuple[str, ...]] = {
    "provision": ("observe", *EXCHANGE_STEPS),
    "change": ("observe", "mailbox"),
    "suspend": ("observe", "directory account"),
    "resume": ("observe", "directory account"),
    "deprovision": ("observe", *reversed(EXCHANGE_STEPS)),
}
"""The steps of each kind; "verify" comes last in all of them."""

ACTING = ("provision", "change", "deprovision")
MANY = {"concurrency": 50, "rate_per_second": 1000.0}

pytestmark = [pytest.mark.kill, pytest.mark.any_database]


@dataclass(frozen=True)
class Victim:
    """A user whose request of `kind` is to be killed in `step`."""

    upn: str
    kind: str
    step: str

    @property
    def slow_step(self) -> str:
        """The rule that makes this step, and none before it, take long."""
        call = 'call = "observe"' if self.step == "observe" else f'step = "{self.step}"'
        return f'upn = "{self.upn}"\n{call}\ndelay = 30'


async def victims(world: World, steps_of: Mapping[str, Sequence[str]]) -> list[Victim]:
    """A user for each step of each kind, the service brought to where such a request begins."""
    made = []
    for kind, steps in steps_of.items():
        upns = await world.people(*(f"{kind}-{number}" for number in range(len(steps))))
        made += [Victim(upn, kind, step) for upn, step in zip(upns, steps, strict=True)]
    with worker(world, "before"):
        for before, kinds in (("provision", set(STEPS) - {"provision"}), ("suspend", {"resume"})):
            for one in made:
                if one.kind in kinds:
                    await wish(world, one.upn, before)
            await world.settled()
    return made


async def in_steps(world: World, wanted: dict[int | None, str]) -> None:
    """Wait until each request is in its step, by request and name of the step."""

    async def reached() -> bool:
        async with world.store.read() as session:
            rows = await session.execute(
                select(RequestStepRow.request_id, RequestStepRow.name).where(
                    RequestStepRow.state == StepState.RUNNING
                )
            )
            running = dict(rows.all())
        return all(running.get(request) == step for request, step in wanted.items() if request)

    await world.until(reached)


async def check(world: World, made: list[Victim], requests: dict[Victim, int | None]) -> None:
    """Every light as wished, each effect of the last wish exactly once, the seats right."""
    rows = await world.services()
    for one in made:
        row = rows[one.upn]
        assert row.light == (Light.GREY if one.kind == "deprovision" else Light.GREEN), one
        assert row.observed_generation == row.generation
        effects = [
            effect
            for effect in world.effects()
            if (effect.key, effect.generation) == (row.id, row.generation)
        ]
        assert {effect.step for effect in effects} == set(STEPS[one.kind]) - {"observe"}, one
        assert (await world.request(requests[one])).attempt > 1, one
    assert not doubled(world.effect_counts())
    small = sum(one.kind in {"provision", "suspend", "resume"} for one in made)
    large = sum(one.kind == "change" for one in made)
    assert await world.held() == {SMALL: small, LARGE: large}


async def kill_in_all_steps(world: World, *, after_effect: bool) -> None:
    world.configure(simulator=MANY, slots=60, interactive_slots=20)
    made = await victims(
        world, {kind: STEPS[kind][1:] for kind in ACTING} if after_effect else STEPS
    )
    effects_before = len(world.effects())
    slow = [one.slow_step for one in made]
    if after_effect:
        slow = [rule.replace("delay = 30", "delay = 2.0") for rule in slow]
    world.rules(*slow)
    requests = {one: await wish(world, one.upn, one.kind) for one in made}
    with worker(world, "first") as first:
        await in_steps(world, {requests[one]: one.step for one in made})
        if after_effect:
            # Nobody can write into the store now: effects happen, and their steps are not recorded.
            async with world.store.write(world.caller) as tx:
                await tx.session.execute(select(AssignmentRow.id).with_for_update())
                passwords = sum(one.kind == "provision" for one in made)
                steps = sum(STEPS[one.kind].index(one.step) for one in made)

                async def acted() -> bool:
                    return len(world.effects()) - effects_before >= steps + passwords

                await world.until(acted)
                first.kill()
        else:
            first.kill()
    if not after_effect:
        world.rules('upn = "*-0@*"\ncall = "observe"\ndelay = 1.5')
        with worker(world, "second") as second:
            firsts = [one for one in made if one.step == "observe"]
            await in_steps(world, {requests[one]: "verify" for one in firsts})
            second.kill()
    world.rules()
    with worker(world, "third"):
        await world.settled()
    await check(world, made, requests)


@pytest.mark.proof
async def test_killed_in_every_step_of_every_kind(world: World) -> None:
    await kill_in_all_steps(world, after_effect=False)


@pytest.mark.proof
async def test_killed_between_an_effect_and_its_record(sqlite_world: World) -> None:
    await kill_in_all_steps(sqlite_world, after_effect=True)
