"""Making a back end agree with a wish: observe, plan, apply step by step, observe again.

Success is claimed only when the second look agrees. Converging again is always safe, so `converge`
is the whole loop for one caller, and `observe_and_plan`, `apply_step` and `verify` are its pieces
for a caller that makes each of them durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from mission_control_tui.model.states import ErrorKind, PlanAction, StepState
from mission_control_tui.model.text import harmless
from mission_control_tui.provisioning.connectors.base import (
    Connector,
    ConnectorError,
    Desired,
    Health,
    Observed,
    Plan,
    Step,
)
from mission_control_tui.provisioning.connectors.options import DEFAULT_TIMEOUT

T = TypeVar("T")

ROUNDS = 3  # plans made in one call, when the back end changed meanwhile or an answer was lost
SAID_LIMIT = 500  # characters of a back end's words that are kept
TIMED_OUT = "timeout"  # the code of an error that is our own time limit


class Outcome(StrEnum):
    """How a convergence ended."""

    DONE = "done"
    PENDING = "pending"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Converged:
    """What is true now. `plan` is what is still to do: none when done, with its reason when blocked."""

    outcome: Outcome
    plan: Plan
    observed: Observed


class EventName(StrEnum):
    """What `converge` reports."""

    PLANNED = "planned"
    PLANNED_AGAIN = "planned again"
    STOPPED = "stopped"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `error` is why the plan was made again."""

    name: EventName
    plan: Plan
    observed: Observed
    error: ConnectorError | None = None


OnEvent = Callable[[Event], Awaitable[None]]
OnStep = Callable[[Step, StepState, ConnectorError | None], Awaitable[None]]
ShouldStop = Callable[[], Awaitable[bool]]


async def converge(
    connector: Connector,
    desired: Desired,
    *,
    on_event: OnEvent,
    on_step: OnStep,
    should_stop: ShouldStop,
    call_seconds: float = DEFAULT_TIMEOUT,
) -> Converged:
    """Make the back end agree with `desired`.

    `on_step` is awaited with each step as it starts, is done or fails; `should_stop` is asked before
    each step. `call_seconds` is the hard limit of one call.

    When the back end changed meanwhile (stale), or an answer was lost (outcome_unknown), it is
    observed and planned again, `ROUNDS` plans at most. Every other ConnectorError is raised as it
    comes, and so is the last of these. A back end that took all steps and still differs raises kind
    transient.
    """
    error: ConnectorError | None = None
    rounds_left = ROUNDS
    while True:
        rounds_left -= 1
        observed, plan = await observe_and_plan(connector, desired, call_seconds=call_seconds)
        name = EventName.PLANNED_AGAIN if error else EventName.PLANNED
        await on_event(Event(name, plan, observed, error))
        if _has_ended(plan):
            return _ended(plan, observed)
        try:
            stopped = await _apply_steps(
                connector, desired, plan, on_step, should_stop, call_seconds
            )
        except ConnectorError as failed:
            if not rounds_left or not (failed.outcome_unknown or failed.kind is ErrorKind.STALE):
                raise
            error = failed
            continue
        if stopped:
            observed, plan = await observe_and_plan(connector, desired, call_seconds=call_seconds)
            await on_event(Event(EventName.STOPPED, plan, observed))
            return Converged(Outcome.STOPPED, plan, observed)
        converged = await verify(connector, desired, call_seconds=call_seconds)
        await on_event(Event(EventName.VERIFIED, converged.plan, converged.observed))
        return converged


async def observe_and_plan(
    connector: Connector, desired: Desired, *, call_seconds: float = DEFAULT_TIMEOUT
) -> tuple[Observed, Plan]:
    """What is, and what is to do; changes nothing. This is the dry run and the drift report, too."""
    observed = await _call("observe", connector.observe(desired), desired, call_seconds)
    return observed, _planned(connector, desired, observed)


