"""How an attempt of a request ends: the light, the seats, the password, what waits for it, in one transaction each.

Every function raises RunLost when the attempt no longer counts. Where a newer wish has been stated meanwhile, the
request ends as superseded whatever its result, and the light is left to the newer one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from sqlalchemy import delete, select, update

from mission_control_tui.model.requests.attempts import Run, StepResult, lock_attempt, record_step
from mission_control_tui.model.requests.connector_pauses import is_paused, pause
from mission_control_tui.model.requests.control import restore_wish
from mission_control_tui.model.requests.dependencies import settle_connector, settle_dependents
from mission_control_tui.model.services import sealed_passwords, seats
from mission_control_tui.model.services.wishes import add_event, show, update_parent
from mission_control_tui.model.states import (
    PAUSING_KINDS,
    ErrorKind,
    Light,
    RequestState,
    StepState,
    Wish,
    Word,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.group_rows import free_address
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

CALM_TAKEOVERS = 5
"""Takeovers of one request after which the next try waits, longer each time: it may be what kills the workers."""
LONGEST_CALM_SECONDS = 300.0
HALFWAY_SAID = "Cancelled half-way: the service is neither as it was nor as it was wished."
HALFWAY_REMEDY = "Provision again, or deprovision."
_STEP_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Observation:
    """What the last look at the back end showed."""

    wish: Wish
    level_id: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """Why an attempt failed, in the back end's own words: `code` is its own too, `field` is what can be corrected."""

    kind: ErrorKind
    said: str
    remedy: str = ""
    code: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """When an error that can heal is tried again, and after how many failures no more."""

    delay: float
    limit: int


P = ParamSpec("P")


