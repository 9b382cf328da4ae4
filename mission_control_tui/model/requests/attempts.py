"""An attempt of a request, as the worker goes through it: what it shall do, and its fence.

Every write of a run is conditional: the request must still be running, in this attempt, by this worker. Reset status,
takeover and a new attempt change one of these, and whatever an old run still wants to write is refused (RunLost).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.requests.planned_changes import PlannedChanges
from mission_control_tui.model.states import RequestState, StepState, Wish
from mission_control_tui.model.store.any_of import any_of
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow


class RunLost(Exception):
    """This attempt is no longer the one that counts: stop, and write nothing."""


class StopReason(StrEnum):
    """Why a run must not take its next step."""

    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """The fence of one attempt.

    `worker_id` is an embedded worker's; on PostgreSQL, where the engine knows that, it is the epoch of the beginning.
    """

    request_id: int
    attempt: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class ServiceWish:
    """A wish in the catalogue's terms. `limits` are what the level grants."""

    wish: Wish
    level_id: str
    limits: Mapping[str, object]
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OrphanMark:
    """The mark that an object had which no service knows any more when its removal was asked for."""

    key: str
    epoch: int = 1
    generation: int = 0
    attempt: int = 0

    @classmethod
    def of(cls, previous: Mapping[str, Any]) -> Self | None:
        """Return what `RequestRow.previous` says of it; None where it is about no orphan."""
        key = previous.get("orphan")
        return cls(key, *previous.get("orphan_fence", ())) if key else None


@dataclass(frozen=True, slots=True)
class Job:
    """All that a run needs to know. `sealed` is the password that is to be delivered, still sealed.

    `secret_id` tells it from every other password; `epoch` is that of the installation when the run began.
    `stop_reason` is why the run must not even begin.
    """

    assignment_id: str
    """What its object is marked with."""
    generation: int
    failures: int
    created_at: datetime
    connector: str
    backend_name: str
    service_id: str
    wished: ServiceWish
    previous: ServiceWish
    attributes: Mapping[str, object]
    disabled: bool
    adopt: bool
    stop_reason: StopReason | None
    epoch: int = 1
    sealed: bytes | None = field(default=None, repr=False)
    secret_id: str = ""
    external_id: str = ""
    token: str = ""
    """What the back end said last, for its next call."""
    agreed: PlannedChanges | None = None
    """What somebody allowed to be done although the connector only observes."""
    as_is: bool = False
    """Whether what is adopted must not be changed by it."""
    orphan: OrphanMark | None = None
    """The mark of the object that is to be removed, where no service knows it any more."""
    retained: bool = False
    """What is wished absent is kept suspended for now."""
    was_retained: bool = False
    """The same of the wish before."""
    acting_for: float = 0.0
    """Seconds for which an act of an earlier attempt may still be under way."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a step learned of the back end: its own id of the object, and the token of a job that runs on there."""

    external_id: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that is over, in the back end's own words."""

    number: int
    name: str
    state: StepState
    duration_ms: int
    said: str = ""
    remedy: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    learned: Learned | None = None


@dataclass(frozen=True, slots=True)
class StepStart:
    """The step that is to begin. `shown` is what stands beside the light meanwhile."""

    number: int
    name: str
    shown: str
    lease_seconds: float | None = None
    """How long nobody else may act on the object, where the back end cannot tell acts apart; 0 for no more."""


FIRST_STEP = StepStart(1, "observe", "Looking at the back end")
"""The claim itself notes this step as begun."""


def wished_of(
    service: Service, wish: str, level_id: str, settings: Mapping[str, Any]
) -> ServiceWish:
    """Return a wish as it is stored, in the catalogue's terms. Raises NotFound when the service lacks the level."""
    limits = service.level(level_id).limits if level_id and wish != Wish.ABSENT else {}
    return ServiceWish(Wish(wish), level_id, limits, dict(settings))


@dataclass(frozen=True, slots=True)
class Fenced:
    """A run that still counts, and why it must not take its next step."""

    request_id: int
    attempt: int
    account_id: int
    assignment_id: str
    stop_reason: StopReason | None

    @classmethod
    def of(cls, request: RequestRow, row: AssignmentRow) -> Self:
        """Return the same of rows that are locked."""
        reason = stop_reason(request, row)
        return cls(request.id, request.attempt, request.account_id, row.id, reason)


_RUNNING = (
    select(AssignmentRow, RequestRow)
    .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
    .where(any_of(RequestRow.id, "requests"))
    .order_by(AssignmentRow.id)
    .execution_options(populate_existing=True)
)
_LOCKED = _RUNNING.with_for_update()
_REQUESTS = cast("Table", RequestRow.__table__).c
_ASSIGNMENTS = cast("Table", AssignmentRow.__table__).c
_FENCED = (
    select(
        _REQUESTS.id,
        _REQUESTS.attempt,
        _REQUESTS.worker_id,
        _REQUESTS.account_id,
        _ASSIGNMENTS.id,
        (_ASSIGNMENTS.generation > _REQUESTS.generation),
        _REQUESTS.cancel_requested,
        _REQUESTS.state,
    )
    .join_from(_REQUESTS.id.table, _ASSIGNMENTS.id.table)
    .where(any_of(_REQUESTS.id, "requests"))
    .order_by(_ASSIGNMENTS.id)
    .with_for_update()
)


async def running(
    session: AsyncSession, runs: Collection[Run], *, lock: bool = False
) -> dict[Run, tuple[RequestRow, AssignmentRow]]:
    """Return the requests and assignments of those runs that still count; `lock` them in the order in which all do."""
    rows = (await session.execute(_LOCKED if lock else _RUNNING, _ids(runs))).all()
    found = {
        Run(request.id, request.attempt, request.worker_id): (request, row)
        for row, request in rows
        if request.state == RequestState.RUNNING
    }
    return {run: pair for run, pair in found.items() if run in runs}


async def fenced(session: AsyncSession, runs: Collection[Run]) -> dict[Run, Fenced]:
    """Lock the requests and assignments of those runs that still count, in the order in which all lock them."""
    found: dict[Run, Fenced] = {}
    for (
        request_id,
        attempt,
        worker_id,
        account_id,
        assignment_id,
        superseded,
        cancelled,
        state,
    ) in await session.execute(_FENCED, _ids(runs)):
        run = Run(request_id, attempt, worker_id)
        if run in runs and state == RequestState.RUNNING:
            reason = reason_to_stop(superseded=superseded, cancelled=cancelled)
            found[run] = Fenced(request_id, attempt, account_id, assignment_id, reason)
    return found


def _ids(runs: Collection[Run]) -> dict[str, list[int]]:
    return {"requests": sorted({run.request_id for run in runs})}


def stop_reason(request: RequestRow, row: AssignmentRow) -> StopReason | None:
    """Return why the run of this request must not take its next step; None where it may."""
    superseded = row.generation > request.generation
    return reason_to_stop(superseded=superseded, cancelled=request.cancel_requested)


def reason_to_stop(*, superseded: bool, cancelled: bool) -> StopReason | None:
    """Return why a run must not take its next step; None where it may."""
    if superseded:
        return StopReason.SUPERSEDED
    return StopReason.CANCELLED if cancelled else None
