"""The part of the contract that is about older and newer acts on one object, and about several at a time."""

from __future__ import annotations

import asyncio

import pytest

from mission_control_tui.connect import (
    LEVELS,
    LIST,
    OWNER_MARK,
    ConnectorError,
    DesiredState,
    ErrorKind,
)
from mission_control_tui.model.states import RETRIED_KINDS
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import (
    PASSWORD,
    reach,
)


async def reach_patiently(connector: Guarded, desired: DesiredState) -> LookOutcome:
    """Converge as the engine does: what can heal is tried again."""
    for _ in range(20):
        try:
            return (await reach(connector, desired)).outcome
        except ConnectorError as error:
            if error.kind not in RETRIED_KINDS:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("it never healed")


@pytest.mark.asyncio
class FenceContract:
    """The promises about fences; see ConnectorContract."""

    async def test_a_newer_wish_at_the_back_end_blocks_an_older_one(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name, generation=5, attempt=2))
        before = await back_end.written(name)
        for generation, attempt in ((4, 9), (5, 1)):
            stale = back_end.wish(
                name, level=back_end.large, generation=generation, attempt=attempt
            )
            blocked = await reach(connector, stale)
            assert blocked.outcome is LookOutcome.BLOCKED
            assert blocked.plan.kind is ErrorKind.STALE
        assert await back_end.written(name) == before

    async def test_a_plan_that_was_overtaken_is_refused_when_it_is_applied(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK, LEVELS)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        overtaken = back_end.wish(name, level=back_end.large, generation=2, secret=None)
        _, plan = await observe_and_plan(connector, overtaken)
        await reach(connector, back_end.wish(name, generation=3, secret=None))
        before = await back_end.written(name)
        with pytest.raises(ConnectorError) as caught:
            await apply_step(connector, overtaken, plan, plan.steps[0])
        assert caught.value.kind is ErrorKind.STALE
        assert await back_end.written(name) == before

    async def test_a_wish_that_changes_nothing_still_moves_the_fence(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        converged = await reach(connector, back_end.wish(name, generation=4, secret=None))
        assert converged.outcome is LookOutcome.DONE
        assert converged.observed.mark is not None
        assert converged.observed.mark.generation == 4

    async def test_a_newer_epoch_is_newer_than_every_generation(self, back_end: BackEnd) -> None:
        back_end.needs(OWNER_MARK, LEVELS)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name, generation=9))
        restored = back_end.wish(
            name, level=back_end.large, generation=3, epoch=2, secret="Restored-9-Secret"
        )
        reached = await reach(connector, restored)
        assert reached.outcome is LookOutcome.DONE
        assert reached.observed.level == back_end.large
        assert reached.observed.mark == restored.mark
        await back_end.takes(name, "Restored-9-Secret")
        before = await back_end.written(name)
        of_before = await reach(
            connector, back_end.wish(name, generation=10, secret="Old-Worker-1")
        )
        assert (of_before.outcome, of_before.plan.kind) == (LookOutcome.BLOCKED, ErrorKind.STALE)
        assert await back_end.written(name) == before

    async def test_two_workers_with_one_wish_make_one_object(self, back_end: BackEnd) -> None:
        connectors = [await back_end.open() for _ in range(3)]
        name = back_end.new_name()
        outcomes = await asyncio.gather(
            *(
                reach_patiently(connector, back_end.wish(name, attempt=attempt))
                for attempt, connector in enumerate(connectors, 1)
            )
        )
        assert LookOutcome.DONE in outcomes
        assert set(outcomes) <= {LookOutcome.DONE, LookOutcome.BLOCKED}
        if LIST in back_end.declares.capabilities:
            found = [row.name async for row in connectors[0].list()]
            assert found.count(name) == 1
        await back_end.takes(name, PASSWORD)

    async def test_of_two_racing_wishes_the_newer_one_stays(self, back_end: BackEnd) -> None:
        back_end.needs(LEVELS, OWNER_MARK)
        older, newer = await back_end.open(), await back_end.open()
        name = back_end.new_name()
        await asyncio.gather(
            reach_patiently(older, back_end.wish(name, level=back_end.large, generation=1)),
            reach_patiently(newer, back_end.wish(name, level=back_end.small, generation=2)),
        )
        final = await reach(newer, back_end.wish(name, level=back_end.small, generation=2))
        assert final.outcome is LookOutcome.DONE
        assert final.observed.level == back_end.small
