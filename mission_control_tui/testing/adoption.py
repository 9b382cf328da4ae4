"""What taking over promises: consent, whole objects alone, and only the mark for what stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from mission_control_tui.connect import ADOPT, OWNER_MARK, ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import PASSWORD, MemoryJournal, reach
from mission_control_tui.testing.fences import FenceContract


@pytest.mark.asyncio
class AdoptionContract(FenceContract):
    """The promises about objects that carry somebody else's mark, or none."""

    async def test_adopt_takes_over_and_keeps_the_object(self, back_end: BackEnd) -> None:
        back_end.needs(OWNER_MARK, ADOPT)
        connector, name = await back_end.open(), back_end.new_name()
        theirs = await reach(connector, back_end.wish(name, key="theirs", generation=7))
        mine = back_end.wish(name, key="mine", secret=None, adopt=True)
        journal = MemoryJournal()
        adopted = await reach(connector, mine, journal)
        assert adopted.outcome is LookOutcome.DONE
        assert adopted.observed.mark == mine.mark
        assert adopted.observed.external_id == theirs.observed.external_id
        assert "owner" in {change.what for change in journal.looks[0].plan.changes}
        await back_end.takes(name, PASSWORD)
        await reach(
            connector, back_end.wish(name, key="mine", generation=2, secret="Reset-2-Secret")
        )
        await back_end.takes(name, "Reset-2-Secret")
        if back_end.sets_passwords:
            await back_end.refuses(name, PASSWORD)

    async def test_nothing_is_taken_over_without_consent(self, back_end: BackEnd) -> None:
        back_end.needs(OWNER_MARK, ADOPT)
        elsewhere, name = back_end.new_installation(), back_end.new_name()
        stranger = await back_end.open(elsewhere)
        await reach(stranger, back_end.wish(name, installation=elsewhere))
        before = await back_end.written(name)
        connector = await back_end.open(adopt="refuse")
        refused = await reach(connector, back_end.wish(name, secret=None, adopt=True))
        assert refused.outcome is LookOutcome.BLOCKED
        assert refused.plan.kind is ErrorKind.CONFLICT
        assert 'connectors.back_end.adopt = "allow"' in refused.plan.remedy
        assert await back_end.written(name) == before

    async def test_what_is_taken_over_as_it_is_gets_a_mark_and_nothing_else(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK, ADOPT)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name, key="theirs"))
        as_is: dict[str, Any] = {"key": "mine", "secret": None, "adopt": True, "as_is": True}
        if back_end.limits or back_end.options:
            before = await back_end.written(name)
            other = back_end.wish(
                name, level=back_end.large, settings=back_end.other_options, **as_is
            )
            refused = await reach(connector, other)
            assert refused.outcome is LookOutcome.BLOCKED
            assert "would change it" in refused.plan.reason
            assert await back_end.written(name) == before
        taken = await reach(connector, back_end.wish(name, **as_is))
        assert taken.outcome is LookOutcome.DONE
        await back_end.takes(name, PASSWORD)

    async def test_what_is_gone_is_not_made_by_taking_it_over(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        gone = await reach(connector, back_end.wish(name, adopt=True, as_is=True))
        assert gone.outcome is LookOutcome.BLOCKED
        assert gone.plan.kind is ErrorKind.CONFLICT
        assert not (await observe_and_plan(connector, back_end.wish(name))).observed.exists

    async def test_what_is_no_whole_is_not_taken_over_and_keeps_all_it_has(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK, ADOPT)
        name = back_end.new_name()
        if not await back_end.make_unadoptable(name):
            pytest.skip("the back end has nothing that is no whole")
        before = await back_end.written(name)
        connector = await back_end.open()
        refused = await reach(connector, back_end.wish(name, adopt=True))
        assert refused.observed.unadoptable
        assert refused.outcome is LookOutcome.BLOCKED
        assert refused.plan.kind is ErrorKind.CONFLICT
        assert refused.plan.steps == ()
        assert await back_end.written(name) == before

    async def test_an_orphan_is_removed_with_the_fence_it_was_listed_with(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(OWNER_MARK)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name, key="lost", generation=9))
        for key, generation in (("other", 10), ("lost", 8)):
            told = back_end.wish(name, Wish.ABSENT, key=key, generation=generation, secret=None)
            assert (await reach(connector, told)).observed.exists
        gone = back_end.wish(name, Wish.ABSENT, key="lost", generation=9, attempt=2, secret=None)
        journal = MemoryJournal()
        assert (await reach(connector, gone, journal)).outcome is LookOutcome.DONE
        assert journal.looks[0].plan.action is PlanAction.DELETE
        assert not (await observe_and_plan(connector, gone)).observed.exists
