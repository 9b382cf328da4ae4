"""The promises of the protocol, asked of any connector: those that are shipped and those of third parties.

A test module has one class for each connector:

    class TestMine(ConnectorContract):
        @pytest.fixture
        async def back_end(self, tmp_path):
            back_end = MyBackEnd(...)   # a BackEnd, its server started
            yield back_end
            await back_end.close()

What a connector does not declare (levels, suspend, passwords, a listing, members) is not asked of it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.connect import (
    LEVELS,
    LIST,
    LIST_UNMARKED,
    MEMBERS,
    OWNER_MARK,
    SUSPEND,
    ConnectorError,
    ErrorKind,
    Mark,
    PlanAction,
    Wish,
)
from mission_control_tui.connect import (
    PASSWORD as SETS_PASSWORDS,
)
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.testing.adoption import AdoptionContract
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import (
    PASSWORD,
    MemoryJournal,
    reach,
    stop_after,
)


async def _listed(connector: Guarded, *, marked_only: bool = True) -> dict[str, Mark | None]:
    return {row.name: row.mark async for row in connector.list(marked_only=marked_only)}


@pytest.mark.asyncio
class ConnectorContract(AdoptionContract):
    """The promises; a subclass has the fixture `back_end`."""

    async def test_check_reaches_the_back_end_and_names_its_version(
        self, back_end: BackEnd
    ) -> None:
        health = await (await back_end.open()).check()
        assert health.version

    async def test_create_is_done_only_when_the_second_look_agrees(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        converged = await reach(connector, back_end.wish(name))
        assert converged.outcome is LookOutcome.DONE
        assert converged.plan.action is PlanAction.NONE
        assert converged.observed.exists
        assert converged.observed.complete
        assert converged.observed.wish is Wish.PRESENT
        assert converged.observed.level == back_end.small
        assert converged.observed.mark == back_end.wish(name).mark
        await back_end.takes(name, PASSWORD)

    async def test_a_dry_run_changes_nothing(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        before = await back_end.written(name)
        observed, plan = await observe_and_plan(connector, back_end.wish(name))
        assert not observed.exists
        assert plan.action is PlanAction.CREATE
        assert plan.changes
        assert await back_end.written(name) == before

    async def test_the_same_wish_twice_writes_nothing(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        before = await back_end.written(name)
        journal = MemoryJournal()
        converged = await reach(connector, back_end.wish(name), journal)
        assert converged.outcome is LookOutcome.DONE
        assert journal.steps == []
        assert await back_end.written(name) == before

    async def test_applying_a_plan_again_has_no_second_effect(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        _, plan = await observe_and_plan(connector, back_end.wish(name))
        for step in plan.steps:
            await apply_step(connector, back_end.wish(name), plan, step)
        before = await back_end.written(name)
        for step in plan.steps:
            await apply_step(connector, back_end.wish(name), plan, step)
        assert await back_end.written(name) == before

    async def test_a_level_change_is_an_update_of_what_is_there(self, back_end: BackEnd) -> None:
        back_end.needs(LEVELS)
        connector, name = await back_end.open(), back_end.new_name()
        created = await reach(connector, back_end.wish(name))
        larger = back_end.wish(name, level=back_end.large, generation=2, secret=None)
        _, plan = await observe_and_plan(connector, larger)
        assert plan.action is PlanAction.UPDATE
        assert {change.what for change in plan.changes} <= {
            "level",
            *(f"limits.{key}" for key in {*back_end.limits.get(back_end.large, {})}),
        }
        changed = await reach(connector, larger)
        assert changed.observed.level == back_end.large
        assert changed.observed.external_id == created.observed.external_id
        await back_end.takes(name, PASSWORD)

    async def test_suspend_keeps_the_data_and_resume_brings_back_the_login(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(SUSPEND)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        suspended = await reach(
            connector, back_end.wish(name, Wish.SUSPENDED, generation=2, secret=None)
        )
        assert suspended.observed.wish is Wish.SUSPENDED
        assert suspended.observed.exists
        await back_end.refuses(name, PASSWORD)
        resumed = await reach(connector, back_end.wish(name, generation=3, secret=None))
        assert resumed.observed.wish is Wish.PRESENT
        await back_end.takes(name, PASSWORD)

    async def test_a_disabled_user_is_kept_suspended(self, back_end: BackEnd) -> None:
        back_end.needs(SUSPEND)
        connector, name = await back_end.open(), back_end.new_name()
        converged = await reach(connector, back_end.wish(name, disabled=True))
        assert converged.outcome is LookOutcome.DONE
        assert converged.observed.wish is Wish.SUSPENDED
        await back_end.refuses(name, PASSWORD)

    async def test_what_is_retained_is_suspended_comes_back_and_is_removed_when_its_time_is_over(
        self, back_end: BackEnd
    ) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        created = await reach(connector, back_end.wish(name))
        absent = back_end.wish(name, Wish.ABSENT, generation=2, secret=None)
        retained = replace(absent, retained=True)
        if SUSPEND not in back_end.declares.capabilities:
            _, plan = await observe_and_plan(connector, retained)
            assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.UNSUPPORTED)
            return
        kept = await reach(connector, retained)
        assert kept.outcome is LookOutcome.DONE
        assert kept.observed.exists
        assert kept.observed.wish is Wish.SUSPENDED
        await back_end.refuses(name, PASSWORD)
        again = MemoryJournal()
        await reach(connector, retained, again)
        assert again.steps == []
        back = await reach(connector, back_end.wish(name, generation=3, secret=None))
        assert back.outcome is LookOutcome.DONE
        assert back.observed.external_id == created.observed.external_id
        await back_end.takes(name, PASSWORD)
        await reach(connector, replace(retained, mark=replace(absent.mark, generation=4)))
        over = replace(absent, mark=replace(absent.mark, generation=5))
        removed = await reach(connector, over)
        assert removed.outcome is LookOutcome.DONE
        assert not removed.observed.exists

    async def test_deprovision_removes_everything_and_again_does_nothing(
        self, back_end: BackEnd
    ) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        absent = back_end.wish(name, Wish.ABSENT, generation=2, secret=None)
        journal = MemoryJournal()
        removed = await reach(connector, absent, journal)
        assert removed.outcome is LookOutcome.DONE
        assert not removed.observed.exists
        assert journal.looks[0].plan.action is PlanAction.DELETE
        assert all(change.takes_away for change in journal.looks[0].plan.changes)
        await back_end.refuses(name, PASSWORD)
        again = MemoryJournal()
        assert (await reach(connector, absent, again)).outcome is LookOutcome.DONE
        assert again.steps == []

    @pytest.mark.parametrize("owner", ["another assignment", "another installation"])
    async def test_what_somebody_else_owns_is_left_alone(
        self, back_end: BackEnd, owner: str
    ) -> None:
        back_end.needs(OWNER_MARK)
        connector, name = await back_end.open(), back_end.new_name()
        theirs = (
            back_end.wish(name, key="theirs")
            if owner == "another assignment"
            else back_end.wish(name)
        )
        if owner == "another installation":
            elsewhere = back_end.new_installation()
            theirs = replace(theirs, mark=replace(theirs.mark, installation=elsewhere))
        await reach(connector, theirs)
        before = await back_end.written(name)
        blocked = await reach(connector, back_end.wish(name, generation=9))
        assert blocked.outcome is LookOutcome.BLOCKED
        assert blocked.plan.kind is ErrorKind.CONFLICT
        assert "adopt" in blocked.plan.remedy
        gone = await reach(connector, back_end.wish(name, Wish.ABSENT, generation=10, secret=None))
        assert gone.outcome is LookOutcome.DONE
        assert await back_end.written(name) == before

    async def test_a_half_made_object_is_finished(self, back_end: BackEnd) -> None:
        back_end.needs_steps()
        connector, name = await back_end.open(), back_end.new_name()
        stopped = await stop_after(connector, back_end.wish(name), back_end.half)
        assert stopped.outcome is LookOutcome.DIFFERENT
        assert stopped.observed.exists
        assert not stopped.observed.complete
        assert stopped.plan.action is PlanAction.UPDATE
        finished = await reach(connector, back_end.wish(name, attempt=2))
        assert finished.outcome is LookOutcome.DONE
        assert finished.observed.complete
        await back_end.takes(name, PASSWORD)

    async def test_a_half_made_object_can_be_removed(self, back_end: BackEnd) -> None:
        back_end.needs_steps()
        connector, name = await back_end.open(), back_end.new_name()
        await stop_after(connector, back_end.wish(name), back_end.half)
        removed = await reach(
            connector, back_end.wish(name, Wish.ABSENT, generation=2, secret=None)
        )
        assert removed.outcome is LookOutcome.DONE
        assert not removed.observed.exists

    async def test_a_password_is_told_by_its_id_and_not_by_its_generation(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(SETS_PASSWORDS)
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        before = await back_end.written(name)
        again = await reach(connector, back_end.wish(name, attempt=2))
        assert again.outcome is LookOutcome.DONE
        assert await back_end.written(name) == before
        # A restored database states another password in a generation that the back end has seen.
        await reach(connector, back_end.wish(name, attempt=3, secret="Another-Secret-1"))
        await back_end.takes(name, "Another-Secret-1")
        await back_end.refuses(name, PASSWORD)
        _, plan = await observe_and_plan(
            connector, back_end.wish(name, generation=2, secret="Reset-2-Secret")
        )
        assert {change.what for change in plan.changes} == {"password"}
        await reach(connector, back_end.wish(name, generation=2, secret="Reset-2-Secret"))
        await back_end.takes(name, "Reset-2-Secret")
        await back_end.refuses(name, "Another-Secret-1")

    async def test_no_secret_shows_in_what_is_reported(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        journal = MemoryJournal()
        desired = back_end.wish(name)
        converged = await reach(connector, desired, journal)
        assert PASSWORD not in repr((desired, converged, journal, connector))
        assert PASSWORD not in str(await back_end.written(name))

    async def test_list_yields_what_carries_our_mark_and_nothing_else(
        self, back_end: BackEnd
    ) -> None:
        back_end.needs(LIST, OWNER_MARK)
        installation = back_end.new_installation()
        connector, stranger = await back_end.open(installation), await back_end.open()
        mine, theirs = back_end.new_name(), back_end.new_name()
        await reach(connector, back_end.wish(mine, installation=installation))
        await reach(stranger, back_end.wish(theirs))
        found = await _listed(connector)
        assert list(found) == [mine]
        assert back_end.wish(mine, installation=installation).mark.same_owner(found[mine])
        if LIST_UNMARKED in back_end.declares.capabilities:
            assert {mine, theirs} <= (await _listed(connector, marked_only=False)).keys()

    async def test_observe_mode_shows_the_difference_and_writes_nothing(
        self, back_end: BackEnd
    ) -> None:
        writer, name = await back_end.open(), back_end.new_name()
        _, plan = await observe_and_plan(writer, back_end.wish(name))
        connector = await back_end.open(mode="observe")
        before = await back_end.written(name)
        blocked = await reach(connector, back_end.wish(name))
        assert blocked.outcome is LookOutcome.BLOCKED
        assert blocked.plan.kind is ErrorKind.CONFIG
        assert "connectors.back_end.mode" in blocked.plan.remedy
        assert blocked.plan.changes == plan.changes
        with pytest.raises(ConnectorError) as caught:
            await apply_step(connector, back_end.wish(name), plan, plan.steps[0])
        assert caught.value.kind is ErrorKind.CONFIG
        assert await back_end.written(name) == before

    async def test_closing_twice_is_harmless(self, back_end: BackEnd) -> None:
        connector = await back_end.open()
        await connector.check()
        await connector.aclose()
        await connector.aclose()

    async def test_members_are_differences_or_are_said_to_be_unsupported(
        self, back_end: BackEnd
    ) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        both = {"members.member": ["ada@acme.example", "ben@acme.example"]}
        wished = back_end.wish(name, attributes={**back_end.attributes, **both})
        if MEMBERS not in back_end.declares.capabilities:
            _, plan = await observe_and_plan(connector, wished)
            assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.UNSUPPORTED)
            return
        await reach(connector, wished)
        one = {"members.member": ["ada@acme.example"], "members.owner": ["ben@acme.example"]}
        fewer = back_end.wish(
            name, generation=2, secret=None, attributes={**back_end.attributes, **one}
        )
        _, plan = await observe_and_plan(connector, fewer)
        found = {change.what: (change.after, change.takes_away) for change in plan.changes}
        assert found == {
            "attributes.members.member": (["ada@acme.example"], True),
            "attributes.members.owner": (["ben@acme.example"], False),
        }
        changed = await reach(connector, fewer)
        assert {key: changed.observed.attributes.get(key) for key in one} == one
        none = await reach(connector, back_end.wish(name, generation=3, secret=None))
        assert not any(key.startswith("members.") for key in none.observed.attributes)

    async def test_an_option_is_kept_changed_and_mended(self, back_end: BackEnd) -> None:
        if not back_end.options:
            pytest.skip("the back end names no options")
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        other = back_end.wish(name, generation=2, secret=None, settings=back_end.other_options)
        _, plan = await observe_and_plan(connector, other)
        assert {change.what for change in plan.changes} == {
            f"settings.{key}"
            for key in back_end.options
            if back_end.options[key] != back_end.other_options.get(key)
        }
        assert (await reach(connector, other)).outcome is LookOutcome.DONE

    async def test_the_declaration_says_what_is_true(self, back_end: BackEnd) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        declares = connector.declares
        assert declares == back_end.declares
        found = await reach(connector, back_end.wish(name))
        assert set(found.observed.usage) <= declares.usage
        for key in back_end.options:
            assert declares.options is None or key in declares.options
        for grade in (back_end.small, back_end.large):
            assert declares.levels is None or grade in declares.levels
            for key, value in back_end.limits.get(grade, {}).items():
                assert declares.limits is None or declares.limits[key].takes(value)

    async def test_a_stopped_server_is_unreachable_and_a_started_one_converges(
        self, back_end: BackEnd
    ) -> None:
        connector, name = await back_end.open(), back_end.new_name()
        await reach(connector, back_end.wish(name))
        if not await back_end.stop():
            pytest.skip("the back end has no server to stop")
        try:
            for call in (connector.check, lambda: connector.look(back_end.wish(name))):
                with pytest.raises(ConnectorError) as caught:
                    await call()
                assert caught.value.kind is ErrorKind.UNREACHABLE
                assert not caught.value.outcome_unknown
        finally:
            await back_end.start()
        await connector.check()
        changed = await reach(connector, back_end.wish(name, Wish.PRESENT, generation=2))
        assert changed.outcome is LookOutcome.DONE
