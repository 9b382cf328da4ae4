"""Converging: what ends it, what makes it plan again, and how strange errors are made presentable."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mission_control_tui.connect import (
    CAPABILITIES,
    Applied,
    ChangePlan,
    Connector,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    FenceGrade,
    Health,
    Listed,
    ObservedState,
    Page,
    Pending,
    Step,
)
from mission_control_tui.connect.planning import Part, plan_difference
from mission_control_tui.model.states import ErrorKind, PlanAction, StepState, Wish
from mission_control_tui.provisioning.converge import (
    LookOutcome,
    apply_step,
    observe_and_plan,
    verify,
)
from mission_control_tui.provisioning.guard import SAID_LIMIT, Guarded
from mission_control_tui.provisioning.registry import opened
from tests.provisioning.connectors.support import (
    PASSWORD,
    ROUNDS,
    MemoryJournal,
    reach,
    stop_after,
    wish,
)

LAYOUT = (Part("first"), Part("second", ("level",)))


DECLARES = Declaration(
    capabilities=CAPABILITIES, fence=FenceGrade.LOCKED, limits=None, starts_enabled=True
)


@dataclass
class Faulty:
    """A back end in memory that does what each call is told: raise, hang, lie or obey."""

    before: dict[str, list[Callable[[], Any]]] = field(default_factory=dict)
    after: dict[str, list[Callable[[], Any]]] = field(default_factory=dict)
    declares: Declaration = DECLARES
    pending: Pending | None = None
    stuck: bool = False
    applied: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    made: DesiredState | None = None
    learned: Applied | None = None
    desired: list[DesiredState] = field(default_factory=list)

    async def _told(self, table: dict[str, list[Callable[[], Any]]], call: str) -> None:
        if table.get(call):
            told = table[call].pop(0)()
            if told is not None:
                await told

    async def check(self) -> Health:
        await self._told(self.before, "check")
        return Health("1")

    async def observe(self, desired: DesiredState) -> ObservedState:
        self.calls.append("observe")
        self.desired.append(desired)
        await self._told(self.before, "observe")
        if self.made is None:
            return ObservedState(exists=False)
        missing = tuple(part.name for part in LAYOUT if part.name not in self.parts)
        return ObservedState(
            exists=True,
            mark=self.made.mark,
            wish=self.made.state,
            level="" if missing else self.made.level,
            limits=self.made.limits,
            complete=not missing,
            missing=missing,
            pending=self.pending,
            secret_generation=self.made.mark.generation,
            secret_id=self.made.secret_id,
        )

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        return plan_difference(desired, observed, self.declares, layout=LAYOUT)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied | None:
        self.calls.append(f"apply {step.name}")
        await self._told(self.before, "apply")
        if not self.stuck:
            self.made = desired
            self.parts.add(step.name)
            self.applied.append(step.name)
        await self._told(self.after, "apply")
        return self.learned

    async def list(self, cursor: str, marked_only: bool) -> Page:
        await self._told(self.before, "list")
        return Page((Listed("two"),)) if cursor else Page((Listed("one"),), "more")

    async def aclose(self) -> None: ...


async def guard(back_end: Connector, seconds: float = 30.0) -> Guarded:
    """The back end behind the guard that the worker opens it with."""

    async def create(context: Context) -> Connector:
        return back_end

    return await opened(Context("back_end", {}, "here"), "faulty", lambda: create, seconds)


def raising(error: BaseException) -> Callable[[], None]:
    def told() -> None:
        raise error

    return told


def lost() -> ConnectorError:
    return ConnectorError(ErrorKind.TRANSIENT, "connection lost", outcome_unknown=True)


async def test_the_order_of_calls_and_reports() -> None:
    back_end, journal = Faulty(), MemoryJournal()
    converged = await reach(await guard(back_end), wish("a"), journal)
    assert back_end.calls == ["observe", "apply first", "apply second", "observe"]
    assert journal.entries == [
        ("observe", StepState.DONE),
        ("first", StepState.RUNNING),
        ("first", StepState.DONE),
        ("second", StepState.RUNNING),
        ("second", StepState.DONE),
        ("verify", StepState.RUNNING),
        ("verify", StepState.DONE),
    ]
    assert converged.outcome is LookOutcome.DONE


async def test_pending_is_not_done() -> None:
    converged = await reach(await guard(Faulty(pending=Pending())), wish("a"))
    assert converged.outcome is LookOutcome.PENDING
    assert converged.plan.action is PlanAction.NONE


async def test_a_back_end_that_obeys_and_changes_nothing_is_not_believed() -> None:
    back_end = Faulty(stuck=True)
    with pytest.raises(ConnectorError) as caught:
        await reach(await guard(back_end), wish("a"))
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert caught.value.code == "differs"
    assert "first" in caught.value.said


async def test_told_to_stop_it_stops_between_steps_and_says_what_is_true() -> None:
    back_end = Faulty()
    stopped = await stop_after(await guard(back_end), wish("a"), "first")
    assert back_end.applied == ["first"]
    assert stopped.observed.missing == ("second",)
    assert [step.name for step in stopped.plan.steps] == ["second"]


async def test_after_a_lost_answer_it_looks_before_anything_else() -> None:
    back_end = Faulty(after={"apply": [raising(lost())]})
    journal = MemoryJournal()
    converged = await reach(await guard(back_end), wish("a"), journal)
    assert converged.outcome is LookOutcome.DONE
    assert back_end.calls[:3] == ["observe", "apply first", "observe"]
    assert back_end.applied == ["first", "second"]
    assert journal.entries[1:4] == [
        ("first", StepState.RUNNING),
        ("first", StepState.FAILED),
        ("observe", StepState.DONE),
    ]
    assert journal.errors[0].outcome_unknown


async def test_a_stale_answer_makes_it_plan_again() -> None:
    stale = ConnectorError(ErrorKind.STALE, "changed meanwhile")
    back_end = Faulty(before={"apply": [raising(stale)]})
    assert (await reach(await guard(back_end), wish("a"))).outcome is LookOutcome.DONE
    assert back_end.applied == ["first", "second"]


async def test_it_plans_again_so_often_and_no_more() -> None:
    back_end = Faulty(before={"apply": [raising(lost()) for _ in range(9)]})
    with pytest.raises(ConnectorError) as caught:
        await reach(await guard(back_end), wish("a"))
    assert caught.value.outcome_unknown
    assert back_end.calls.count("observe") == ROUNDS


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind is not ErrorKind.STALE])
async def test_other_errors_are_raised_as_they_come(kind: ErrorKind) -> None:
    error = ConnectorError(kind, "no", remedy="do", code="7", retry_after=3.0)
    back_end = Faulty(before={"apply": [raising(error)]})
    journal = MemoryJournal()
    with pytest.raises(ConnectorError) as caught:
        await reach(await guard(back_end), wish("a"), journal)
    raised = caught.value
    assert (raised.kind, raised.said, raised.remedy) == (kind, "no", "do")
    assert (raised.code, raised.retry_after) == ("7", 3.0)
    assert not raised.outcome_unknown
    assert journal.steps[-1] == ("first", StepState.FAILED)
    assert back_end.applied == []


async def test_a_blocked_plan_ends_it_before_any_step() -> None:
    back_end, journal = (
        Faulty(declares=replace(DECLARES, capabilities=frozenset())),
        MemoryJournal(),
    )
    blocked = await reach(await guard(back_end), wish("a", Wish.SUSPENDED), journal)
    assert blocked.outcome is LookOutcome.BLOCKED
    assert journal.steps == []


@pytest.mark.parametrize("call", ["observe", "apply"])
async def test_an_error_nobody_foresaw_is_transient_harmless_and_short(call: str) -> None:
    strange = RuntimeError(f"\x1b[2Jboom\n{PASSWORD} {'x' * 5000}")
    back_end = Faulty(before={call: [raising(strange)] * 9})
    with pytest.raises(ConnectorError) as caught:
        await reach(await guard(back_end), wish("a"))
    error = caught.value
    assert error.kind is ErrorKind.TRANSIENT
    assert error.outcome_unknown is (call == "apply")
    assert error.code == "RuntimeError"
    assert "RuntimeError: " in error.said
    assert "boom" in error.said
    assert "\x1b" not in error.said
    assert "\n" not in error.said
    assert len(error.said) <= SAID_LIMIT
    assert PASSWORD not in "".join(traceback.format_exception(error))


async def test_a_connectors_own_error_is_made_harmless_too() -> None:
    said = ConnectorError(ErrorKind.INVALID, f"no\x07 {PASSWORD}", remedy=f"\x1b]0;x {PASSWORD}")
    back_end = Faulty(before={"apply": [raising(said)]})
    with pytest.raises(ConnectorError) as caught:
        await reach(await guard(back_end), wish("a"))
    for text in (caught.value.said, caught.value.remedy):
        assert PASSWORD not in text
        assert text.isprintable()


class Unplanned(Faulty):
    """Its plan has a defect."""

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        raise KeyError("level")


async def test_a_plan_that_fails_is_an_error_of_the_connector() -> None:
    with pytest.raises(ConnectorError, match="KeyError") as caught:
        await observe_and_plan(await guard(Unplanned()), wish("a"))
    assert not caught.value.outcome_unknown


async def test_a_call_that_hangs_is_cut_off() -> None:
    def hang() -> Any:
        return asyncio.sleep(60)

    back_end = Faulty(before={"observe": [hang], "apply": [hang], "check": [hang], "list": [hang]})
    guarded = await guard(back_end, 0.05)
    for call in (observe_and_plan(guarded, wish("a")), guarded.check()):
        with pytest.raises(ConnectorError) as caught:
            await call
        assert (caught.value.kind, caught.value.code) == (ErrorKind.UNREACHABLE, "timeout")
        assert not caught.value.outcome_unknown
    made = back_end.plan(wish("a"), ObservedState(exists=False))
    with pytest.raises(ConnectorError) as caught:
        await apply_step(guarded, wish("a"), made, made.steps[0])
    assert caught.value.outcome_unknown
    with pytest.raises(ConnectorError, match="list"):
        _ = [row async for row in guarded.list()]


async def test_being_cancelled_is_not_an_error_of_the_back_end() -> None:
    back_end = Faulty(before={"observe": [lambda: asyncio.sleep(60)]})
    task = asyncio.create_task(observe_and_plan(await guard(back_end), wish("a")))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_of_the_connectors_own_is_told_apart() -> None:
    back_end = Faulty(before={"observe": [raising(TimeoutError("own limit"))]})
    with pytest.raises(ConnectorError) as caught:
        await observe_and_plan(await guard(back_end), wish("a"))
    assert caught.value.code == "TimeoutError"
    assert "own limit" in caught.value.said


async def test_the_pieces_do_what_the_whole_does() -> None:
    guarded = await guard(Faulty())
    _, made = await observe_and_plan(guarded, wish("a"))
    for step in made.steps:
        await apply_step(guarded, wish("a"), made, step)
    assert (await verify(guarded, wish("a"))).outcome is LookOutcome.DONE
    assert [row.name async for row in guarded.list()] == ["one", "two"]
    assert (await guarded.check()).version == "1"


async def test_what_a_step_learns_is_handed_to_the_next_look() -> None:
    back_end = Faulty(learned=Applied("object-7", "job-1", look_again_after=0.01))
    await reach(await guard(back_end), wish("a"))
    first, second = back_end.desired
    assert (first.external_id, first.token) == ("", "")
    assert (second.external_id, second.token) == ("object-7", "job-1")