async def apply_step(
    connector: Connector,
    desired: Desired,
    plan: Plan,
    step: Step,
    *,
    call_seconds: float = DEFAULT_TIMEOUT,
) -> None:
    """Do one step. A ConnectorError with `outcome_unknown` may have taken effect: observe next."""
    applied = connector.apply(desired, plan, step)
    await _call(f"apply {step.name}", applied, desired, call_seconds, writes=True)


async def verify(
    connector: Connector, desired: Desired, *, call_seconds: float = DEFAULT_TIMEOUT
) -> Converged:
    """The second look: done, pending or blocked.

    Raises ConnectorError (transient) naming what still differs.
    """
    observed, plan = await observe_and_plan(connector, desired, call_seconds=call_seconds)
    if not _has_ended(plan):
        differs = ", ".join(change.what for change in plan.changes)
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"The back end took every step and still differs: {differs}"[:SAID_LIMIT],
            remedy="Somebody else may be changing it; it is tried again.",
            code="differs",
        )
    return _ended(plan, observed)


async def check(connector: Connector, *, call_seconds: float = DEFAULT_TIMEOUT) -> Health:
    """The connector's `check` under the same time limit and translation of errors."""
    health = await _call("check", connector.check(), None, call_seconds)
    return Health(_words(health.version, None), _words(health.detail, None))


async def list_marked(
    connector: Connector, *, call_seconds: float = DEFAULT_TIMEOUT
) -> AsyncIterator[tuple[str, Observed]]:
    """The connector's `list`; `call_seconds` limits the wait for each next object."""
    found = connector.list()
    while True:
        item = await _call("list", anext(found, None), None, call_seconds)
        if item is None:
            return
        yield item


async def _apply_steps(
    connector: Connector,
    desired: Desired,
    plan: Plan,
    on_step: OnStep,
    should_stop: ShouldStop,
    call_seconds: float,
) -> bool:
    """Apply the plan's steps; True when it was told to stop before all were done."""
    for step in plan.steps:
        if await should_stop():
            return True
        await on_step(step, StepState.RUNNING, None)
        try:
            await apply_step(connector, desired, plan, step, call_seconds=call_seconds)
        except ConnectorError as error:
            await on_step(step, StepState.FAILED, error)
            raise
        await on_step(step, StepState.DONE, None)
    return False


def _has_ended(plan: Plan) -> bool:
    return plan.action in (PlanAction.NONE, PlanAction.BLOCKED)


def _ended(plan: Plan, observed: Observed) -> Converged:
    if plan.action is PlanAction.BLOCKED:
        return Converged(Outcome.BLOCKED, plan, observed)
    return Converged(Outcome.PENDING if observed.pending else Outcome.DONE, plan, observed)


def _planned(connector: Connector, desired: Desired, observed: Observed) -> Plan:
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
    desired: Desired | None,
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
    what: str, error: Exception, desired: Desired | None, *, writes: bool
) -> ConnectorError:
    return ConnectorError(
        ErrorKind.TRANSIENT,
        _words(f"{what}: {type(error).__name__}: {error}", desired),
        remedy="The connector did not foresee this error; it is tried again.",
        code=type(error).__name__,
        outcome_unknown=writes,
    )


def _presentable(error: ConnectorError, desired: Desired | None) -> ConnectorError:
    return ConnectorError(
        error.kind,
        _words(error.said, desired),
        remedy=_words(error.remedy, desired),
        code=_words(error.code, desired),
        retry_after=error.retry_after,
        outcome_unknown=error.outcome_unknown,
        field=_words(error.field, desired),
    )


def _words(text: str, desired: Desired | None) -> str:
    """Words of a back end without the password that was sent, without control characters, cut."""
    if desired is not None and desired.secret:
        text = text.replace(desired.secret, "[password]")
    shown = harmless(text[: SAID_LIMIT * 4])
    return shown if len(shown) <= SAID_LIMIT else shown[: SAID_LIMIT - 3] + "..."
