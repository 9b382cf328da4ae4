"""Workers, and the lease of an embedded one, timed by the database's clock; on PostgreSQL the engine knows who lives.

A worker renews its lease five times within its length. One that is silent for longer, or whose process is gone from
this machine, is taken over: its row ends, and in the same transaction its requests go back to the queue. One that finds
itself ended stops at once; whatever it still tries to write is refused, because a request that went back no longer
carries its name.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from sqlalchemy import Select, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.states import BulkState, RequestState, ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import NOW, clock
from mission_control_tui.model.store.processes import is_alive, this_process
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow, WorkerRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import silent_write, worker_transaction
from mission_control_tui.model.views import view_of

ABSURD = 20.0
"""A lease that ends later than so many of its lengths from now was given before the clock was moved back."""
KEPT_SECONDS = 7 * 86_400.0
"""Rows of ended workers are kept for so long, for whoever asks what happened."""

_VERSION = re.compile(r"\d+")


class LeaseLost(MissionControlError):
    """Another worker has taken over: this one must stop without writing anything (exit code 12)."""

    code = "lease-lost"
    title = "This worker was taken over"
    exit_code = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """One worker process."""

    id: str
    host: str
    pid: int
    pid_started: float
    app_version: str

    @classmethod
    def of_this_process(cls, app_version: str) -> Self:
        """Return a new identity; each start of a worker has its own."""
        host, pid, started = this_process()
        short = re.sub(r"[^a-z0-9]+", "-", host.casefold())[:30]
        return cls(f"{short}-{pid}-{secrets.token_hex(4)}", host, pid, started, app_version)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as others see it. `draining`: it takes nothing new, because a newer program wants its place."""

    id: str
    host: str
    pid: int
    app_version: str
    started_at: float
    lease_until: float
    draining: bool


@dataclass(frozen=True, slots=True)
class LeaseResult:
    """Either the lease is ours or `holder` has it; `dead` workers were buried and `requests` went back."""

    holder: WorkerView | None = None
    dead: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()


@worker_transaction
async def acquire(tx: Transaction, me: Identity, lease_seconds: float) -> LeaseResult:
    """Become the one worker of a SQLite file, burying a dead one.

    A live worker of an older version is asked to drain; call again until it has ended.
    """
    now = await clock(tx.session)
    rows = (await tx.session.scalars(select(WorkerRow).where(WorkerRow.ended.is_(False)))).all()
    alive = [row for row in rows if _holds(row, now, lease_seconds)]
    if alive:
        if is_older(alive[0].app_version, me.app_version):
            alive[0].draining = True
        return LeaseResult(_view(alive[0]))
    await tx.session.execute(
        insert(WorkerRow).values(**asdict(me), started_at=now, lease_until=now + lease_seconds)
    )
    return await _bury(tx, rows, now)


@worker_transaction
async def drain_earlier(tx: Transaction, lease_seconds: float) -> bool:
    """Ask workers that still hold leases on PostgreSQL, as earlier versions' did, to drain; tell whether any lives."""
    now = await clock(tx.session)
    rows = (await tx.session.scalars(select(WorkerRow))).all()
    alive = [row for row in rows if not row.ended and _holds(row, now, lease_seconds)]
    for row in rows:
        if row in alive:
            row.draining = True
        else:
            await tx.session.delete(row)
    tx.silent = not rows
    return bool(alive)


async def beat(store: Store, worker_id: str, lease_seconds: float) -> float:
    """Renew the lease; returns the database's clock. Raises LeaseLost when it was taken over."""
    async with silent_write(store) as session:
        now = NOW[session.get_bind().dialect.name]
        until = await session.scalar(
            update(WorkerRow)
            .where(WorkerRow.id == worker_id, WorkerRow.ended.is_(False))
            .values(lease_until=now + lease_seconds)
            .returning(WorkerRow.lease_until)
            .execution_options(synchronize_session=False)
        )
    if until is None:
        raise lease_lost(worker_id)
    return float(until) - lease_seconds


def lease_lost(worker_id: str) -> LeaseLost:
    """Return the error of a worker that finds itself ended by another."""
    return LeaseLost(
        f"Worker {worker_id} was silent for longer than its lease and was taken over.",
        hint="Nothing is lost: its requests go on elsewhere. See why it was frozen or so slow.",
    )


