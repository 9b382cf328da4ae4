"""Taking requests from the queue: what is due, in order, within slots and limits, one at a time for each service.

A claim and its new attempt number are one commit; whatever happens to the claimer afterwards, the next claim is
another attempt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    bindparam,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.requests.attempts import FIRST_STEP, Run
from mission_control_tui.model.requests.connector_pauses import WANTS_CHECK, Pause, to_check
from mission_control_tui.model.requests.dependencies import hold_back
from mission_control_tui.model.requests.removal_limit import (
    UNCOUNTED,
    CountedRemovals,
    RemovalLimit,
    hold_excess,
)
from mission_control_tui.model.requests.workers import lease_lost
from mission_control_tui.model.states import (
    BulkState,
    Light,
    Priority,
    RequestState,
    StepState,
    Word,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import NOW, clock
from mission_control_tui.model.store.tables.base import UtcDateTime
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow, WorkerRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import silent_write, worker_transaction

CLOCK_NOISE = 2.0
"""Seconds by which a clock may be put right without any wait being begun anew."""
FARTHEST_SECONDS = 4000.0
"""No wait is longer: a next try that is further away was set before the clock was moved back, and is due."""

Running = aliased(RequestRow, name="running")


class Limits(Protocol):
    """How much more may be started."""

    def concurrency(self, connector: str, *, bulk: bool) -> int:
        """Requests of the connector that may run at the same time, over all workers; fewer where all are bulk."""

    def starts_left(self, connector: str) -> int:
        """Return requests of the connector that this worker may start now without going too fast."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Free slots of this worker: all of them, and those that bulk may take; and how many removals are too many."""

    free: int
    for_bulk: int
    removals: RemovalLimit | None = None


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A request that is now ours to run."""

    run: Run
    priority: int
    connector: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a look at the queue shows, by the database's clock in seconds.

    `due`: something may be startable now, `urgent`: and is not of a bulk. `next_at`: when the next queued request
    becomes due, None when none is, or where some are already. `waiting`: requests wait for something else.
    `moved_back`: some wait since a moment that is to come. `bulks`: a bulk runs. `draining`: this worker shall take
    nothing new.
    """

    now: float
    draining: bool
    due: bool
    urgent: bool
    next_at: float | None
    waiting: bool
    moved_back: bool
    bulks: bool
    paused: tuple[Pause, ...]


async def look(store: Store, worker_id: str, *, doubts_clock: bool = True) -> Outlook:
    """Return a cheap look, so that nobody takes the write lock for nothing. Raises LeaseLost (SQLite).

    Whether the clock was `moved_back` is asked only where it is doubted: that goes through the whole queue.
    """
    async with store.glance() as session:
        outlook = _OUTLOOKS[session.get_bind().dialect.name]
        asked = {"worker": worker_id, "doubts": doubts_clock}
        now, draining, due, urgent, waiting, moved_back, bulks, paused, next_at = (
            await session.execute(outlook, asked)
        ).one()
        if draining is None and store.is_sqlite:
            raise lease_lost(worker_id)
        found = await to_check(session) if paused else ()
    return Outlook(
        now, bool(draining), due, urgent, next_at, waiting, bool(moved_back), bulks, found
    )


def _outlook(now: ColumnElement[float]) -> Select[Any]:
    """Return the statement of `look`, made once: it is asked at every turn of a worker."""
    queued = RequestRow.state == RequestState.QUEUED
    is_due = _is_due(now)
    draining = select(WorkerRow.draining).where(
        WorkerRow.id == bindparam("worker"), WorkerRow.ended.is_(False)
    )
    # What exists is found at once, whatever the planner knows of the queue; the first of an order may be sorted for.
    due = exists().where(queued, is_due)
    urgent = exists().where(queued, RequestRow.priority < Priority.BULK, is_due)
    next_at = select(func.min(RequestRow.next_try_at)).where(queued, ~is_due).scalar_subquery()
    return select(
        now,
        draining.scalar_subquery(),
        due,
        urgent,
        exists().where(RequestRow.state == RequestState.WAITING),
        case(
            (
                bindparam("doubts", type_=Boolean),
                exists().where(queued, RequestRow.waits_since > now + CLOCK_NOISE),
            ),
            else_=false(),
        ),
        exists().where(BulkRow.state == BulkState.RUNNING),
        exists().where(WANTS_CHECK),
        case((~due, next_at)),
    )


def _is_due(now: ColumnElement[float]) -> ColumnElement[bool]:
    return or_(RequestRow.next_try_at <= now, RequestRow.next_try_at > now + FARTHEST_SECONDS)


_OUTLOOKS = {dialect: _outlook(now) for dialect, now in NOW.items()}