def _ending(
    end: Callable[Concatenate[Transaction, RequestRow, AssignmentRow, P], Awaitable[None]],
) -> Callable[Concatenate[Store, Run, StepResult | None, P], Coroutine[Any, Any, None]]:
    """Return `end` as one transaction of a run: with its last step, and all that follows from its end."""

    @wraps(end)
    @worker_transaction
    async def ended(
        tx: Transaction, run: Run, result: StepResult | None, /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        request, row = await lock_attempt(tx, run)
        if result is not None:
            await record_step(tx, request, result)
        await end(tx, request, row, *args, **kwargs)
        await tx.session.flush()
        await update_parent(tx, request)
        await settle_dependents(tx, row.id)

    return ended


@_ending
async def succeed(
    tx: Transaction, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """End a run whose second look agrees with the wish: green, or grey for what was taken away."""
    _see(row, seen, request.generation)
    if await _superseded(tx, request, row):
        return
    gone = row.wish == Wish.ABSENT
    await sealed_passwords.let_go(tx, row, delivered=not gone)
    _show_as_wished(tx, row)
    await seats.release(tx.session, row.id, keep=() if gone else (row.level_id,))
    if gone and row.object_id is not None:
        await free_address(tx.session, row.object_id)
    said = "It is gone." if gone else "The back end agrees with the wish."
    await _end(tx, request, RequestState.SUCCEEDED, "succeeded", said)


@_ending
async def fail(
    tx: Transaction,
    request: RequestRow,
    row: AssignmentRow,
    failure: AttemptFailure,
    *,
    pause_seconds: float = 0.0,
) -> None:
    """Turn red at once. With `pause_seconds` a kind that pauses lets all else of the connector wait.

    Where another request has paused the connector already, this one waits with the rest.
    """
    if await _superseded(tx, request, row):
        return
    pausing = pause_seconds > 0 and failure.kind in PAUSING_KINDS
    if pausing and await is_paused(tx, row.connector):
        request.state = RequestState.WAITING
        request.worker_id = ""
        row.word, row.step = Word.WAITING, ""
        await tx.session.flush()
        await settle_connector(tx, row.connector)
        return
    await _turn_red(tx, request, row, failure)
    if pausing:
        await pause(tx, row.connector, failure.kind, failure.said, failure.remedy, pause_seconds)


@_ending
async def try_again(
    tx: Transaction, request: RequestRow, row: AssignmentRow, failure: AttemptFailure, retry: Retry
) -> None:
    """Put the request back into the queue for later; red when the limit is reached."""
    request.failures += 1
    if await _superseded(tx, request, row):
        return
    if request.failures >= retry.limit:
        await _turn_red(tx, request, row, failure)
        return
    tried = f"Try {request.failures} of {retry.limit} failed: {failure.said}"
    await _put_off(tx, request, row, tried, retry.delay)
    await add_event(
        tx,
        request,
        "retry",
        said=f"{failure.said} (tried {request.failures} of {retry.limit} times, again in {retry.delay:.1f} s)",
        remedy=failure.remedy,
    )


@_ending
async def look_later(
    tx: Transaction,
    request: RequestRow,
    row: AssignmentRow,
    seen: Observation,
    delay: float,
    *,
    applied: bool,
) -> None:
    """Wait for a back end that has accepted and still works on it: orange, observed again later, not a failure.

    An attempt that only looked (`applied` False) and found nothing new leaves no steps and no event.
    """
    shown = "The back end has accepted it and still works on it"
    news = applied or await _last_event(tx, request) != "pending"
    row.external_id = seen.external_id or row.external_id
    if await _superseded(tx, request, row):
        return
    request.failures = 0
    await _put_off(tx, request, row, shown, delay)
    if news:
        await add_event(tx, request, "pending", said=f"{shown}.")
    else:
        await _forget_steps(tx, request)


@_ending
async def wait_until_enabled(
    tx: Transaction, request: RequestRow, row: AssignmentRow, shown: str, remedy: str, delay: float
) -> None:
    """Wait for a connector that only observes and would change something: orange, looked at again later, not a failure.

    `shown` stands beside the light. Such a look leaves no steps, and an event only the first time.
    """
    news = await _last_event(tx, request) != "observed"
    if await _superseded(tx, request, row):
        return
    request.failures = 0
    await _put_off(tx, request, row, shown, delay)
    if news:
        await add_event(tx, request, "observed", said=f"{shown}.", remedy=remedy)
    await _forget_steps(tx, request)


@_ending
async def supersede(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
    """End between two steps a request after which a newer wish has been stated."""
    await _superseded(tx, request, row)


@_ending
async def cancel_back(
    tx: Transaction, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """Restore the previous wish: cancelled, and the back end is still, or again, as that says."""
    _see(row, seen, request.generation)
    if await _superseded(tx, request, row):
        return
    await restore_wish(tx.session, row, {**request.previous, "generation": request.generation})
    _show_as_wished(tx, row)
    await _end(tx, request, RequestState.CANCELLED, "cancelled", "All is as it was before.")


@_ending
async def cancel_halfway(
    tx: Transaction, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """Turn red, with what to do: cancelled, and the back end agrees with neither wish."""
    row.observed_wish, row.observed_level = seen.wish, seen.level_id
    row.external_id = seen.external_id or row.external_id
    if await _superseded(tx, request, row):
        return
    _show_red(tx, row, AttemptFailure(ErrorKind.CONFLICT, HALFWAY_SAID, HALFWAY_REMEDY))
    await _end(tx, request, RequestState.CANCELLED, "cancelled", HALFWAY_SAID, HALFWAY_REMEDY)


@_ending
async def give_back(tx: Transaction, request: RequestRow, row: AssignmentRow, said: str) -> None:
    """Put the request back into the queue as it is: this worker stops, or its engine failed."""
    await _give_back(tx, request, row, said, 0.0)


async def give_back_all(
    tx: Transaction, worker_ids: Collection[str], said: str, *, wait_when_often: bool = False
) -> tuple[int, ...]:
    """Put back into the queue everything that these workers run; returns the requests' ids.

    `wait_when_often` lets a request wait that has been taken over several times.
    """
    if not worker_ids:
        return ()
    found = await tx.session.execute(
        select(AssignmentRow, RequestRow)
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .where(RequestRow.state == RequestState.RUNNING, RequestRow.worker_id.in_(worker_ids))
        .order_by(AssignmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    now = await clock(tx.session)
    given: list[int] = []
    for row, request in found.all():
        often = max(0, request.attempt - CALM_TAKEOVERS)
        calm = (
            min(2.0 ** min(often, 30), LONGEST_CALM_SECONDS) if wait_when_often and often else 0.0
        )
        request.waits_since = now
        await _give_back(tx, request, row, said, now + calm if calm else 0.0)
        given.append(request.id)
    return tuple(given)


async def _superseded(tx: Transaction, request: RequestRow, row: AssignmentRow) -> bool:
    if row.generation <= request.generation:
        return False
    await _end(tx, request, RequestState.SUPERSEDED, "superseded", "A newer wish took its place.")
    return True


async def _end(
    tx: Transaction,
    request: RequestRow,
    state: RequestState,
    kind: str,
    said: str,
    remedy: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    request.state = state
    request.ended_at = tx.now
    request.waiting_for = ""
    await add_event(tx, request, kind, said=said, remedy=remedy, detail=detail)


async def _put_off(
    tx: Transaction, request: RequestRow, row: AssignmentRow, shown: str, delay: float
) -> None:
    request.state = RequestState.QUEUED
    request.worker_id = ""
    request.waits_since = await clock(tx.session)
    request.next_try_at = request.waits_since + delay
    row.word, row.step = Word.WAITING, shown[:_STEP_LIMIT]


async def _forget_steps(tx: Transaction, request: RequestRow) -> None:
    await tx.session.execute(
        delete(RequestStepRow).where(
            RequestStepRow.request_id == request.id, RequestStepRow.attempt == request.attempt
        )
    )


async def _turn_red(
    tx: Transaction, request: RequestRow, row: AssignmentRow, failure: AttemptFailure
) -> None:
    _show_red(tx, row, failure)
    detail = {"field": failure.field} if failure.field else {}
    await _end(tx, request, RequestState.FAILED, "failed", failure.said, failure.remedy, detail)


def _show_as_wished(tx: Transaction, row: AssignmentRow) -> None:
    if row.wish == Wish.ABSENT:
        show(row, Light.GREY, Word.NOT_PROVISIONED, tx)
    else:
        show(row, Light.GREEN, Word.PROVISIONED, tx)


def _show_red(tx: Transaction, row: AssignmentRow, failure: AttemptFailure) -> None:
    show(row, Light.RED, Word.ERROR, tx)
    row.error_kind = failure.kind
    row.error_said, row.error_remedy = failure.said, failure.remedy


async def _give_back(
    tx: Transaction, request: RequestRow, row: AssignmentRow, said: str, next_try_at: float
) -> None:
    await tx.session.execute(
        update(RequestStepRow)
        .where(RequestStepRow.request_id == request.id, RequestStepRow.state == StepState.RUNNING)
        .values(state=StepState.FAILED, ended_at=tx.now)
    )
    await add_event(tx, request, "given back", said=said)
    request.worker_id = ""
    if await _superseded(tx, request, row):
        await update_parent(tx, request)
        return
    request.state = RequestState.QUEUED
    request.next_try_at = next_try_at
    row.word, row.step = Word.QUEUED, ""


async def _last_event(tx: Transaction, request: RequestRow) -> str | None:
    return await tx.session.scalar(
        select(RequestEventRow.kind)
        .where(RequestEventRow.request_id == request.id)
        .order_by(RequestEventRow.id.desc())
        .limit(1)
    )


def _see(row: AssignmentRow, seen: Observation, generation: int) -> None:
    row.observed_wish, row.observed_level = seen.wish, seen.level_id
    row.observed_generation = generation
    row.external_id = seen.external_id
    row.drift = False
