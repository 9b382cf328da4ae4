"""How an attempt of a request ends: the light, the seats, the password, what waits for it, in one transaction each.

Every function raises RunLost when the attempt no longer counts. Where a newer wish has been stated meanwhile, the
request ends as superseded whatever its result, and the light is left to the newer one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, exists, select, update

from mission_control_tui.model.requests.attempts import Run, StepResult, lock_attempt, record_step
from mission_control_tui.model.requests.connector_pauses import is_paused, pause
from mission_control_tui.model.requests.control import restore_wish
from mission_control_tui.model.requests.dependencies import settle_connector, settle_dependents
from mission_control_tui.model.services import seats
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
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
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


_Work = Callable[[Transaction, RequestRow, AssignmentRow], Awaitable[None]]


async def succeed(
    store: Store,
    run: Run,
    account_id: int | None,
    seen: Observation,
    result: StepResult | None = None,
) -> None:
    """The second look agrees with the wish: green, or grey for what was taken away."""

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        _see(row, seen, request.generation)
        if await _superseded(tx, request, row):
            return
        gone = row.wish == Wish.ABSENT
        await _forget_secret(tx, row, delivered=not gone)
        if gone:
            show(row, Light.GREY, Word.NOT_PROVISIONED, tx)
        else:
            show(row, Light.GREEN, Word.PROVISIONED, tx)
        await seats.release(tx.session, row.id, keep=() if gone else (row.level_id,))
        if gone and row.object_id is not None:
            await free_address(tx.session, row.object_id)
        said = "It is gone." if gone else "The back end agrees with the wish."
        await _end(tx, request, RequestState.SUCCEEDED, "succeeded", said)

    await _finish(store, run, account_id, result, work)


async def fail(
    store: Store,
    run: Run,
    account_id: int | None,
    failure: AttemptFailure,
    result: StepResult | None = None,
    *,
    pause_seconds: float = 0.0,
) -> None:
    """Red at once. With `pause_seconds` a kind that pauses lets all else of the connector wait.

    Where another request has paused the connector already, this one waits with the rest.
    """

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        if await _superseded(tx, request, row):
            return
        pausing = pause_seconds > 0 and failure.kind in PAUSING_KINDS
        if pausing and await is_paused(tx, row.connector):
            await _wait_again(tx, request, row)
            return
        await _turn_red(tx, request, row, failure)
        if pausing:
            await pause(
                tx, row.connector, failure.kind, failure.said, failure.remedy, pause_seconds
            )

    await _finish(store, run, account_id, result, work)


async def try_again(
    store: Store,
    run: Run,
    account_id: int | None,
    failure: AttemptFailure,
    retry: Retry,
    result: StepResult | None = None,
) -> None:
    """Back to the queue for later; red when the limit is reached."""

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        request.failures += 1
        if await _superseded(tx, request, row):
            return
        if request.failures >= retry.limit:
            await _turn_red(tx, request, row, failure)
            return
        request.state = RequestState.QUEUED
        request.worker_id = ""
        request.next_try_at = await clock(tx.session) + retry.delay
        tried = f"Try {request.failures} of {retry.limit} failed: {failure.said}"
        row.word, row.step = Word.WAITING, tried[:_STEP_LIMIT]
        await add_event(
            tx,
            request,
            "retry",
            said=f"{failure.said} (tried {request.failures} of {retry.limit} times, again in {retry.delay:.1f} s)",
            remedy=failure.remedy,
        )

    await _finish(store, run, account_id, result, work)


async def look_later(
    store: Store,
    run: Run,
    account_id: int | None,
    seen: Observation,
    delay: float,
    result: StepResult | None = None,
    *,
    applied: bool,
) -> None:
    """The back end has accepted and still works on it: orange, observed again later, not a failure.

    An attempt that only looked (`applied` False) and found nothing new leaves no steps and no event.
    """
    shown = "The back end has accepted it and still works on it"

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        news = applied or await _last_event(tx, request) != "pending"
        row.external_id = seen.external_id or row.external_id
        if await _superseded(tx, request, row):
            return
        await _put_off(tx, request, row, shown, delay)
        if news:
            await add_event(tx, request, "pending", said=f"{shown}.")
        elif result is not None:
            await _forget_steps(tx, request)

    await _finish(store, run, account_id, result if applied else None, work)


async def wait_until_enabled(
    store: Store, run: Run, account_id: int | None, shown: str, remedy: str, delay: float
) -> None:
    """The connector only observes and would change something: orange, looked at again later, not a failure.

    `shown` stands beside the light. Such a look leaves no steps, and an event only the first time.
    """

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        news = await _last_event(tx, request) != "observed"
        if await _superseded(tx, request, row):
            return
        await _put_off(tx, request, row, shown, delay)
        if news:
            await add_event(tx, request, "observed", said=f"{shown}.", remedy=remedy)
        await _forget_steps(tx, request)

    await _finish(store, run, account_id, None, work)


async def supersede(store: Store, run: Run, account_id: int | None) -> None:
    """A newer wish has been stated: this request ends between two steps."""

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        await _superseded(tx, request, row)

    await _finish(store, run, account_id, None, work)


async def cancel_back(store: Store, run: Run, account_id: int | None, seen: Observation) -> None:
    """Cancelled, and the back end is still, or again, as the previous wish says: restore that wish."""

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        _see(row, seen, request.generation)
        if await _superseded(tx, request, row):
            return
        await restore_wish(tx.session, row, {**request.previous, "generation": request.generation})
        if row.wish == Wish.ABSENT:
            show(row, Light.GREY, Word.NOT_PROVISIONED, tx)
        else:
            show(row, Light.GREEN, Word.PROVISIONED, tx)
        await _end(tx, request, RequestState.CANCELLED, "cancelled", "All is as it was before.")

    await _finish(store, run, account_id, None, work)


async def cancel_halfway(store: Store, run: Run, account_id: int | None, seen: Observation) -> None:
    """Cancelled, and the back end agrees with neither wish: red, with what to do."""

    async def work(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
        row.observed_wish, row.observed_level = seen.wish, seen.level_id
        row.external_id = seen.external_id or row.external_id
        if await _superseded(tx, request, row):
            return
        _show_red(tx, row, AttemptFailure(ErrorKind.CONFLICT, HALFWAY_SAID, HALFWAY_REMEDY))
        await _end(tx, request, RequestState.CANCELLED, "cancelled", HALFWAY_SAID, HALFWAY_REMEDY)

    await _finish(store, run, account_id, None, work)


async def give_back(
    store: Store, run: Run, account_id: int | None, said: str, result: StepResult | None = None
) -> None:
    """Back to the queue as it is: this worker stops, or its engine failed."""

    async def work(tx: Transaction) -> None:
        request, row = await lock_attempt(tx, run)
        if result is not None:
            await record_step(tx, run, request.account_id, result)
        await _give_back(tx, request, row, said, 0.0)

    await worker_transaction(store, account_id, work)


async def give_back_all(
    tx: Transaction, worker_ids: Collection[str], said: str, *, wait_when_often: bool = False
) -> tuple[int, ...]:
    """Back to the queue with everything that these workers run; returns the requests' ids.

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
        await _give_back(tx, request, row, said, now + calm if calm else 0.0)
        given.append(request.id)
    return tuple(given)


