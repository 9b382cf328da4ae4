"""One attempt of one request: observe, plan, apply step by step, observe again, and say how it ended.

Between two steps the store is asked whether the attempt still counts. Whatever the answer, the outcome is one of the
model's endings, so that a request can be lost by nobody: where none is reached, the worker gives it back to the queue.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from mission_control_tui.connect.declaration import FenceGrade
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import Applied, ChangePlan, DesiredState, Pending, Step
from mission_control_tui.model.errors import MissionControlError, StoreError
from mission_control_tui.model.requests import outcomes
from mission_control_tui.model.requests.attempts import (
    FIRST_STEP,
    Job,
    Learned,
    Run,
    StepResult,
    StepStart,
    StopReason,
)
from mission_control_tui.model.requests.fences import FenceVerdict, judge
from mission_control_tui.model.requests.outcomes import AttemptFailure, Retry
from mission_control_tui.model.requests.planned_changes import PlannedChanges
from mission_control_tui.model.requests.run_batch import RunWork
from mission_control_tui.model.states import (
    PAUSING_KINDS,
    RETRIED_KINDS,
    ErrorKind,
    PlanAction,
    StepState,
)
from mission_control_tui.model.store import sealing
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.text.counting import counted
from mission_control_tui.provisioning import converge
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.converge import VERIFY, Look, LookOutcome
from mission_control_tui.provisioning.desired_state import (
    SEALED,
    desired_state,
    mark_of,
    observation,
    previous_state,
    with_password,
)
from mission_control_tui.provisioning.guard import SAID_LIMIT, Guarded
from mission_control_tui.provisioning.observing import ObservingConnectors
from mission_control_tui.provisioning.orphans import (
    refuse_replaced,
    require_orphan,
    require_unserved,
)
from mission_control_tui.provisioning.planned import look_detail, planned_changes, step_detail
from mission_control_tui.provisioning.rate_limits import (
    LONGEST_RETRY_AFTER,
    pause_delay,
    pending_delay,
    retry_delay,
)
from mission_control_tui.provisioning.run_records import RunRecords
from mission_control_tui.settings.settings import WorkerSettings

T = TypeVar("T")

ACT_SECONDS = 5.0
"""How much longer than the time limit of a call nobody else acts on its object."""
RESTORED_SAID = (
    "The back end holds a newer wish than this database, which was restored from an older backup: "
    "it goes on in a new epoch."
)
REPLACED_SAID = (
    "{name} was changed in epoch {met} of this installation, and this database counts in epoch {own}: "
    "another copy of the database has taken its place"
)
OVERDUE_REMEDY = "See there what became of it, then provision again."
REPLACED_REMEDY = (
    "Stop whatever works with the copy that does not count. Where this one counts: "
    "mission-control restore --new-epoch, then try again."
)


class WorkerStop(Exception):
    """Raised when the worker stops: this attempt goes back to the queue."""


class AttemptStop(Exception):
    """Raised when the store says that no further step may be taken."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """The surroundings of every attempt of a worker. `stopping` is asked before each step."""

    store: Store
    records: RunRecords
    backends: Backends
    observing: ObservingConnectors
    settings: WorkerSettings
    key_file: Path
    stopping: Callable[[], bool]
    rng: random.Random


async def run_attempt(context: AttemptContext, run: Run) -> None:
    """Go through one attempt. Raises RunLost when it no longer counts, and what the database raises."""
    records = context.records
    try:
        job = await records.load(run)
    except MissionControlError as error:
        await records.write(run, None, outcomes.fail(_unusable(error)))
        return
    async with AsyncExitStack() as using:
        try:
            backend = await using.enter_async_context(context.backends.using(job.connector))
        except ConnectorError as error:
            await records.write(run, None, _ending_of(error, context, job))
            return
        except MissionControlError as error:
            await records.write(run, None, _wait_for_connector(_unusable(error), None, context))
            return
        await _Attempt(context, run, job, backend).go()


def _ending_of(error: ConnectorError, context: AttemptContext, job: Job) -> RunWork[None]:
    """Return the end that an error means: another try after a while, a wait for the connector, or red at once."""
    failure = AttemptFailure(error.kind, error.said, error.remedy, error.code, error.field)
    settings = context.settings
    if error.kind in RETRIED_KINDS:
        delay = retry_delay(job.failures, error, settings, context.rng)
        return outcomes.try_again(failure, Retry(delay, max(1, settings.retry_limit)))
    if error.kind in PAUSING_KINDS:
        return _wait_for_connector(failure, error.retry_after, context)
    return outcomes.fail(failure)


def _wait_for_connector(
    failure: AttemptFailure, retry_after: float | None, context: AttemptContext
) -> RunWork[None]:
    settings = context.settings
    waits = partial(pause_delay, failure.kind, retry_after, settings, context.rng)
    return outcomes.wait_for_connector(failure, max(1, settings.retry_limit), waits)


def _unusable(error: MissionControlError) -> AttemptFailure:
    problems = "; ".join(str(problem) for problem in error.problems)
    said = f"{error.what} {problems}".strip()
    return AttemptFailure(ErrorKind.CONFIG, said[:SAID_LIMIT], error.hint)


class _DurableJournal:
    """Notes steps in the store. Raises WorkerStop, AttemptStop or RunLost between two steps."""

    def __init__(self, context: AttemptContext, run: Run, job: Job, lease: float | None) -> None:
        self._lease = lease
        self._context = context
        self._run = run
        self._job = job
        self._number = FIRST_STEP.number
        self.result: StepResult | None = None
        """The step that is over and that the store does not know of yet."""
        self.applied = False
        """Whether a step has been applied: the attempt did more than look."""

    async def begin(self, name: str, shown: str) -> None:
        if self._context.stopping():
            raise WorkerStop
        if name != VERIFY:
            await require_orphan(self._context.store, self._context.backends, self._job)
        self._number += 1
        lease = 0.0 if name == VERIFY and self._lease else self._lease
        following = StepStart(self._number, name, shown, lease)
        reason = await self._context.records.begin(self._run, self.result, following)
        self.result = None
        if reason is not None:
            raise AttemptStop(reason)

    async def look(self, name: str, call: Callable[[], Awaitable[Look]]) -> Look:
        found = await self._do(name, call, look_detail)
        context = self._context
        await require_unserved(context.store, context.backends, self._job, found.observed)
        return found

    async def apply(
        self, step: Step, desired: DesiredState, call: Callable[[DesiredState], Awaitable[Applied]]
    ) -> Applied:
        unsealed = self._unsealed(desired)
        detail = step_detail(step)
        learned = await self._do(step.name, partial(call, unsealed), lambda _: detail)
        self.applied = True
        news = Learned(
            learned.external_id if learned.external_id != desired.external_id else "",
            learned.token if learned.token != desired.token else "",
        )
        if self.result is not None and news != Learned():
            self.result = replace(self.result, learned=news)
        return learned

    def _unsealed(self, desired: DesiredState) -> DesiredState:
        """Return it with the password in clear, for one call. Raises ConnectorError (invalid) without the right key."""
        sealed = self._job.sealed
        if desired.secret != SEALED or sealed is None:
            return desired
        try:
            return with_password(desired, sealing.unseal(self._context.key_file, sealed))
        except StoreError as error:
            raise ConnectorError(ErrorKind.INVALID, error.what, remedy=error.hint) from None

    async def _do(
        self,
        name: str,
        call: Callable[[], Awaitable[T]],
        detail: Callable[[T], Mapping[str, object]],
    ) -> T:
        begun = time.monotonic()
        try:
            found = await call()
        except ConnectorError as error:
            self.result = StepResult(
                self._number,
                name,
                StepState.FAILED,
                _since(begun),
                error.said,
                error.remedy,
                {
                    "kind": str(error.kind),
                    "code": error.code,
                    "outcome_unknown": error.outcome_unknown,
                    "field": error.field,
                },
            )
            raise
        self.result = StepResult(
            self._number, name, StepState.DONE, _since(begun), detail=detail(found)
        )
        return found


class _Attempt:
    def __init__(self, context: AttemptContext, run: Run, job: Job, backend: Guarded) -> None:
        self._context = context
        self._run = run
        self._job = job
        self._connector = backend
        self._mark = mark_of(job, context.store.installation, run.attempt)
        self._desired = desired_state(job, backend, self._mark)
        advisory = backend.declares.fence is FenceGrade.ADVISORY
        lease = backend.call_seconds + ACT_SECONDS if advisory else None
        self._journal = _DurableJournal(context, run, job, lease)

    async def go(self) -> None:
        try:
            await self._converge()
        except AttemptStop as stop:
            await self._stop(stop.reason)
        except ConnectorError as error:
            await self._fail(error)
        except WorkerStop:
            await self._end(outcomes.give_back("The worker was stopped; it is tried again."))

    async def _end(self, ending: RunWork[None]) -> None:
        """Reach one of the model's endings, with the step that the store does not know of yet."""
        await self._context.records.write(self._run, self._journal.result, ending)

    async def _converge(self) -> None:
        if self._job.stop_reason is not None:
            raise AttemptStop(self._job.stop_reason)
        if self._job.acting_for:
            await self._end(outcomes.wait_for_act(self._job.acting_for))
            return
        await require_orphan(self._context.store, self._context.backends, self._job, first=True)
        if self._job.agreed is not None:
            await self._hold_to(self._job.agreed)
        look = await converge.converge(self._connector, self._desired, self._journal)
        refuse_replaced(self._job, look.observed, self._mark)
        if look.outcome is LookOutcome.BLOCKED:
            found = look.observed.mark
            if found is not None and found.is_ahead_of(self._mark) and await self._ahead(found):
                return
            await self._blocked(look.plan)
        else:
            await self._agree(look)

    async def _hold_to(self, agreed: PlannedChanges) -> None:
        """Let a connector that only observes write what was agreed to, where nothing else would be done by now."""
        look = await converge.observe_and_plan(self._connector, self._desired)
        if look.plan.observe_only and agreed.holds(planned_changes(look.plan.changes)):
            self._connector = self._connector.allowed()

    async def _agree(self, look: Look) -> None:
        """End an attempt that has nothing left to plan: done, or the back end still works on it."""
        applied = self._journal.applied
        if look.outcome is LookOutcome.PENDING:
            if not applied:
                self._journal.result = None
            await self._look_later(look, applied=applied)
            return
        if self._journal.result is not None and look.plan.reason:
            self._journal.result = replace(self._journal.result, said=look.plan.reason)
        found = observation(self._job, look.observed, self._job.wished)
        await self._end(outcomes.succeed(found))

    async def _look_later(self, look: Look, *, applied: bool) -> None:
        """End an attempt whose back end works on: it is looked at again, until the deadline that the back end gave."""
        pending = look.observed.pending or Pending()
        if pending.deadline is not None and pending.deadline < datetime.now(UTC):
            by = pending.deadline.astimezone(UTC).isoformat(" ", "minutes")
            said = f"The back end should have been done by {by}: {pending.words}".rstrip(": ")
            failure = AttemptFailure(ErrorKind.TRANSIENT, said[:SAID_LIMIT], OVERDUE_REMEDY)
            await self._end(outcomes.fail(failure))
            return
        seen = observation(self._job, look.observed)
        words = pending.words
        if pending.progress is not None:
            words = f"{words} ({pending.progress:.0%})".strip()
        asked = min(pending.look_again_after or 0.0, LONGEST_RETRY_AFTER)
        delay = max(self._delay(), asked)
        await self._end(outcomes.look_later(seen, delay, applied=applied, said=words))

    async def _fail(self, error: ConnectorError) -> None:
        await self._end(_ending_of(error, self._context, self._job))

    async def _blocked(self, plan: ChangePlan) -> None:
        if plan.observe_only:
            await self._only_observes(plan)
            return
        kind = plan.kind or ErrorKind.INVALID
        if kind in RETRIED_KINDS:
            raise ConnectorError(kind, plan.reason, remedy=plan.remedy, field=plan.field)
        failure = AttemptFailure(kind, plan.reason, plan.remedy, field=plan.field)
        await self._end(outcomes.fail(failure))

    async def _ahead(self, found: Mark) -> bool:
        """End an attempt whose database knows of nothing newer than itself, and the back end does."""
        epoch = self._job.epoch
        match await self._context.records.write(self._run, None, judge(epoch, found.epoch)):
            case FenceVerdict.AGAIN:
                await self._end(outcomes.give_back(RESTORED_SAID))
            case FenceVerdict.REPLACED:
                said = REPLACED_SAID.format(name=self._job.backend_name, met=found.epoch, own=epoch)
                failure = AttemptFailure(ErrorKind.CONFLICT, said, REPLACED_REMEDY)
                await self._end(outcomes.fail(failure))
            case FenceVerdict.SUPERSEDED:
                return False
        return True

    async def _only_observes(self, plan: ChangePlan) -> None:
        """End an attempt whose connector may not write yet: no failure, and it goes on by itself once it may."""
        name, planned = self._job.connector, planned_changes(plan.changes)
        changes = counted(planned.count, "change")
        shown = (
            f'Connector {name} only observes: {changes} planned; enable it with mode = "enabled"'
        )
        self._journal.result = None
        delay = self._context.observing.delay(self._connector, self._age)
        remedy = (
            f"{plan.remedy} Or let what was shown be done: mission-control requests allow --planned"
        )
        await self._end(outcomes.wait_until_enabled(shown, remedy, delay, planned))

    @property
    def _age(self) -> float:
        """How many seconds ago the request was made."""
        return (datetime.now(UTC) - self._job.created_at).total_seconds()

    def _delay(self) -> float:
        return pending_delay(self._age, self._context.settings)

    async def _stop(self, reason: StopReason) -> None:
        if reason is StopReason.SUPERSEDED:
            await self._end(outcomes.supersede())
            return
        try:
            await self._show_what_is()
        except ConnectorError as error:
            await self._fail(error)

    async def _show_what_is(self) -> None:
        """End an attempt that was cancelled after its start: look, and let the light say what is true."""
        observe = partial(converge.observe_and_plan, self._connector, self._desired)
        look = await self._journal.look(FIRST_STEP.name, observe)
        self._journal.result = None
        observed, plan = look
        # There is nothing to do either where what is there is somebody else's by now.
        is_replaced = (
            self._job.orphan is not None
            and observed.exists
            and not self._mark.same_owner(observed.mark)
        )
        if plan.action is PlanAction.NONE and not is_replaced:
            await self._agree(look)
            return
        before = previous_state(self._job, observed, self._mark)
        agrees = (await self._connector.plan(before, observed)).action is PlanAction.NONE
        # What is left of an orphan is no service, which could be half changed.
        if agrees or self._job.orphan is not None:
            found = observation(self._job, observed, self._job.previous)
            await self._end(outcomes.cancel_back(found))
        else:
            await self._end(outcomes.cancel_halfway(observation(self._job, observed)))


def _since(begun: float) -> int:
    """Return the milliseconds since then."""
    return round((time.monotonic() - begun) * 1000)
