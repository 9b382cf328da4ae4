"""How an attempt of a request ends: the light, the seats, the password, what waits for it.

Every function returns the write that ends a run so (`run_batch.write`), which is refused (RunLost) when the attempt no
longer counts. Where a newer wish has been stated meanwhile, the
request ends as superseded whatever its result, and the light is left to the newer one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec

from sqlalchemy import ColumnElement, select

from mission_control_tui.model.requests.connector_pauses import (
    PauseReason,
    PauseWaits,
    pause,
)
from mission_control_tui.model.requests.control import restore_wish
from mission_control_tui.model.requests.dependencies import settle_connector
from mission_control_tui.model.requests.planned_changes import PlannedChanges
from mission_control_tui.model.requests.request_plans import keep_plan
from mission_control_tui.model.requests.run_batch import RunBatch, RunWork
from mission_control_tui.model.services.leftovers import keep_instead
from mission_control_tui.model.services.retention import kept_date
from mission_control_tui.model.services.usage import keep_usage
from mission_control_tui.model.services.wishes import add_event, show
from mission_control_tui.model.states import (
    ErrorKind,
    Hold,
    Light,
    RequestState,
    Wish,
    Word,
)
from mission_control_tui.model.store.group_rows import free_address
from mission_control_tui.model.store.tables.documents import StoredUsage
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.counting import counted

CALM_TAKEOVERS = 5
"""Takeovers of one request after which the next try waits, longer each time: it may be what kills the workers."""
LONGEST_CALM_SECONDS = 300.0
HALFWAY_SAID = "Cancelled half-way: the service is neither as it was nor as it was wished."
HALFWAY_REMEDY = "Provision again, or deprovision."
STILL_WORKS = "The back end has accepted it and still works on it"
_STEP_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Observation:
    """What the last look at the back end showed."""

    wish: Wish
    level_id: str = ""
    external_id: str = ""
    usage: Mapping[str, StoredUsage] = field(default_factory=dict)


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
    end: Callable[Concatenate[RunBatch, RequestRow, AssignmentRow, P], Awaitable[None]],
) -> Callable[P, RunWork[None]]:
    """Return `end` as a run's last write, with all that follows from its end."""

    @wraps(end)
    def ending(*args: P.args, **kwargs: P.kwargs) -> RunWork[None]:
        async def work(batch: RunBatch, request: RequestRow, row: AssignmentRow) -> None:
            await end(batch, request, row, *args, **kwargs)
            batch.ended(request, row)

        return work

    return ending


