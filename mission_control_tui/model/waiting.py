"""Requests that may not start yet: those that depend on another service, and those whose connector is paused.

They are looked at again when what they wait for changes, and now and then altogether, for what was missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import aliased

from mission_control_tui.model.catalogue import Catalogue
from mission_control_tui.model.catalogue_store import in_force
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import Hold, Light, RequestKind, RequestState, Word
from mission_control_tui.model.tables import (
    AssignmentRow,
    ConnectorStateRow,
    RequestDependencyRow,
    RequestRow,
)
from mission_control_tui.model.transaction import Transaction

T = TypeVar("T")

CHUNK = 500
_REASON_LIMIT = 320
_STEP_LIMIT = 200

Needed = aliased(RequestRow, name="needed")
NeededAssignment = aliased(AssignmentRow, name="needed_assignment")


@dataclass(frozen=True, slots=True)
class _Waiting:
    request_id: int
    assignment_id: str | None
    reason: str


async def settle_waiting(
    tx: Transaction, *, needed: str | None = None, connector: str | None = None
) -> int:
    """Queue the waiting requests that may start, and say of the others what they wait for.

    Only those that depend on the assignment `needed`, or belong to `connector`, where one is given. Returns how many
    were queued. A dependency is satisfied when its service is green, or grey where it was to be taken away.
    """
    rows = await _waiting(tx, needed, connector)
    if not rows:
        return 0
    blockers = await _blockers(tx, [row.id for row in rows])
    ready: list[_Waiting] = []
    changed: list[_Waiting] = []
    for row in rows:
        reason = blockers.get(row.id) or _paused(row)
        if not reason:
            ready.append(_Waiting(row.id, row.assignment_id, ""))
        elif reason[:_REASON_LIMIT] != row.waiting_for:
            changed.append(_Waiting(row.id, row.assignment_id, reason))
    for chunk in _chunks(ready):
        await _release(tx, chunk)
    for one in changed:
        await _explain(tx, one)
    return len(ready)


async def hold_back(tx: Transaction, connector: str) -> None:
    """Let the queued requests of a paused connector wait, saying why."""
    of_connector = select(AssignmentRow.id).where(AssignmentRow.connector == connector)
    held = await tx.session.execute(
        update(RequestRow)
        .where(RequestRow.state == RequestState.QUEUED, RequestRow.assignment_id.in_(of_connector))
        .values(state=RequestState.WAITING, waiting_for="")
        .returning(RequestRow.id)
        .execution_options(synchronize_session=False)
    )
    if held.first() is not None:
        await settle_waiting(tx, connector=connector)


async def _waiting(
    tx: Transaction, needed: str | None, connector: str | None
) -> Sequence[Row[int, str | None, str, str, str]]:
    statement: Select[int, str | None, str, str, str] = (
        select(
            RequestRow.id,
            RequestRow.assignment_id,
            RequestRow.waiting_for,
            AssignmentRow.connector,
            ConnectorStateRow.said,
        )
        .join(AssignmentRow, AssignmentRow.id == RequestRow.assignment_id)
        .outerjoin(
            ConnectorStateRow,
            (ConnectorStateRow.name == AssignmentRow.connector) & ConnectorStateRow.paused,
        )
        .where(RequestRow.state == RequestState.WAITING, RequestRow.hold != Hold.HELD)
    )
    if needed is not None:
        statement = statement.where(
            RequestRow.id.in_(
                select(RequestDependencyRow.request_id)
                .join(Needed, Needed.id == RequestDependencyRow.depends_on_id)
                .where(Needed.assignment_id == needed)
            )
        )
    if connector is not None:
        statement = statement.where(AssignmentRow.connector == connector)
    return (await tx.session.execute(statement)).all()


async def _blockers(tx: Transaction, request_ids: Sequence[int]) -> dict[int, str]:
    """Request -> what it waits for, of the requests with a dependency that is not satisfied."""
    found: dict[int, str] = {}
    catalogue = await _catalogue(tx)
    for chunk in _chunks(request_ids):
        rows = await tx.session.execute(
            select(
                RequestDependencyRow.request_id,
                Needed.kind,
                NeededAssignment.service_id,
                NeededAssignment.light,
                NeededAssignment.word,
                NeededAssignment.error_said,
            )
            .join(Needed, Needed.id == RequestDependencyRow.depends_on_id)
            .join(NeededAssignment, NeededAssignment.id == Needed.assignment_id)
            .where(RequestDependencyRow.request_id.in_(chunk))
            .order_by(RequestDependencyRow.request_id, RequestDependencyRow.depends_on_id)
        )
        for request_id, kind, service_id, light, word, said in rows:
            wanted = Light.GREY if kind == RequestKind.DEPROVISION else Light.GREEN
            if light != wanted:
                state = f"it failed: {said}" if light == Light.RED else str(word)
                name = _service_name(catalogue, service_id)
                found.setdefault(request_id, f"{name} ({state})")
    return found


async def _catalogue(tx: Transaction) -> Catalogue | None:
    try:
        return (await in_force(tx.session)).catalogue
    except NotFound:
        return None


def _service_name(catalogue: Catalogue | None, service_id: str) -> str:
    services = catalogue.services if catalogue is not None else ()
    return next((one.name for one in services if one.id == service_id), service_id)


def _paused(row: Row[int, str | None, str, str, str]) -> str:
    return "" if row.said is None else f"connector {row.connector}: {row.said}"


async def _release(tx: Transaction, ready: Sequence[_Waiting]) -> None:
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id.in_([one.assignment_id for one in ready]))
        .values(word=Word.QUEUED, step="")
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(RequestRow)
        .where(
            RequestRow.id.in_([one.request_id for one in ready]),
            RequestRow.state == RequestState.WAITING,
        )
        .values(state=RequestState.QUEUED, waiting_for="")
        .execution_options(synchronize_session=False)
    )


async def _explain(tx: Transaction, one: _Waiting) -> None:
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id == one.assignment_id)
        .values(word=Word.WAITING, step=f"Waits for {one.reason}"[:_STEP_LIMIT])
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(RequestRow)
        .where(RequestRow.id == one.request_id, RequestRow.state == RequestState.WAITING)
        .values(waiting_for=one.reason[:_REASON_LIMIT])
        .execution_options(synchronize_session=False)
    )


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