async def _finish(
    store: Store, run: Run, account_id: int | None, result: StepResult | None, work: _Work
) -> None:
    async def all_of_it(tx: Transaction) -> None:
        request, row = await lock_attempt(tx, run)
        if result is not None:
            await record_step(tx, run, request.account_id, result)
        await work(tx, request, row)
        await tx.session.flush()
        await update_parent(tx, request)
        await settle_dependents(tx, row.id)

    await worker_transaction(store, account_id, all_of_it)


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
    request.failures = 0
    request.next_try_at = await clock(tx.session) + delay
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


def _show_red(tx: Transaction, row: AssignmentRow, failure: AttemptFailure) -> None:
    show(row, Light.RED, Word.ERROR, tx)
    row.error_kind = failure.kind
    row.error_said, row.error_remedy = failure.said, failure.remedy


async def _wait_again(tx: Transaction, request: RequestRow, row: AssignmentRow) -> None:
    request.state = RequestState.WAITING
    request.worker_id = ""
    row.word, row.step = Word.WAITING, ""
    await tx.session.flush()
    await settle_connector(tx, row.connector)


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


async def _forget_secret(tx: Transaction, row: AssignmentRow, *, delivered: bool) -> None:
    """The back end has the password, or needs none any more; wiped when nobody else waits for it."""
    if row.secret_id is None:
        row.password_delivered = row.password_delivered and delivered
        return
    secret_id, row.secret_id = row.secret_id, None
    row.password_delivered = delivered
    await tx.session.flush()
    await tx.session.execute(
        select(SecretRow.id).where(SecretRow.id == secret_id).with_for_update()
    )
    wanted = await tx.session.scalar(select(exists().where(AssignmentRow.secret_id == secret_id)))
    if wanted:
        return
    await tx.session.execute(
        update(SecretRow).where(SecretRow.id == secret_id).values(sealed=None, wiped_at=tx.now)
    )
    await tx.session.execute(
        update(UserRow).where(UserRow.secret_id == secret_id).values(secret_id=None)
    )
