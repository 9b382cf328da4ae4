"""Requests that may not start yet: those that depend on another service, and those whose connector is paused.

They are looked at again when what they wait for changes, and now and then altogether, for what was missed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, case, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import Hold, Light, RequestKind, RequestState, Word
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.requests import RequestDependencyRow, RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction
from mission_control_tui.model.text.clean import harmless

_REASON_LIMIT = 320
_STEP_LIMIT = 200

Needed = aliased(RequestRow, name="needed")
NeededAssignment = aliased(AssignmentRow, name="needed_assignment")
Waits = aliased(RequestRow, name="waits")
WaitingAssignment = aliased(AssignmentRow, name="waiting_assignment")
_WHOSE = case(
    (
        NeededAssignment.subject_id != WaitingAssignment.subject_id,
        func.coalesce(UserRow.upn, ObjectRow.name, ""),
    ),
    else_="",
)
"""Whose service it is, where it is not the same subject's."""


_DEPENDENTS = (
    select(RequestDependencyRow.request_id)
    .join(Needed, Needed.id == RequestDependencyRow.depends_on_id)
    .where(Needed.assignment_id.in_(bindparam("assignments", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A waiting request and what it waits for: nothing, when it may be queued."""

    request_id: int
    assignment_id: str | None
    reason: str


async def settle_dependents(tx: Transaction, assignment_ids: Collection[str]) -> int:
    """Look again at the requests that wait for these services; returns how many were queued."""
    dependents = (
        await tx.session.scalars(_DEPENDENTS, {"assignments": list(assignment_ids)})
    ).all()
    return await settle_these(tx, dependents)


async def settle_these(tx: Transaction, requests: Collection[int]) -> int:
    """Look again at these of the waiting requests; returns how many were queued."""
    return await _settle(tx, RequestRow.id.in_(requests)) if requests else 0


async def settle_connector(tx: Transaction, connector: str) -> int:
    """Look again at the requests of a connector that was paused or goes on; returns how many were queued."""
    return await _settle(tx, AssignmentRow.connector == connector)


async def settle_waiting(tx: Transaction) -> int:
    """Look again at all waiting requests within the caller's transaction; returns how many were queued."""
    return await _settle(tx, true())


async def settle_all(store: Store) -> int:
    """Look again at all waiting requests; it first looks, then writes only what differs, in small transactions."""
    async with store.read() as session:
        stale = [request.request_id for request in await _judge(session, true())]
    settle = worker_transaction(_settle)
    return sum([await settle(store, RequestRow.id.in_(chunk)) for chunk in batches(stale)])


async def hold_back(tx: Transaction, connector: str) -> bool:
    """Let the queued requests of a paused connector wait, saying why; return whether there were any."""
    of_connector = select(AssignmentRow.id).where(AssignmentRow.connector == connector)
    held = await tx.session.execute(
        update(RequestRow)
        .where(RequestRow.state == RequestState.QUEUED, RequestRow.assignment_id.in_(of_connector))
        .values(state=RequestState.WAITING, waiting_for="")
        .returning(RequestRow.id)
        .execution_options(synchronize_session=False)
    )
    if held.first() is None:
        return False
    await settle_connector(tx, connector)
    return True


async def _settle(tx: Transaction, which: ColumnElement[bool]) -> int:
    """Queue what may start, and say of the rest what it waits for; returns how many were queued."""
    by_reason: dict[str, list[_Waiting]] = {}
    for request in await _judge(tx.session, which):
        by_reason.setdefault(request.reason, []).append(request)
    for reason, found in by_reason.items():
        for chunk in batches(found):
            await _write(tx, chunk, reason)
    return len(by_reason.get("", ()))


async def _judge(session: AsyncSession, which: ColumnElement[bool]) -> list[_Waiting]:
    """Return the waiting requests that may start, or wait for something else than they say.

    A dependency is satisfied when its service is green, or grey where it was to be taken away.
    """
    rows = (
        await session.execute(
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
            .where(RequestRow.state == RequestState.WAITING, RequestRow.hold != Hold.HELD, which)
        )
    ).all()
    blockers = await _blockers(session, [row.id for row in rows])
    found: list[_Waiting] = []
    for row in rows:
        paused = "" if row.said is None else f"connector {row.connector}: {row.said}"
        reason = (blockers.get(row.id) or paused)[:_REASON_LIMIT]
        if not reason or reason != row.waiting_for:
            found.append(_Waiting(row.id, row.assignment_id, reason))
    return found


async def _blockers(session: AsyncSession, request_ids: Sequence[int]) -> dict[int, str]:
    """Request -> what it waits for, of the requests with a dependency that is not satisfied."""
    found: dict[int, str] = {}
    names = await _service_names(session) if request_ids else {}
    for chunk in batches(request_ids):
        rows = await session.execute(
            select(
                RequestDependencyRow.request_id,
                Needed.kind,
                NeededAssignment.service_id,
                NeededAssignment.light,
                NeededAssignment.error_said,
                _WHOSE,
                WaitingAssignment.marked == NeededAssignment.id,
            )
            .join(Needed, Needed.id == RequestDependencyRow.depends_on_id)
            .join(NeededAssignment, NeededAssignment.id == Needed.assignment_id)
            .join(Waits, Waits.id == RequestDependencyRow.request_id)
            .join(WaitingAssignment, WaitingAssignment.id == Waits.assignment_id)
            .outerjoin(UserRow, UserRow.id == NeededAssignment.user_id)
            .outerjoin(ObjectRow, ObjectRow.id == NeededAssignment.object_id)
            .where(RequestDependencyRow.request_id.in_(chunk))
            .order_by(RequestDependencyRow.request_id, RequestDependencyRow.depends_on_id)
        )
        for request_id, kind, service_id, light, said, whose, is_left in rows:
            wanted = {Light.GREY if kind == RequestKind.DEPROVISION else Light.GREEN}
            if is_left:
                # Whatever was asked for: what moved is there, or was taken away since.
                wanted = {Light.GREEN, Light.GREY}
            if light not in wanted:
                failed = f", which failed: {said}" if light == Light.RED else ""
                of = f" of {harmless(whose)}" if whose else ""
                found.setdefault(request_id, f"{names.get(service_id, service_id)}{of}{failed}")
    return found


async def _service_names(session: AsyncSession) -> dict[str, str]:
    try:
        catalogue = (await in_force(session)).catalogue
    except NotFound:
        return {}
    return {service.id: service.name for service in catalogue.services}


async def _write(tx: Transaction, those: Sequence[_Waiting], reason: str) -> None:
    await tx.session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.id.in_([request.assignment_id for request in those]))
        .values(
            word=Word.WAITING if reason else Word.QUEUED,
            step=f"Waits for {reason}"[:_STEP_LIMIT] if reason else "",
        )
        .execution_options(synchronize_session=False)
    )
    await tx.session.execute(
        update(RequestRow)
        .where(
            RequestRow.id.in_([request.request_id for request in those]),
            RequestRow.state == RequestState.WAITING,
        )
        .values(state=RequestState.WAITING if reason else RequestState.QUEUED, waiting_for=reason)
        .execution_options(synchronize_session=False)
    )
