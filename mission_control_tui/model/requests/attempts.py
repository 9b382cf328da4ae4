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

from sqlalchemy import Select, select, update

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.services.setting_references import sent_settings
from mission_control_tui.model.services.wishes import add_event
from mission_control_tui.model.states import RequestState, StepState, Wish, Word
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
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

    `secret_id` tells it from every other password; `epoch` is that of the installation when the run began.
    `stop_reason` is why the run must not even begin.
    """

    assignment_id: str
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
    """Return the run's request and assignment, locked; what is changed is the account's. Raises RunLost."""
    statement = _fenced(run).with_for_update().execution_options(populate_existing=True)
    found = (await tx.session.execute(statement)).one_or_none()
    if found is None:
        raise RunLost(f"request {run.request_id}, attempt {run.attempt}")
    row, request = found
    tx.account_id = request.account_id
    return request, row


async def load(store: Store, run: Run) -> Job:
    """Return what the run shall do. Raises RunLost, and NotFound when the catalogue lacks service or level."""
    async with store.read() as session:
        found = (await session.execute(_fenced(run))).one_or_none()
        if found is None:
            raise RunLost(f"request {run.request_id}, attempt {run.attempt}")
        row, request = found
        service = (await in_force(session)).catalogue.service(row.service_id)
        user = await session.get(UserRow, row.user_id) if row.user_id else None
        secret = await session.get(SecretRow, row.secret_id) if row.secret_id is not None else None
        return Job(
            assignment_id=row.id,
            generation=request.generation,
            failures=request.failures,
            created_at=request.created_at,
            connector=row.connector,
            backend_name=row.backend_name,
            service_id=row.service_id,
            wished=wished_of(
                service, row.wish, row.level_id, await sent_settings(session, service, row)
            ),
            previous=wished_of(
                service,
                request.previous.get("wish", Wish.ABSENT),
                request.previous.get("level_id", ""),
                request.previous.get("settings", {}),
            ),
            attributes=await attributes_of(session, row, user),
            disabled=user is not None and user.disabled,
            adopt=bool(request.previous.get("adopt")),
            stop_reason=_stop_reason(request, row),
            epoch=await epochs.present(session),
            sealed=secret.sealed if secret is not None else None,
            secret_id=secret.mark if secret is not None else "",
        )


def wished_of(
    service: Service, wish: str, level_id: str, settings: Mapping[str, Any]
) -> ServiceWish:
    """Return a wish as it is stored, in the catalogue's terms. Raises NotFound when the service lacks the level."""
    limits = service.level(level_id).limits if level_id and wish != Wish.ABSENT else {}
    return ServiceWish(Wish(wish), level_id, limits, dict(settings))


@worker_transaction
async def progress(
    tx: Transaction, run: Run, result: StepResult | None, start: StepStart
) -> StopReason | None:
    """Record the step that ended, and the next one unless the run must stop. Raises RunLost."""
    request, row = await lock_attempt(tx, run)
    if result is not None:
        await record_step(tx, request, result)
    reason = _stop_reason(request, row)
    if reason is None:
        row.word, row.step = Word.PROVISIONING, start.shown[:NAME_LIMIT]
        tx.session.add(
            RequestStepRow(
                request_id=run.request_id,
                attempt=run.attempt,
                number=start.number,
                name=start.name[:NAME_LIMIT],
                state=StepState.RUNNING,
                started_at=tx.now,
            )
        )
    return reason


def _stop_reason(request: RequestRow, row: AssignmentRow) -> StopReason | None:
    if row.generation > request.generation:
        return StopReason.SUPERSEDED
    return StopReason.CANCELLED if request.cancel_requested else None


def _fenced(run: Run) -> Select[AssignmentRow, RequestRow]:
    """Return the statement for the run's assignment and request, which finds nothing once it no longer counts."""
    return (
        select(AssignmentRow, RequestRow)
        .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
        .where(
            RequestRow.id == run.request_id,
            RequestRow.attempt == run.attempt,
            RequestRow.worker_id == run.worker_id,
            RequestRow.state == RequestState.RUNNING,
        )
    )


async def record_step(tx: Transaction, request: RequestRow, result: StepResult) -> None:
    """Close the step's row and add its event."""
    await tx.session.execute(
        update(RequestStepRow)
        .where(
            RequestStepRow.request_id == request.id,
            RequestStepRow.attempt == request.attempt,
            RequestStepRow.number == result.number,
        )
        .values(state=result.state, ended_at=tx.now)
        .execution_options(synchronize_session=False)
    )
    await add_event(
        tx,
        request,
        "step" if result.state is StepState.DONE else "step failed",
        step=result.name[:NAME_LIMIT],
        said=result.said,
        remedy=result.remedy,
        duration_ms=result.duration_ms,
        detail=result.detail,
    )
