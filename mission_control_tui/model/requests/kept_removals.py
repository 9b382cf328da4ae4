"""The end of retention: what was taken away, and was kept suspended until now, is removed at its back end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.leftovers import awaited
from mission_control_tui.model.services.retention import kept_date
from mission_control_tui.model.services.wishes import enqueue
from mission_control_tui.model.states import Light, Priority, RequestKind, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.services import KEPT, AssignmentRow
from mission_control_tui.model.text.instances import with_instance


@dataclass(frozen=True, slots=True)
class OverdueService:
    """A service whose time of being kept is over."""

    assignment_id: str
    account_id: int


async def overdue_services(store: Store, limit: int) -> tuple[OverdueService, ...]:
    """Return the services that are to be removed by now, by the database's clock, the longest overdue first."""
    async with store.read() as session:
        rows = await session.execute(
            select(AssignmentRow.id, AssignmentRow.account_id)
            .where(_over(await clock(session)))
            .order_by(AssignmentRow.kept_until, AssignmentRow.id)
            .limit(limit)
        )
        return tuple(OverdueService(*row) for row in rows)


def _over(now: float) -> ColumnElement[bool]:
    return and_(
        KEPT,
        AssignmentRow.kept_until <= now,
        AssignmentRow.wish == Wish.ABSENT,
        AssignmentRow.light == Light.GREY,
    )


async def remove_overdue(store: Store, overdue: OverdueService) -> bool:
    """Ask for the removal of one; False where it came back, or was asked for, meanwhile.

    It is a removal like any other: more of them than the limit allows wait until somebody lets them go.
    """
    scope = AccountScope(store, WORKER, overdue.account_id)
    async with scope.change() as (tx, account_id):
        tx.priority = Priority.BULK
        found = (
            await tx.session.execute(
                select(AssignmentRow, SUBJECT)
                .where(
                    AssignmentRow.id == overdue.assignment_id,
                    AssignmentRow.account_id == account_id,
                    _over(await clock(tx.session)),
                )
                .with_for_update(of=AssignmentRow)
            )
        ).one_or_none()
        if found is None:
            return False
        row, subject = found
        until = kept_date(row.kept_until)
        waits = await awaited(tx, row)
        request = await enqueue(
            tx, row, RequestKind.DEPROVISION, wish=Wish.ABSENT, depends_on=waits, at_once=True
        )
        tx.record(
            PlanVerb.REMOVED,
            "service",
            f"{subject} {with_instance(row.service_id, row.instance)}",
            before={"wish": str(Wish.ABSENT), "kept_until": until},
            after={"wish": str(Wish.ABSENT)},
            action=AuditAction.DEPROVISION,
            of=row.service_id,
            user_id=row.user_id,
            request_id=request.id,
            assignment_id=row.id,
        )
    return True
