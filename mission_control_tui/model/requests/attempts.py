"""One attempt of one request, as the worker goes through it: what it shall do, and its fence.

Every write of a run is conditional: the request must still be running, in this attempt, by this worker. Reset status,
takeover and a new attempt change one of these, and whatever an old run still wants to write is refused (RunLost).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.states import RequestState, StepState, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

NAME_LIMIT = 200


class RunLost(Exception):
    """This attempt is no longer the one that counts: stop, and write nothing."""


class StopReason(StrEnum):
    """Why a run must not take its next step."""

    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """The fence of one attempt."""

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
class Job:
    """All that a run needs to know. `sealed` is the password that is to be delivered, still sealed.

    `stop_reason` is why the run must not even begin.
    """

    request_id: int
    account_id: int
    assignment_id: str
    kind: str
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
    sealed: bytes | None = field(default=None, repr=False)


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


@dataclass(frozen=True, slots=True)
class StepStart:
    """The step that is to begin. `shown` is what stands beside the light meanwhile."""

    number: int
    name: str
    shown: str


FIRST_STEP = StepStart(1, "observe", "Looking at the back end")
"""The claim itself notes this step as begun."""


async def lock_attempt(tx: Transaction, run: Run) -> tuple[RequestRow, AssignmentRow]:
    """Return the run's request and assignment, locked. Raises RunLost."""
    found = (
        await tx.session.execute(
            select(AssignmentRow, RequestRow)
            .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
            .where(*_fence(run))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise RunLost(f"request {run.request_id}, attempt {run.attempt}")
    row, request = found
    return request, row


async def load(store: Store, run: Run) -> Job:
    """Return what the run shall do. Raises RunLost, and NotFound when the catalogue lacks service or level."""
    async with store.read() as session:
        found = (
            await session.execute(
                select(RequestRow, AssignmentRow)
                .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
                .where(*_fence(run))
            )
        ).one_or_none()
        if found is None:
            raise RunLost(f"request {run.request_id}, attempt {run.attempt}")
        request, row = found
        service = (await in_force(session)).catalogue.service(row.service_id)
        user = await session.get(UserRow, row.user_id) if row.user_id else None
        sealed = (
            await session.scalar(select(SecretRow.sealed).where(SecretRow.id == row.secret_id))
            if row.secret_id is not None
            else None
        )
        return Job(
            request_id=request.id,
            account_id=row.account_id,
            assignment_id=row.id,
            kind=request.kind,
            generation=request.generation,
            failures=request.failures,
            created_at=request.created_at,
            connector=row.connector,
            backend_name=row.backend_name,
            service_id=row.service_id,
            wished=wished_of(service, row.wish, row.level_id, row.settings),
            previous=wished_of(
                service,
                request.previous.get("wish", Wish.ABSENT),
                request.previous.get("level_id", ""),
                request.previous.get("settings", {}),
            ),
            attributes=await attributes_of(session, row, user),
            disabled=user is not None and user.disabled,
            adopt=bool(request.previous.get("adopt")),
            stop_reason=_stop_reason(
                row.generation, request.generation, cancelled=request.cancel_requested
            ),
            sealed=sealed,
        )


def wished_of(
    service: Service, wish: str, level_id: str, settings: Mapping[str, Any]
) -> ServiceWish:
    """Return a wish as it is stored, in the catalogue's terms. Raises NotFound when the service lacks the level."""
    limits = service.level(level_id).limits if level_id and wish != Wish.ABSENT else {}
    return ServiceWish(Wish(wish), level_id, limits, dict(settings))


async def progress(
    store: Store,
    run: Run,
    account_id: int,
    result: StepResult | None,
    start: StepStart,
) -> StopReason | None:
    """Record the step that ended, and the next one unless the run must stop. Raises RunLost."""

    async def work(tx: Transaction) -> StopReason | None:
        held = (
            await tx.session.execute(
                select(
                    AssignmentRow.id,
                    AssignmentRow.generation,
                    RequestRow.account_id,
                    RequestRow.generation.label("wanted"),
                    RequestRow.cancel_requested,
                )
                .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
                .where(*_fence(run))
                .with_for_update()
            )
        ).one_or_none()
        if held is None:
            raise RunLost(f"request {run.request_id}, attempt {run.attempt}")
        if result is not None:
            await record_step(tx, run, held.account_id, result)
        reason = _stop_reason(held.generation, held.wanted, cancelled=held.cancel_requested)
        if reason is None:
            await _begin_step(tx, run, held.id, start)
        return reason

    return await worker_transaction(store, account_id, work)


def _stop_reason(generation: int, wanted: int, *, cancelled: bool) -> StopReason | None:
    if generation > wanted:
        return StopReason.SUPERSEDED
    return StopReason.CANCELLED if cancelled else None


def _fence(run: Run) -> tuple[ColumnElement[bool], ...]:
    return (
        RequestRow.id == run.request_id,
        RequestRow.attempt == run.attempt,
        RequestRow.worker_id == run.worker_id,
        RequestRow.state == RequestState.RUNNING,
    )


async def _begin_step(tx: Transaction, run: Run, assignment_id: str, start: StepStart) -> None:
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id == assignment_id)
        .values(word=Word.PROVISIONING, step=start.shown[:NAME_LIMIT])
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        insert(RequestStepRow).values(
            request_id=run.request_id,
            attempt=run.attempt,
            number=start.number,
            name=start.name[:NAME_LIMIT],
            state=StepState.RUNNING,
            started_at=tx.now,
        )
    )


async def record_step(tx: Transaction, run: Run, account_id: int, result: StepResult) -> None:
    """Close the step's row and add its event."""
    await tx.session.execute(
        update(RequestStepRow)
        .where(
            RequestStepRow.request_id == run.request_id,
            RequestStepRow.attempt == run.attempt,
            RequestStepRow.number == result.number,
        )
        .values(state=result.state, ended_at=tx.now)
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        insert(RequestEventRow).values(
            account_id=account_id,
            request_id=run.request_id,
            at=tx.now,
            attempt=run.attempt,
            kind="step" if result.state is StepState.DONE else "step failed",
            step=result.name[:NAME_LIMIT],
            said=result.said,
            remedy=result.remedy,
            duration_ms=result.duration_ms,
            detail=dict(result.detail),
        )
    )
