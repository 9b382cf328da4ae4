"""PostgreSQL: which requests are handed to the engine, when a job's attempt begins, and what returns of the dead.

A request gets a job once it may start, within the limits that hold over all workers; whichever worker looks first does
it, and the engine finds a worker for the job. The request row stays the truth: a job for anything but its next attempt
is nothing, and an attempt without a job is nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import func, literal, select, text, tuple_, union_all

from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.attempts import FIRST_STEP, Run
from mission_control_tui.model.requests.claims import (
    STANDING,
    ClaimedRequest,
    Limits,
    Room,
    Slots,
    choose,
    hold,
    stand,
)
from mission_control_tui.model.requests.engine_jobs import NewJob
from mission_control_tui.model.requests.outcomes import give_back_all
from mission_control_tui.model.states import Light, RequestState, StepState, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import CHANNEL, ENGINE_SCHEMA
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

RELEASE_LOCK = 7_237_264
"""One worker releases at a time, so that limits hold over all of them."""
GONE_SAID = "The worker that ran it is gone; it is tried again."


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the engine: a request, and the attempt that it shall be."""

    request_id: int
    attempt: int


@worker_transaction
async def release(tx: Transaction, slots: Slots, limits: Limits) -> tuple[str, ...]:
    """Hand to the engine what may start now, as many as `slots` has more than wait for a worker already.

    Returns the connectors of what was handed over.
    """
    tx.silent = True
    if not await tx.session.scalar(_LOCK):
        return ()
    standing = await stand(tx.session, _STANDING)
    held, removals = await hold(tx, slots, standing)
    tx.silent = not held
    queued = standing.waiting
    bulk = queued[engine_jobs.BULK_QUEUE]
    free = Slots(max(0, slots.free - queued.total()), max(0, slots.for_bulk - bulk))
    room = Room(limits, standing.running, standing.bulk)
    chosen = await choose(tx.session, free, room, standing.paused, removals, _IN_HAND)
    if chosen:
        await engine_jobs.defer(
            tx.session, [NewJob(row.id, row.attempt + 1, row.priority) for row in chosen]
        )
    return tuple(row.connector for row in chosen)


_LOCK = text(
    # The engine's triggers name its tables without their schema.
    "SELECT pg_try_advisory_xact_lock(:key),"
    " set_config('search_path', current_setting('search_path') || :also, true),"
    # What PostgreSQL knows of a queue was gathered when it was empty: it would sort all that is due for the first few.
    " set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true)"
).bindparams(key=RELEASE_LOCK, also=f", {ENGINE_SCHEMA}")
_IN_HAND = engine_jobs.has_job(RequestRow.id, RequestRow.attempt + 1)
_STANDING = union_all(
    *STANDING,
    # What is about to run counts as running; it is found by the few jobs, not among all that is queued.
    select(
        literal("runs"),
        AssignmentRow.connector,
        RequestRow.priority,
        func.count().filter(RequestRow.state == RequestState.QUEUED),
    )
    .select_from(engine_jobs.JOBS)
    .join(RequestRow, engine_jobs.next_is_in_hand())
    .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
    .group_by(AssignmentRow.connector, RequestRow.priority),
    select(literal("waits"), engine_jobs.JOBS.c.queue_name, literal(0), func.count())
    .where(text("status = 'todo'"))
    .group_by(engine_jobs.JOBS.c.queue_name),
)


_BEGIN = text(
    """
WITH given AS (
    SELECT * FROM unnest(CAST(:requests AS integer[]), CAST(:attempts AS integer[])) AS given(id, attempt)
), alone AS (
    SELECT requests.id, assignments.id AS assignment_id, assignments.connector
    FROM given
    JOIN requests ON requests.id = given.id AND requests.attempt = given.attempt - 1 AND requests.state = 'queued'
    JOIN assignments ON assignments.id = requests.assignment_id
    WHERE NOT EXISTS (SELECT FROM connector_states WHERE name = assignments.connector AND paused)
        AND NOT EXISTS (
            SELECT FROM requests AS running
            WHERE running.assignment_id = requests.assignment_id AND running.state = 'running'
        )
    ORDER BY assignments.id FOR UPDATE OF requests, assignments
), first AS (
    SELECT DISTINCT ON (assignment_id) * FROM alone ORDER BY assignment_id, id
), begun AS (
    UPDATE requests SET state = 'running', attempt = attempt + 1, waiting_for = '',
        started_at = coalesce(started_at, :now),
        worker_id = (SELECT CAST(epoch AS text) FROM installation)
    FROM first WHERE requests.id = first.id
    RETURNING requests.id, requests.attempt, requests.worker_id, requests.priority, requests.account_id,
        first.assignment_id, first.connector
), shown AS (
    UPDATE assignments SET light = :light, word = :word, step = :shown FROM begun
    WHERE assignments.id = begun.assignment_id
), opened AS (
    INSERT INTO request_steps (request_id, attempt, number, name, state, started_at)
    SELECT id, attempt, :number, :name, :running, :now FROM begun
)
SELECT id, attempt, worker_id, priority, connector, pg_notify(:channel, CAST(account_id AS text)) FROM begun
"""
).bindparams(
    light=str(Light.ORANGE),
    word=str(Word.PROVISIONING),
    shown=FIRST_STEP.shown,
    number=FIRST_STEP.number,
    name=FIRST_STEP.name,
    running=str(StepState.RUNNING),
    channel=CHANNEL,
)
"""Numbers come again in a restored database, of other people's requests: the epoch tells its runs apart."""


async def begin(store: Store, jobs: Sequence[Job]) -> list[ClaimedRequest | None]:
    """Begin the attempts of these jobs; None for one whose request has ended, waits again, or began elsewhere."""
    begun = await retry_on_conflict(partial(_begin, store, jobs))
    by_job = {Job(claimed.run.request_id, claimed.run.attempt): claimed for claimed in begun}
    return [by_job.get(job) for job in jobs]


async def _begin(store: Store, jobs: Sequence[Job]) -> list[ClaimedRequest]:
    given = {
        "requests": [job.request_id for job in jobs],
        "attempts": [job.attempt for job in jobs],
        "now": datetime.now(UTC),
    }
    async with store.committing() as connection:
        return [
            ClaimedRequest(Run(row.id, row.attempt, row.worker_id), row.priority, row.connector)
            for row in await connection.execute(_BEGIN, given)
        ]


async def return_work(
    store: Store, stalled: Collection[Job], said: str = GONE_SAID
) -> tuple[int, ...]:
    """Put back into the queue the attempts of these jobs, and all that run without any; returns the requests' ids."""
    async with store.read() as session:
        stray = await session.execute(
            select(RequestRow.id, RequestRow.attempt).where(
                RequestRow.state == RequestState.RUNNING,
                RequestRow.assignment_id.is_not(None),
                ~engine_jobs.has_job(RequestRow.id, RequestRow.attempt),
            )
        )
        lost = [*(Job(*row) for row in stray.all()), *stalled]
    return await give_back_jobs(store, lost, said, wait_when_often=True) if lost else ()


@worker_transaction
async def give_back_jobs(
    tx: Transaction, jobs: Collection[Job], said: str, *, wait_when_often: bool = False
) -> tuple[int, ...]:
    """Put back into the queue those of these attempts that run; returns the requests' ids."""
    which = tuple_(RequestRow.id, RequestRow.attempt).in_(
        [(job.request_id, job.attempt) for job in jobs]
    )
    return await give_back_all(tx, which, said, wait_when_often=wait_when_often)
