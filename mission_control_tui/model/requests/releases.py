"""PostgreSQL: which requests are handed to the engine, when a job's attempt begins, and what returns of the dead.

A request gets a job once it may start, within the limits that hold over all workers; whichever worker looks first does
it, and the engine finds a worker for the job. The request row stays the truth: a job for anything but its next attempt
is nothing, and an attempt without a job is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.claims import (
    CANDIDATES,
    IS_ALONE,
    ClaimedRequest,
    Limits,
    Room,
    Slots,
    choose,
    hold,
    running,
    take,
)
from mission_control_tui.model.requests.connector_pauses import pauses
from mission_control_tui.model.requests.engine_jobs import NewJob
from mission_control_tui.model.requests.outcomes import give_back_all
from mission_control_tui.model.states import Priority, RequestState
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
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
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    if not await tx.session.scalar(lock, {"key": RELEASE_LOCK}):
        tx.silent = True
        return ()
    paused, held = await hold(tx, slots)
    tx.silent = not held
    queued = await engine_jobs.queued(tx.session)
    bulk = queued.get(engine_jobs.BULK_QUEUE, 0)
    free = Slots(max(0, slots.free - sum(queued.values())), max(0, slots.for_bulk - bulk))
    room = Room(limits, *await _started(tx.session))
    in_hand = engine_jobs.has_job(RequestRow.id, RequestRow.attempt + 1)
    chosen = await choose(tx.session, await clock(tx.session), free, room, paused, in_hand)
    if chosen:
        await engine_jobs.defer(
            tx.session, [NewJob(row.id, row.attempt + 1, row.priority) for row in chosen]
        )
    return tuple(row.connector for row in chosen)


async def _started(session: AsyncSession) -> tuple[Counter[str], Counter[str]]:
    """Return how many requests of each connector run or are about to, all of them and bulk alone."""
    all_of_them, bulk = await running(session)
    rows = await session.execute(
        select(AssignmentRow.connector, RequestRow.priority, func.count())
        .select_from(engine_jobs.JOBS)
        .join(RequestRow, engine_jobs.next_is_in_hand())
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .where(RequestRow.state == RequestState.QUEUED)
        .group_by(AssignmentRow.connector, RequestRow.priority)
    )
    for connector, priority, count in rows:
        all_of_them[connector] += count
        bulk[connector] += count if priority >= Priority.BULK else 0
    return all_of_them, bulk


@worker_transaction
async def begin(tx: Transaction, jobs: Sequence[Job]) -> list[ClaimedRequest | None]:
    """Begin the attempts of these jobs; None for one whose request has ended, waits again, or began elsewhere."""
    wanted = [(job.request_id, job.attempt - 1) for job in jobs]
    paused = [connector.name for connector in await pauses(tx.session)]
    found = await tx.session.execute(
        CANDIDATES.where(
            RequestRow.state == RequestState.QUEUED,
            tuple_(RequestRow.id, RequestRow.attempt).in_(wanted),
            AssignmentRow.connector.not_in(paused),
            IS_ALONE,
        )
        .order_by(AssignmentRow.id)
        .with_for_update()
    )
    alone = {row.assignment_id: row for row in found.all()}
    # Numbers come again in a restored database, of other people's requests: the epoch tells its runs apart.
    epoch = await epochs.present(tx.session)
    begun = await take(tx, str(epoch), list(alone.values()))
    tx.silent = not begun
    by_job = {Job(claimed.run.request_id, claimed.run.attempt): claimed for claimed in begun}
    return [by_job.get(job) for job in jobs]


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