@worker_transaction
async def retire(tx: Transaction, worker_id: str) -> tuple[int, ...]:
    """End this worker; the requests that it still runs go back to the queue. Returns their ids."""
    await tx.session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(ended=True))
    from mission_control_tui.model.requests.outcomes import give_back_all

    which = RequestRow.worker_id == worker_id
    return await give_back_all(tx, which, "The worker was stopped; it is tried again.")


@worker_transaction
async def retire_if_idle(tx: Transaction, worker_id: str, ahead_seconds: float = 0.0) -> bool:
    """Look for work once more and end this worker if there is none, in one transaction.

    A schedule that is due within `ahead_seconds` is work. Whoever queues a request commits it first and looks for a
    live worker then: either this transaction sees the request, or they see that there is no worker.
    """
    busy = await tx.session.scalar(
        select(
            exists().where(RequestRow.state == RequestState.QUEUED)
            | exists().where(BulkRow.state == BulkState.RUNNING)
            | exists().where(
                RequestRow.state == RequestState.RUNNING, RequestRow.assignment_id.is_not(None)
            )
            | exists().where(
                RequestRow.state == RequestState.WAITING,
                AssignmentRow.id == RequestRow.assignment_id,
                ConnectorStateRow.name == AssignmentRow.connector,
                ConnectorStateRow.paused,
            )
        )
    )
    if busy or await waits_within(tx.session, ahead_seconds):
        return False
    await tx.session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(ended=True))
    return True


async def live_workers(store: Store, lease_seconds: float) -> tuple[WorkerView, ...]:
    """Return the workers that live now, the oldest first: by their lease, on PostgreSQL by what the engine hears."""
    async with store.read() as session:
        now = await clock(session)
        if not store.is_sqlite:
            # It loads PostgreSQL's dialect.
            from mission_control_tui.model.requests import engine_jobs

            return tuple(
                WorkerView(
                    process.id,
                    process.host,
                    process.pid,
                    process.app_version,
                    process.started_at,
                    now - process.silent_seconds + lease_seconds,
                    draining=False,
                )
                for process in await engine_jobs.processes(session)
                if abs(process.silent_seconds) < lease_seconds
                and is_alive(process.host, process.pid, process.pid_started)
            )
        rows = await session.scalars(
            select(WorkerRow).where(WorkerRow.ended.is_(False)).order_by(WorkerRow.started_at)
        )
        return tuple(_view(row) for row in rows if _holds(row, now, lease_seconds))


def is_older(one: str, other: str) -> bool:
    """Tell whether version `one` of this program is older than `other`."""
    return _numbers(one) < _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _VERSION.findall(version)[:3])


def _holds(row: WorkerRow, now: float, lease_seconds: float) -> bool:
    longest = ABSURD * max(lease_seconds, 1.0)
    return 0.0 < row.lease_until - now <= longest and is_alive(row.host, row.pid, row.pid_started)


def _strays() -> Select[str]:
    """Return names under which requests run although no such worker is there."""
    there = select(WorkerRow.id).where(WorkerRow.ended.is_(False))
    return (
        select(RequestRow.worker_id)
        .where(
            RequestRow.state == RequestState.RUNNING,
            RequestRow.assignment_id.is_not(None),
            RequestRow.worker_id.not_in(there),
        )
        .distinct()
    )


async def _bury(tx: Transaction, dead: Collection[WorkerRow], now: float) -> LeaseResult:
    for row in dead:
        row.ended = True
    await tx.session.flush()
    # Consoles only look who is at work: how attempts end would be a megabyte of each of them.
    from mission_control_tui.model.requests.outcomes import give_back_all

    strays = (await tx.session.scalars(_strays())).all()
    requests = await give_back_all(
        tx,
        RequestRow.worker_id.in_(strays),
        "The worker that ran it is gone; it is tried again.",
        wait_when_often=True,
    )
    await tx.session.execute(
        delete(WorkerRow).where(WorkerRow.ended, WorkerRow.lease_until < now - KEPT_SECONDS)
    )
    return LeaseResult(None, tuple({*strays, *(row.id for row in dead)}), requests)


def _view(row: WorkerRow) -> WorkerView:
    return view_of(WorkerView, row)


async def waits_within(session: AsyncSession, seconds: float) -> bool:
    """Tell whether a schedule is due or will be within so long, seen by this transaction."""
    until = datetime.fromtimestamp(await clock(session), UTC) + timedelta(seconds=seconds)
    statement = select(ScheduleRow.id).where(
        ScheduleRow.state == ScheduleState.WAITING, ScheduleRow.due_at <= until
    )
    return await session.scalar(statement.limit(1)) is not None
