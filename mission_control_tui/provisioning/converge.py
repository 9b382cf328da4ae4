"""Making a back end agree with a wish: observe, plan, apply step by step, observe again.

Success is claimed only when the second look agrees. Converging again is always safe: `converge` is the
one loop, for the worker and for the tests of connectors, and its journal decides how lasting each step is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import NamedTuple, Protocol

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.protocol import (
    Applied,
    ChangePlan,
    DesiredState,
    ObservedState,
    Step,
)
from mission_control_tui.model.requests.attempts import FIRST_STEP
from mission_control_tui.model.states import ErrorKind, PlanAction
from mission_control_tui.provisioning.guard import SAID_LIMIT, Guarded

VERIFY = "verify"
"""What the second look is called in the journal; the first is called as the model's FIRST_STEP."""
LONGEST_SETTLING = 30.0
"""Seconds that a second look is put off at most within an attempt because a back end asked for it."""


class LookOutcome(StrEnum):
    """The result of comparing a back end with a wish."""

    DONE = "done"
    PENDING = "pending"
    BLOCKED = "blocked"
    DIFFERENT = "different"


class Look(NamedTuple):
    """The state now. `plan` is what is still to do: none when done, with its reason when blocked."""

    observed: ObservedState
    plan: ChangePlan

    @property
    def outcome(self) -> LookOutcome:
        """Tell how they compare: done and pending have nothing left to plan; different has."""
        if self.plan.action is PlanAction.BLOCKED:
            return LookOutcome.BLOCKED
        if self.plan.action is not PlanAction.NONE:
            return LookOutcome.DIFFERENT
        return LookOutcome.PENDING if self.observed.pending else LookOutcome.DONE


class Journal(Protocol):
    """The place where `converge` notes each step: durable in the worker, in memory in tests."""

    async def begin(self, name: str, shown: str) -> None:
        """Note that the step begins; `shown` is for people. An exception ends the loop between two steps."""

    async def look(self, name: str, call: Callable[[], Awaitable[Look]]) -> Look:
        """Await `call` as one step, note what it found or its ConnectorError, and return or raise that."""

    async def apply(
        self, step: Step, desired: DesiredState, call: Callable[[DesiredState], Awaitable[Applied]]
    ) -> Applied:
        """Await `call` as one step with `desired`, its password in clear, and note what it learned or raise."""


async def converge(connector: Guarded, desired: DesiredState, journal: Journal) -> Look:
    """Make the back end agree with `desired` and return the last look: done, pending or blocked.

    Every ConnectorError is raised as it comes, and so is whatever the journal raises. A back end that took all steps
    and still differs raises kind transient.
    """
    first = await journal.look(FIRST_STEP.name, partial(observe_and_plan, connector, desired))
    if first.outcome is not LookOutcome.DIFFERENT:
        return first
    plan = first.plan
    settles = 0.0
    for count, step in enumerate(plan.steps, 1):
        await journal.begin(step.name, f"{step.name} ({count} of {len(plan.steps)})")
        apply = partial(apply_step, connector, plan=plan, step=step)
        learned = await journal.apply(step, desired, apply)
        settles = learned.look_again_after or 0.0
        desired = replace(
            desired,
            external_id=learned.external_id or desired.external_id,
            token=learned.token or desired.token,
        )
    await journal.begin(VERIFY, "Looking at the back end again")
    if any(change.what == "password" for change in plan.changes):
        # It has just been set; a back end that cannot tell would be asked to set it for ever.
        desired = replace(desired, secret=None)
    await asyncio.sleep(min(max(settles, 0.0), LONGEST_SETTLING))
    return await journal.look(VERIFY, partial(verify, connector, desired))


async def observe_and_plan(connector: Guarded, desired: DesiredState) -> Look:
    """Return what is, and what is to do; changes nothing. This is the dry run and the drift report, too."""
    return Look(*await connector.look(desired))


async def apply_step(
    connector: Guarded, desired: DesiredState, plan: ChangePlan, step: Step
) -> Applied:
    """Do one step. A ConnectorError with `outcome_unknown` may have taken effect: observe next."""
    return await connector.apply(desired, plan, step)


async def verify(connector: Guarded, desired: DesiredState) -> Look:
    """Return the second look: done, pending or blocked.

    Raises ConnectorError (transient) naming what still differs.
    """
    look = await observe_and_plan(connector, desired)
    if look.outcome is LookOutcome.DIFFERENT:
        differs = ", ".join(change.words for change in look.plan.changes)
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"The back end took every step and still differs: {differs}"[:SAID_LIMIT],
            remedy="Somebody else may be changing it; it is tried again.",
            code="differs",
        )
    return look