@_ending
async def succeed(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """End a run whose second look agrees with the wish: green, or grey for what was taken away."""
    _see(row, seen, request.generation)
    if _superseded(batch, request, row):
        return
    taken = row.wish == Wish.ABSENT
    instead = await keep_instead(batch.tx, row) if taken and row.kept_until else ()
    until = row.kept_until
    if seen.wish is Wish.ABSENT:
        row.kept_until = 0.0
    # What is kept has the password that it had.
    batch.let_go_of_secret(row, delivered=row.password_delivered if row.kept_until else not taken)
    _show_as_wished(batch, row)
    batch.release_seats(row, keep=() if taken else (row.level_id,))
    said = "The back end agrees with the wish."
    if row.kept_until:
        said = f"It is suspended, and kept until {kept_date(row.kept_until)}."
    elif taken:
        said = "It is gone."
        if row.object_id is not None:
            await free_address(batch.tx.session, row.object_id)
    if instead:
        left = ", ".join(instead)
        said += f" It never was at {row.connector}: what was left at {left} is kept until {kept_date(until)}."
    _end(batch, request, RequestState.SUCCEEDED, "succeeded", said)


@_ending
async def fail(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, failure: AttemptFailure
) -> None:
    """Turn red at once."""
    if not _superseded(batch, request, row):
        _turn_red(batch, request, row, failure)


@_ending
async def wait_for_connector(
    batch: RunBatch,
    request: RequestRow,
    row: AssignmentRow,
    failure: AttemptFailure,
    limit: int,
    waits: PauseWaits,
) -> None:
    """Pause the connector and wait with all else that it would do: no failed try, and it goes on by itself.

    Red only where the back end answered each check at once, `limit` times: then it is this request that fails.
    """
    if _superseded(batch, request, row):
        return
    if request.failures >= limit and failure.kind is not ErrorKind.THROTTLED:
        _turn_red(batch, request, row, failure)
        return
    reason = PauseReason(failure.kind, failure.said, failure.remedy, request.id)
    await pause(batch.tx, row.connector, reason, waits)
    request.state, request.worker_id, request.waiting_for = RequestState.WAITING, "", ""
    row.word, row.step = Word.WAITING, ""
    add_event(batch.tx, request, "waits", said=failure.said, remedy=failure.remedy)
    await batch.tx.session.flush()
    await settle_connector(batch.tx, row.connector)


@_ending
async def wait_for_act(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, delay: float
) -> None:
    """Wait until an earlier act cannot be under way any more, at a back end that could not tell the two apart."""
    if not _superseded(batch, request, row):
        await _put_off(batch, request, row, "An earlier act on it may still be under way", delay)
        batch.forget_steps(request)


@_ending
async def try_again(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, failure: AttemptFailure, retry: Retry
) -> None:
    """Put the request back into the queue for later; red when the limit is reached."""
    request.failures += 1
    if _superseded(batch, request, row):
        return
    if request.failures >= retry.limit:
        _turn_red(batch, request, row, failure)
        return
    tried = f"Try {request.failures} of {retry.limit} failed: {failure.said}"
    await _put_off(batch, request, row, tried, retry.delay)
    add_event(
        batch.tx,
        request,
        "retry",
        said=f"{failure.said} (tried {request.failures} of {counted(retry.limit, 'time')},"
        f" again in {retry.delay:.1f} s)",
        remedy=failure.remedy,
    )


@_ending
async def look_later(
    batch: RunBatch,
    request: RequestRow,
    row: AssignmentRow,
    seen: Observation,
    delay: float,
    *,
    applied: bool,
    said: str = "",
) -> None:
    """Wait for a back end that has accepted and still works on it: orange, observed again later, not a failure.

    `said` are the back end's own words. An attempt that only looked (`applied` False) and found nothing new leaves no
    steps and no event.
    """
    shown = f"The back end still works on it: {said}" if said else STILL_WORKS
    news = applied or await _last_event(batch.tx, request) != "pending"
    row.external_id = seen.external_id or row.external_id
    keep_usage(row, seen.usage)
    if _superseded(batch, request, row):
        return
    request.failures = 0
    await _put_off(batch, request, row, shown, delay)
    if news:
        add_event(batch.tx, request, "pending", said=f"{shown}.")
    else:
        batch.forget_steps(request)


@_ending
async def wait_until_enabled(
    batch: RunBatch,
    request: RequestRow,
    row: AssignmentRow,
    shown: str,
    remedy: str,
    delay: float,
    plan: PlannedChanges,
) -> None:
    """Wait for a connector that only observes and would change something: orange, looked at again later, not a failure.

    `shown` stands beside the light, and `plan` is kept with the request. Such a look leaves no steps, and an event only
    where the plan is new.
    """
    if _superseded(batch, request, row):
        return
    request.failures = 0
    await _put_off(batch, request, row, shown, delay)
    news = await keep_plan(batch.tx, request.id, plan)
    said = f"{shown}."
    if request.hold == Hold.AGREED:
        request.hold, news = Hold.NONE, True
        said = f"What was allowed is no longer what would be done. {said}"
    if news:
        add_event(batch.tx, request, "observed", said=said, remedy=remedy)
    batch.forget_steps(request)


@_ending
async def supersede(batch: RunBatch, request: RequestRow, row: AssignmentRow) -> None:
    """End between two steps a request after which a newer wish has been stated."""
    _superseded(batch, request, row)


@_ending
async def cancel_back(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """Restore the previous wish: cancelled, and the back end is still, or again, as that says."""
    _see(row, seen, request.generation)
    if _superseded(batch, request, row):
        return
    await restore_wish(
        batch.tx.session, row, {**request.previous, "generation": request.generation}
    )
    _show_as_wished(batch, row)
    _end(batch, request, RequestState.CANCELLED, "cancelled", "All is as it was before.")


@_ending
async def cancel_halfway(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, seen: Observation
) -> None:
    """Turn red, with what to do: cancelled, and the back end agrees with neither wish."""
    row.observed_wish, row.observed_level = seen.wish, seen.level_id
    row.external_id = seen.external_id or row.external_id
    if _superseded(batch, request, row):
        return
    _show_red(batch, row, AttemptFailure(ErrorKind.CONFLICT, HALFWAY_SAID, HALFWAY_REMEDY))
    _end(batch, request, RequestState.CANCELLED, "cancelled", HALFWAY_SAID, HALFWAY_REMEDY)


@_ending
async def give_back(batch: RunBatch, request: RequestRow, row: AssignmentRow, said: str) -> None:
    """Put the request back into the queue as it is: this worker stops, or its engine failed."""
    _give_back(batch, request, row, said, 0.0)


async def give_back_all(
    tx: Transaction, which: ColumnElement[bool], said: str, *, wait_when_often: bool = False
) -> tuple[int, ...]:
    """Put back into the queue those of `which` that run; returns the requests' ids.

    `wait_when_often` lets a request wait that has been taken over several times.
    """
    found = await tx.session.execute(
        select(AssignmentRow, RequestRow)
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .where(RequestRow.state == RequestState.RUNNING, which)
        .order_by(AssignmentRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    batch = RunBatch(tx)
    now = await batch.clock()
    given: list[int] = []
    for row, request in found.all():
        often = max(0, request.attempt - CALM_TAKEOVERS)
        calm = (
            min(2.0 ** min(often, 30), LONGEST_CALM_SECONDS) if wait_when_often and often else 0.0
        )
        request.waits_since = now
        _give_back(batch, request, row, said, now + calm if calm else 0.0)
        batch.ended(request, row)
        given.append(request.id)
    await batch.finish()
    return tuple(given)


def _superseded(batch: RunBatch, request: RequestRow, row: AssignmentRow) -> bool:
    if row.generation <= request.generation:
        return False
    _end(batch, request, RequestState.SUPERSEDED, "superseded", "A newer wish took its place.")
    return True


def _end(
    batch: RunBatch,
    request: RequestRow,
    state: RequestState,
    kind: str,
    said: str,
    remedy: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    request.state = state
    request.ended_at = batch.tx.now
    request.waiting_for = ""
    add_event(batch.tx, request, kind, said=said, remedy=remedy, detail=detail)


async def _put_off(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, shown: str, delay: float
) -> None:
    request.state = RequestState.QUEUED
    request.worker_id = ""
    request.waits_since = await batch.clock()
    request.next_try_at = request.waits_since + delay
    row.word, row.step = Word.WAITING, shown[:_STEP_LIMIT]


def _turn_red(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, failure: AttemptFailure
) -> None:
    _show_red(batch, row, failure)
    detail = {"field": failure.field} if failure.field else {}
    _end(batch, request, RequestState.FAILED, "failed", failure.said, failure.remedy, detail)


def _show_as_wished(batch: RunBatch, row: AssignmentRow) -> None:
    if row.wish == Wish.ABSENT:
        show(row, Light.GREY, Word.NOT_PROVISIONED, batch.tx)
    else:
        show(row, Light.GREEN, Word.PROVISIONED, batch.tx)


def _show_red(batch: RunBatch, row: AssignmentRow, failure: AttemptFailure) -> None:
    show(row, Light.RED, Word.ERROR, batch.tx)
    row.error_kind = failure.kind
    row.error_said, row.error_remedy = failure.said, failure.remedy


def _give_back(
    batch: RunBatch, request: RequestRow, row: AssignmentRow, said: str, next_try_at: float
) -> None:
    batch.fail_running_steps(request)
    add_event(batch.tx, request, "given back", said=said)
    request.worker_id = ""
    if _superseded(batch, request, row):
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
    row.external_id, row.token = seen.external_id, ""
    keep_usage(row, seen.usage)
    row.drift = False