async def begin_waits_anew(store: Store) -> None:
    """Let what waits since a moment that is to come, because the clock was moved back, wait as long from now."""
    async with silent_write(store) as session:
        now = await clock(session)
        await session.execute(
            update(RequestRow)
            .where(
                RequestRow.state == RequestState.QUEUED, RequestRow.waits_since > now + CLOCK_NOISE
            )
            .values(
                next_try_at=case(
                    (
                        RequestRow.next_try_at > RequestRow.waits_since,
                        RequestRow.next_try_at - RequestRow.waits_since + now,
                    ),
                    else_=RequestRow.next_try_at,
                ),
                waits_since=now,
            )
            .execution_options(synchronize_session=False)
        )


@worker_transaction
async def claim(
    tx: Transaction, worker_id: str, slots: Slots, limits: Limits
) -> tuple[ClaimedRequest, ...]:
    """Take what may start now: state running, next attempt, our name. Raises LeaseLost."""
    draining = await tx.session.scalar(_is_draining(worker_id))
    if draining is None:
        raise lease_lost(worker_id)
    if draining:
        return ()
    standing = await stand(tx.session)
    _, removals = await hold(tx, slots, standing)
    room = Room(limits, standing.running, standing.bulk)
    chosen = await choose(tx.session, slots, room, standing.paused, removals)
    return await take(tx, worker_id, chosen)


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to know before something is started: one statement, asked for at each start.

    `paused` connectors; whether there are `removals` that nobody has counted yet; how many requests of each connector
    run, all of them and `bulk` alone; and of PostgreSQL's engine how many jobs of each queue wait for a worker.
    """

    paused: frozenset[str]
    removals: bool
    running: Counter[str]
    bulk: Counter[str]
    waiting: Counter[str]


async def stand(session: AsyncSession, statement: CompoundSelect[Any] | None = None) -> Standing:
    """Return how it stands, by a statement that asks more than `STANDING` where one is given."""
    rows = (await session.execute(_STANDING if statement is None else statement)).all()
    running, bulk, waiting = Counter[str](), Counter[str](), Counter[str]()
    for what, name, priority, count in rows:
        if what == "runs":
            running[name] += count
            bulk[name] += count if priority >= Priority.BULK else 0
        elif what == "waits":
            waiting[name] += count
    return Standing(
        frozenset(name for what, name, *_ in rows if what == "paused"),
        any(what == "removals" and count for what, _, _, count in rows),
        running,
        bulk,
        waiting,
    )


async def hold(
    tx: Transaction, slots: Slots, standing: Standing
) -> tuple[bool, CountedRemovals | None]:
    """Let wait what must not start now; return whether anything does now, and the removals where they are limited."""
    held = [await hold_back(tx, connector) for connector in sorted(standing.paused)]
    removals = None
    if slots.removals is not None:
        counts = standing.removals
        removals = await hold_excess(tx, slots.removals) if counts else CountedRemovals()
        held.append(removals.held > 0)
    return any(held), removals


def _is_draining(worker_id: str) -> Select[bool]:
    """Return the statement for whether the worker shall take nothing new; no row when its lease was lost."""
    return select(WorkerRow.draining).where(WorkerRow.id == worker_id, WorkerRow.ended.is_(False))


STANDING = (
    select(literal("paused"), ConnectorStateRow.name, literal(0), literal(1)).where(
        ConnectorStateRow.paused
    ),
    select(literal("removals"), literal(""), literal(0), func.count()).where(UNCOUNTED),
    select(literal("runs"), AssignmentRow.connector, RequestRow.priority, func.count())
    .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
    .where(RequestRow.state == RequestState.RUNNING)
    .group_by(AssignmentRow.connector, RequestRow.priority),
)
"""Selects of what, of which connector or queue, of which priority, how many: see `Standing`."""
_STANDING = union_all(*STANDING)


class Room:
    """How many of each connector may still start in this claim."""

    def __init__(self, limits: Limits, running: Counter[str], bulk: Counter[str]) -> None:
        self._limits = limits
        self._running = running
        self._bulk = bulk
        self._starts: dict[str, int] = {}
        self.full: set[str] = set()
        self.full_for_bulk: set[str] = set()

    def take(self, connector: str, *, bulk: bool) -> bool:
        starts = self._starts.setdefault(connector, self._limits.starts_left(connector))
        if starts <= 0 or self._running[connector] >= self._limits.concurrency(
            connector, bulk=False
        ):
            self.full.add(connector)
            return False
        if bulk and self._bulk[connector] >= self._limits.concurrency(connector, bulk=True):
            self.full_for_bulk.add(connector)
            return False
        self._starts[connector] -= 1
        self._running[connector] += 1
        self._bulk[connector] += bulk
        return True


Candidate: TypeAlias = Row[int, str | None, int, str, int, int]
"""The id, assignment, priority, connector and last attempt of a request that is due; 1 for a removal to be counted."""


async def choose(
    session: AsyncSession,
    slots: Slots,
    room: Room,
    paused: Collection[str],
    removals: CountedRemovals | None = None,
    but: ColumnElement[bool] | None = None,
) -> list[Candidate]:
    """Return the next requests in order, without those `but`, passing over connectors that have no room left.

    Of removals that are limited only those that were counted: others were asked for since, and are counted next time.
    """
    chosen: dict[str | None, Candidate] = {}
    bulk = 0
    more = True
    now = NOW[session.get_bind().dialect.name]
    while more and (wanted := slots.free - len(chosen)) > 0:
        statement = _due(now, wanted, {*paused, *room.full}, chosen)
        if bulk >= slots.for_bulk:
            statement = statement.where(_INTERACTIVE)
        elif room.full_for_bulk:
            statement = statement.where(
                or_(_INTERACTIVE, AssignmentRow.connector.not_in(room.full_for_bulk))
            )
        if but is not None:
            statement = statement.where(~but)
        found = (await session.execute(statement)).all()
        progressed = False
        more = len(found) == wanted
        for candidate in found:
            is_bulk = candidate.priority >= Priority.BULK
            if candidate.assignment_id in chosen or (is_bulk and bulk >= slots.for_bulk):
                continue
            if candidate.uncounted and removals is not None and candidate.id not in removals.going:
                continue
            progressed = True
            if room.take(candidate.connector, bulk=is_bulk):
                chosen[candidate.assignment_id] = candidate
                bulk += is_bulk
        more = more and progressed
    return list(chosen.values())


_INTERACTIVE = RequestRow.priority < Priority.BULK

CANDIDATES = select(
    RequestRow.id,
    RequestRow.assignment_id,
    RequestRow.priority,
    AssignmentRow.connector,
    RequestRow.attempt,
    case((UNCOUNTED, 1), else_=0).label("uncounted"),
).join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
"""Requests as candidates; those of a service that runs already are left out by `IS_ALONE`."""
IS_ALONE = ~exists().where(
    Running.assignment_id == RequestRow.assignment_id, Running.state == RequestState.RUNNING
)


def _due(
    now: ColumnElement[float],
    limit: int,
    closed: Collection[str],
    chosen: Collection[str | None],
) -> Select[int, str | None, int, str, int, int]:
    """Return the statement for requests that are due, in order, at most `limit`."""
    statement = (
        CANDIDATES.where(RequestRow.state == RequestState.QUEUED, _is_due(now), IS_ALONE)
        .order_by(RequestRow.priority, RequestRow.id)
        .limit(limit)
    )
    if closed:
        statement = statement.where(AssignmentRow.connector.not_in(closed))
    if chosen:
        statement = statement.where(RequestRow.assignment_id.not_in(chosen))
    return statement


async def take(
    tx: Transaction, worker_id: str, chosen: Collection[Candidate]
) -> tuple[ClaimedRequest, ...]:
    """Begin the next attempt of these: state running, in the worker's name where there is one."""
    if not chosen:
        return ()
    by_id = {candidate.id: candidate for candidate in chosen}
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id.in_([candidate.assignment_id for candidate in chosen]))
        .values(light=Light.ORANGE, word=Word.PROVISIONING, step=FIRST_STEP.shown)
        .execution_options(synchronize_session=False)
    )
    rows = await tx.session.execute(
        update(RequestRow)
        .where(RequestRow.id.in_(by_id), RequestRow.state == RequestState.QUEUED)
        .values(
            state=RequestState.RUNNING,
            attempt=RequestRow.attempt + 1,
            worker_id=worker_id,
            started_at=func.coalesce(RequestRow.started_at, literal(tx.now, UtcDateTime)),
            waiting_for="",
        )
        .returning(RequestRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    taken = sorted(rows.scalars().all(), key=lambda request: (request.priority, request.id))
    if taken:
        await tx.session.execute(
            insert(RequestStepRow),
            [
                {
                    "request_id": request.id,
                    "attempt": request.attempt,
                    "number": FIRST_STEP.number,
                    "name": FIRST_STEP.name,
                    "state": StepState.RUNNING,
                    "started_at": tx.now,
                }
                for request in taken
            ],
        )
    return tuple(
        ClaimedRequest(
            Run(request.id, request.attempt, worker_id),
            request.priority,
            by_id[request.id].connector,
        )
        for request in taken
    )
