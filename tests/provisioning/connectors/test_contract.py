"""The promises of the protocol, kept by every connector that is shipped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mission_control_tui.connect import (
    MEMBERS,
    ConnectorError,
    DesiredState,
)
from mission_control_tui.model.states import RETRIED_KINDS, ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from tests.provisioning.connectors.support import (
    PASSWORD,
    BackEnd,
    MemoryJournal,
    check,
    list_marked,
    new_name,
    reach,
    stop_after,
    wish,
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


async def test_check_reaches_the_back_end_and_names_its_version(back_end: BackEnd) -> None:
    health = await check(await back_end.open())
    assert any(char.isdigit() for char in health.version)


async def test_create_is_done_only_when_the_second_look_agrees(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    converged = await reach(connector, wish(name))
    assert converged.outcome is LookOutcome.DONE
    assert converged.plan.action is PlanAction.NONE
    assert converged.observed.exists
    assert converged.observed.complete
    assert converged.observed.wish is Wish.PRESENT
    assert converged.observed.level == "small"
    assert converged.observed.mark == wish(name).mark
    assert await back_end.can_log_in(name, PASSWORD)


async def test_a_dry_run_changes_nothing(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    before = await back_end.written(name)
    observed, plan = await observe_and_plan(connector, wish(name))
    assert not observed.exists
    assert plan.action is PlanAction.CREATE
    assert plan.changes
    assert await back_end.written(name) == before


async def test_the_same_wish_twice_writes_nothing(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    before = await back_end.written(name)
    journal = MemoryJournal()
    converged = await reach(connector, wish(name), journal)
    assert converged.outcome is LookOutcome.DONE
    assert journal.steps == []
    assert await back_end.written(name) == before


async def test_applying_a_plan_again_has_no_second_effect(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    _, plan = await observe_and_plan(connector, wish(name))
    for step in plan.steps:
        await apply_step(connector, wish(name), plan, step)
    before = await back_end.written(name)
    for step in plan.steps:
        await apply_step(connector, wish(name), plan, step)
    assert await back_end.written(name) == before


async def test_a_level_change_is_an_update_of_what_is_there(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    created = await reach(connector, wish(name))
    larger = wish(name, level="large", generation=2, secret=None)
    _, plan = await observe_and_plan(connector, larger)
    assert plan.action is PlanAction.UPDATE
    assert {change.what for change in plan.changes} == {"level", "limits.connection_limit"}
    changed = await reach(connector, larger)
    assert changed.observed.level == "large"
    assert changed.observed.limits["connection_limit"] == 20
    assert changed.observed.external_id == created.observed.external_id
    assert await back_end.can_log_in(name, PASSWORD)


async def test_suspend_keeps_the_data_and_resume_brings_back_the_login(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    suspended = await reach(connector, wish(name, Wish.SUSPENDED, generation=2, secret=None))
    assert suspended.observed.wish is Wish.SUSPENDED
    assert suspended.observed.exists
    assert not await back_end.can_log_in(name, PASSWORD)
    resumed = await reach(connector, wish(name, generation=3, secret=None))
    assert resumed.observed.wish is Wish.PRESENT
    assert await back_end.can_log_in(name, PASSWORD)


async def test_a_disabled_user_is_kept_suspended(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    converged = await reach(connector, wish(name, disabled=True))
    assert converged.outcome is LookOutcome.DONE
    assert converged.observed.wish is Wish.SUSPENDED
    assert not await back_end.can_log_in(name, PASSWORD)


async def test_deprovision_removes_everything_and_again_does_nothing(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    absent = wish(name, Wish.ABSENT, generation=2, secret=None)
    journal = MemoryJournal()
    removed = await reach(connector, absent, journal)
    assert removed.outcome is LookOutcome.DONE
    assert not removed.observed.exists
    assert journal.looks[0].plan.action is PlanAction.DELETE
    assert all(change.takes_away for change in journal.looks[0].plan.changes)
    assert not await back_end.can_log_in(name, PASSWORD)
    again = MemoryJournal()
    assert (await reach(connector, absent, again)).outcome is LookOutcome.DONE
    assert again.steps == []


@pytest.mark.parametrize("owner", ["another assignment", "another installation"])
async def test_what_somebody_else_owns_is_left_alone(back_end: BackEnd, owner: str) -> None:
    connector, name = await back_end.open(), new_name()
    theirs = wish(name, key="theirs") if owner == "another assignment" else wish(name)
    if owner == "another installation":
        theirs = replace(theirs, mark=replace(theirs.mark, installation="elsewhere"))
    await reach(connector, theirs)
    before = await back_end.written(name)
    blocked = await reach(connector, wish(name, generation=9))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert blocked.plan.kind is ErrorKind.CONFLICT
    assert "adopt" in blocked.plan.remedy
    gone = await reach(connector, wish(name, Wish.ABSENT, generation=10, secret=None))
    assert gone.outcome is LookOutcome.DONE
    assert await back_end.written(name) == before


async def test_adopt_takes_over_and_keeps_the_object(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    theirs = await reach(connector, wish(name, key="theirs", generation=7))
    mine = wish(name, key="mine", secret=None, adopt=True)
    journal = MemoryJournal()
    adopted = await reach(connector, mine, journal)
    assert adopted.outcome is LookOutcome.DONE
    assert adopted.observed.mark == mine.mark
    assert adopted.observed.external_id == theirs.observed.external_id
    assert "owner" in {change.what for change in journal.looks[0].plan.changes}
    assert await back_end.can_log_in(name, PASSWORD)
    await reach(connector, wish(name, key="mine", generation=2, secret="Reset-2-Secret"))
    assert await back_end.can_log_in(name, "Reset-2-Secret")


async def test_a_newer_wish_at_the_back_end_blocks_an_older_one(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name, generation=5, attempt=2))
    before = await back_end.written(name)
    for generation, attempt in ((4, 9), (5, 1)):
        stale = wish(name, level="large", generation=generation, attempt=attempt)
        blocked = await reach(connector, stale)
        assert blocked.outcome is LookOutcome.BLOCKED
        assert blocked.plan.kind is ErrorKind.STALE
    assert await back_end.written(name) == before


async def test_a_plan_that_was_overtaken_is_refused_when_it_is_applied(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    overtaken = wish(name, level="large", generation=2, secret=None)
    _, plan = await observe_and_plan(connector, overtaken)
    await reach(connector, wish(name, generation=3, secret=None))
    before = await back_end.written(name)
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, overtaken, plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.STALE
    assert await back_end.written(name) == before


async def test_a_wish_that_changes_nothing_still_moves_the_fence(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    converged = await reach(connector, wish(name, generation=4, secret=None))
    assert converged.outcome is LookOutcome.DONE
    assert converged.observed.mark is not None
    assert converged.observed.mark.generation == 4


async def test_a_half_made_object_is_finished(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    stopped = await stop_after(connector, wish(name), "role")
    assert stopped.outcome is LookOutcome.DIFFERENT
    assert stopped.observed.exists
    assert not stopped.observed.complete
    assert stopped.plan.action is PlanAction.UPDATE
    finished = await reach(connector, wish(name, attempt=2))
    assert finished.outcome is LookOutcome.DONE
    assert finished.observed.complete
    assert await back_end.can_log_in(name, PASSWORD)


async def test_a_half_made_object_can_be_removed(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await stop_after(connector, wish(name), "role")
    removed = await reach(connector, wish(name, Wish.ABSENT, generation=2, secret=None))
    assert removed.outcome is LookOutcome.DONE
    assert not removed.observed.exists


async def test_a_newer_epoch_is_newer_than_every_generation(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name, generation=9))
    restored = wish(name, level="large", generation=3, epoch=2, secret="Restored-9-Secret")
    reached = await reach(connector, restored)
    assert reached.outcome is LookOutcome.DONE
    assert reached.observed.level == "large"
    assert reached.observed.mark == restored.mark
    assert await back_end.can_log_in(name, "Restored-9-Secret")
    before = await back_end.written(name)
    of_before = await reach(connector, wish(name, generation=10, secret="Old-Worker-1"))
    assert (of_before.outcome, of_before.plan.kind) == (LookOutcome.BLOCKED, ErrorKind.STALE)
    assert await back_end.written(name) == before


async def test_a_password_is_told_by_its_id_and_not_by_its_generation(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    await reach(connector, wish(name))
    before = await back_end.written(name)
    again = await reach(connector, wish(name, attempt=2))
    assert again.outcome is LookOutcome.DONE
    assert await back_end.written(name) == before
    # A restored database states another password in a generation that the back end has seen.
    await reach(connector, wish(name, attempt=3, secret="Another-Secret-1"))
    assert await back_end.can_log_in(name, "Another-Secret-1")
    assert not await back_end.can_log_in(name, PASSWORD)
    _, plan = await observe_and_plan(connector, wish(name, generation=2, secret="Reset-2-Secret"))
    assert [change.what for change in plan.changes] == ["password"]
    await reach(connector, wish(name, generation=2, secret="Reset-2-Secret"))
    assert await back_end.can_log_in(name, "Reset-2-Secret")
    assert not await back_end.can_log_in(name, "Another-Secret-1")


async def test_no_secret_shows_in_what_is_reported(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    journal = MemoryJournal()
    desired = wish(name)
    converged = await reach(connector, desired, journal)
    assert PASSWORD not in repr((desired, converged, journal, connector))
    assert PASSWORD not in str(await back_end.written(name))


async def test_list_yields_what_carries_our_mark_and_nothing_else(back_end: BackEnd) -> None:
    installation = new_name("installation")
    connector, stranger = await back_end.open(installation), await back_end.open()
    mine, theirs = new_name(), new_name()
    await reach(connector, wish(mine, installation=installation))
    await reach(stranger, wish(theirs))
    found = {name: observed async for name, observed in list_marked(connector)}
    assert list(found) == [mine]
    assert found[mine].mark == wish(mine, installation=installation).mark


async def test_two_workers_with_one_wish_make_one_object(back_end: BackEnd) -> None:
    connectors = [await back_end.open() for _ in range(3)]
    name = new_name()
    outcomes = await asyncio.gather(
        *(
            reach_patiently(connector, wish(name, attempt=attempt))
            for attempt, connector in enumerate(connectors, 1)
        )
    )
    assert LookOutcome.DONE in outcomes
    assert set(outcomes) <= {LookOutcome.DONE, LookOutcome.BLOCKED}
    found = [entry async for entry, _ in list_marked(connectors[0])]
    assert found.count(name) == 1
    assert await back_end.can_log_in(name, PASSWORD)


async def test_of_two_racing_wishes_the_newer_one_stays(back_end: BackEnd) -> None:
    older, newer = await back_end.open(), await back_end.open()
    name = new_name()
    await asyncio.gather(
        reach_patiently(older, wish(name, level="large", generation=1)),
        reach_patiently(newer, wish(name, level="small", generation=2)),
    )
    final = await reach(newer, wish(name, level="small", generation=2))
    assert final.outcome is LookOutcome.DONE
    assert final.observed.level == "small"


async def test_observe_mode_shows_the_difference_and_writes_nothing(back_end: BackEnd) -> None:
    writer, name = await back_end.open(), new_name()
    _, plan = await observe_and_plan(writer, wish(name))
    connector = await back_end.open(mode="observe")
    before = await back_end.written(name)
    blocked = await reach(connector, wish(name))
    assert blocked.outcome is LookOutcome.BLOCKED
    assert blocked.plan.kind is ErrorKind.CONFIG
    assert "connectors.back_end.mode" in blocked.plan.remedy
    assert blocked.plan.changes == plan.changes
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, wish(name), plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.CONFIG
    assert await back_end.written(name) == before


async def test_closing_twice_is_harmless(back_end: BackEnd) -> None:
    connector = await back_end.open()
    await check(connector)
    await connector.aclose()
    await connector.aclose()


async def test_members_are_differences_or_are_said_to_be_unsupported(back_end: BackEnd) -> None:
    connector, name = await back_end.open(), new_name()
    both = {"members.member": ["ada@acme.example", "ben@acme.example"]}
    if MEMBERS not in connector.declares.capabilities:
        _, plan = await observe_and_plan(connector, wish(name, attributes=both))
        assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.UNSUPPORTED)
        return
    made = await reach(connector, wish(name, attributes=both))
    assert made.observed.attributes == both
    one = {"members.member": ["ada@acme.example"], "members.owner": ["ben@acme.example"]}
    fewer = wish(name, generation=2, secret=None, attributes=one)
    _, plan = await observe_and_plan(connector, fewer)
    found = {change.what: (change.after, change.takes_away) for change in plan.changes}
    assert found == {
        "attributes.members.member": (["ada@acme.example"], True),
        "attributes.members.owner": (["ben@acme.example"], False),
    }
    changed = await reach(connector, fewer)
    assert changed.observed.attributes == one
    none = await reach(connector, wish(name, generation=3, secret=None))
    assert not none.observed.attributes
