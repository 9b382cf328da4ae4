"""Making a back end agree with a wish: observe, plan, apply step by step, observe again.

Success is claimed only when the second look agrees. Converging again is always safe: `converge` is the
one loop, for the worker and for the tests of connectors, and its journal decides how lasting each step is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from mission_control_tui.model.requests.attempts import FIRST_STEP
from mission_control_tui.model.states import ErrorKind, PlanAction
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.provisioning.connectors.base import (
    ChangePlan,
    Connector,
    ConnectorError,
    DesiredState,
    Health,
    ObservedState,
    Step,
)
from mission_control_tui.provisioning.connectors.options import DEFAULT_TIMEOUT

T = TypeVar("T")

VERIFY = "verify"
"""What the second look is called in the journal; the first is called as the model's FIRST_STEP."""
SAID_LIMIT = 500  # characters of a back end's words that are kept
TIMED_OUT = "timeout"  # the code of an error that is our own time limit


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
        self, step: Step, desired: DesiredState, call: Callable[[DesiredState], Awaitable[None]]
    ) -> None:
        """Await `call` as one step with `desired`, its password in clear, and note and raise a ConnectorError."""


async def converge(
    connector: Connector,
    desired: DesiredState,
    journal: Journal,
    *,
    call_seconds: float = DEFAULT_TIMEOUT,
) -> Look:
    """Make the back end agree with `desired` and return the last look: done, pending or blocked.

    `call_seconds` is the hard limit of one call. Every ConnectorError is raised as it comes, and so is whatever the
    journal raises. A back end that took all steps and still differs raises kind transient.
    """
    observe = partial(observe_and_plan, connector, desired, call_seconds=call_seconds)
    first = await journal.look(FIRST_STEP.name, observe)
    if first.outcome is not LookOutcome.DIFFERENT:
        return first
    plan = first.plan
    for count, step in enumerate(plan.steps, 1):
        await journal.begin(step.name, f"{step.name} ({count} of {len(plan.steps)})")
        apply = partial(apply_step, connector, plan=plan, step=step, call_seconds=call_seconds)
        await journal.apply(step, desired, apply)
    await journal.begin(VERIFY, "Looking at the back end again")
    if any(change.what == "password" for change in plan.changes):
        # It has just been set; a back end that cannot tell would be asked to set it for ever.
        desired = replace(desired, secret=None)
    look_again = partial(verify, connector, desired, call_seconds=call_seconds)
    return await journal.look(VERIFY, look_again)


async def observe_and_plan(
    connector: Connector, desired: DesiredState, *, call_seconds: float = DEFAULT_TIMEOUT
) -> Look:
    """Return what is, and what is to do; changes nothing. This is the dry run and the drift report, too."""
    observed = await _call("observe", connector.observe(desired), desired, call_seconds)
    return Look(observed, _planned(connector, desired, observed))


async def apply_step(
    connector: Connector,
    desired: DesiredState,
    plan: ChangePlan,
    step: Step,
    *,
    call_seconds: float = DEFAULT_TIMEOUT,
) -> None:
    """Do one step. A ConnectorError with `outcome_unknown` may have taken effect: observe next."""
    applied = connector.apply(desired, plan, step)
    await _call(f"apply {step.name}", applied, desired, call_seconds, writes=True)


async def verify(
    connector: Connector, desired: DesiredState, *, call_seconds: float = DEFAULT_TIMEOUT
) -> Look:
    """Return the second look: done, pending or blocked.

    Raises ConnectorError (transient) naming what still differs.
    """
    look = await observe_and_plan(connector, desired, call_seconds=call_seconds)
    if look.outcome is LookOutcome.DIFFERENT:
        differs = ", ".join(change.what for change in look.plan.changes)
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"The back end took every step and still differs: {differs}"[:SAID_LIMIT],
            remedy="Somebody else may be changing it; it is tried again.",
            code="differs",
        )
    return look


async def check(connector: Connector, *, call_seconds: float = DEFAULT_TIMEOUT) -> Health:
    """Return the connector's `check` under the same time limit and translation of errors."""
    health = await _call("check", connector.check(), None, call_seconds)
    return Health(_words(health.version, None), _words(health.detail, None))


async def list_marked(
    connector: Connector, *, call_seconds: float = DEFAULT_TIMEOUT
) -> AsyncIterator[tuple[str, ObservedState]]:
    """Yield from the connector's `list`; `call_seconds` limits the wait for each next object."""
    found = connector.list()
    while True:
        item = await _call("list", anext(found, None), None, call_seconds)
        if item is None:
            return
        yield item


def _planned(connector: Connector, desired: DesiredState, observed: ObservedState) -> ChangePlan:
    try:
        plan = connector.plan(desired, observed)
    except ConnectorError as error:
        raise _presentable(error, desired) from None
    except Exception as error:  # noqa: BLE001 - a connector is somebody else's code
        raise _unexpected("plan", error, desired, writes=False) from None
    # A reason may repeat what somebody else wrote at the back end.
    return replace(plan, reason=_words(plan.reason, desired), remedy=_words(plan.remedy, desired))


async def _call(
    what: str,
    answer: Awaitable[T],
    desired: DesiredState | None,
    call_seconds: float,
    *,
    writes: bool = False,
) -> T:
    """Await a connector's answer; every failure becomes a ConnectorError that is safe to show."""
    try:
        async with asyncio.timeout(call_seconds) as limit:
            return await answer
    except ConnectorError as error:
        raise _presentable(error, desired) from None
    except TimeoutError as error:
        if not limit.expired():
            raise _unexpected(what, error, desired, writes=writes) from None
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"{what}: no answer within {call_seconds:g} seconds",
            remedy="See whether the back end is overloaded or hangs; it is tried again.",
            code=TIMED_OUT,
            outcome_unknown=writes,
        ) from None
    except Exception as error:  # noqa: BLE001 - a connector is somebody else's code
        raise _unexpected(what, error, desired, writes=writes) from None


def _unexpected(
    what: str, error: Exception, desired: DesiredState | None, *, writes: bool
) -> ConnectorError:
    return ConnectorError(
        ErrorKind.TRANSIENT,
        _words(f"{what}: {type(error).__name__}: {error}", desired),
        remedy="The connector did not foresee this error; it is tried again.",
        code=type(error).__name__,
        outcome_unknown=writes,
    )


def _presentable(error: ConnectorError, desired: DesiredState | None) -> ConnectorError:
    return ConnectorError(
        error.kind,
        _words(error.said, desired),
        remedy=_words(error.remedy, desired),
        code=_words(error.code, desired),
        retry_after=error.retry_after,
        outcome_unknown=error.outcome_unknown,
        field=_words(error.field, desired),
    )


def _words(text: str, desired: DesiredState | None) -> str:
    """Return words of a back end without the password that was sent, without control characters, cut."""
    if desired is not None and desired.secret:
        text = text.replace(desired.secret, "[password]")
    shown = harmless(text[: SAID_LIMIT * 4])
    return shown if len(shown) <= SAID_LIMIT else shown[: SAID_LIMIT - 3] + "..."
