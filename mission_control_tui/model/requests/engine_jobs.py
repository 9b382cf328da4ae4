"""What PostgreSQL's engine has in its hands, in SQL on our connections: jobs and workers.

A job is two numbers, a request and the attempt that it shall be. The engine's tables stand in a schema of their own and
may be gone at any time: the request row is the outbox, and a job only says that it may start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Text,
    cast,
    column,
    exists,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import SQLCoreOperations

from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.engine import ENGINE_SCHEMA as SCHEMA
from mission_control_tui.model.store.tables.requests import RequestRow

TASK = "run"
INTERACTIVE_QUEUE, BULK_QUEUE = "interactive", "bulk"
_MISSING = frozenset({"3F000", "42P01", "42883", "42704"})
"""SQLSTATEs of a schema, table, function or type that is not there."""

JOBS = table(
    "procrastinate_jobs",
    column("queue_name", Text),
    column("queueing_lock", Text),
    column("status", Text),
    column("args", JSONB),
    schema=SCHEMA,
)
_WORKERS = table(
    "procrastinate_workers", column("id", BigInteger), column("last_heartbeat"), schema=SCHEMA
)
_PROCESSES = table(
    "worker_processes",
    column("worker_id", BigInteger),
    column("process", Text),
    column("host", Text),
    column("pid", Integer),
    column("pid_started", Float),
    column("app_version", Text),
    column("started_at", Float),
    schema=SCHEMA,
)
JOB_REQUEST = cast(JOBS.c.args["request"].astext, BigInteger)
JOB_ATTEMPT = cast(JOBS.c.args["attempt"].astext, Integer)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be deferred."""

    request_id: int
    attempt: int
    priority: int


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker process that is registered with the engine, and for how long the engine has not heard from it."""

    id: str
    host: str
    pid: int
    pid_started: float
    app_version: str
    started_at: float
    silent_seconds: float


async def is_there(session: AsyncSession) -> bool:
    """Tell whether the engine's tables are there: a worker makes them."""
    found = await session.scalar(
        text(f"SELECT to_regclass('{SCHEMA}.worker_processes') IS NOT NULL")
    )
    return bool(found)


def is_missing(error: Exception) -> bool:
    """Tell whether the database refused a statement because the engine's tables are not there."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said, "sqlstate", None) in _MISSING


def has_job(
    request_id: SQLCoreOperations[int], attempt: SQLCoreOperations[int]
) -> ColumnElement[bool]:
    """Return the condition that the engine has this attempt of the request in its hands."""
    key = cast(request_id, Text) + literal("-") + cast(attempt, Text)
    return exists().where(JOBS.c.queueing_lock == key)


def next_is_in_hand() -> ColumnElement[bool]:
    """Return the condition that joins a request with the job for its next attempt."""
    return (RequestRow.id == JOB_REQUEST) & (RequestRow.attempt + 1 == JOB_ATTEMPT)


async def defer(session: AsyncSession, jobs: Sequence[NewJob]) -> None:
    """Hand jobs to the engine, within the caller's transaction, on whose `search_path` its schema is."""
    await session.execute(
        text(
            "SELECT procrastinate_defer_jobs_v1(ARRAY(SELECT"
            " ROW(queue, :task, priority, NULL, request || '-' || attempt,"
            " jsonb_build_object('request', request, 'attempt', attempt), NULL)"
            "::procrastinate_job_to_defer_v1"
            " FROM unnest(CAST(:requests AS bigint[]), CAST(:attempts AS integer[]),"
            " CAST(:queues AS text[]), CAST(:priorities AS integer[]))"
            " WITH ORDINALITY AS job(request, attempt, queue, priority, place) ORDER BY place))"
        ),
        {
            "task": TASK,
            "requests": [job.request_id for job in jobs],
            "attempts": [job.attempt for job in jobs],
            "queues": [
                BULK_QUEUE if job.priority >= Priority.BULK else INTERACTIVE_QUEUE for job in jobs
            ],
            # The engine takes the highest first.
            "priorities": [-job.priority for job in jobs],
        },
    )


async def processes(session: AsyncSession) -> tuple[WorkerProcess, ...]:
    """Return the worker processes that are registered, the oldest first; none where the engine's tables are not."""
    if not await is_there(session):
        return ()
    silent = func.extract("epoch", func.clock_timestamp() - _WORKERS.c.last_heartbeat)
    of_process = (
        _PROCESSES.c.process,
        _PROCESSES.c.host,
        _PROCESSES.c.pid,
        _PROCESSES.c.pid_started,
        _PROCESSES.c.app_version,
    )
    started_at = func.min(_PROCESSES.c.started_at)
    rows = await session.execute(
        select(*of_process, started_at, cast(func.max(silent), Float))
        .join(_WORKERS, _WORKERS.c.id == _PROCESSES.c.worker_id)
        .group_by(*of_process)
        .order_by(started_at, _PROCESSES.c.process)
    )
    return tuple(WorkerProcess(*row) for row in rows)
