"""What a look asks back ends about: services as a change that is only tried would wish them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.requests.drift import GreenAssignment, told_assignments
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow
from mission_control_tui.model.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class LookTarget:
    """One service instance to look at. `secret_id` is that of a password which would be sent, "" without one."""

    told: GreenAssignment
    adopt: bool = False
    secret_id: str = ""


@dataclass
class LookTargets:
    """Gathers what changes that are only tried would wish: `scope` is what to try them with."""

    found: dict[str, LookTarget] = field(default_factory=dict)

    def scope(self, scope: AccountScope) -> AccountScope:
        """Return the scope whose dry runs are read before they are rolled back; what they wish later counts."""
        return replace(scope, tried=self._read)

    async def _read(self, tx: Transaction) -> None:
        for some in batches(tx.requests):
            of_parents = select(RequestRow.assignment_id).where(
                RequestRow.id.in_(some) | RequestRow.parent_id.in_(some),
                RequestRow.assignment_id.is_not(None),
            )
            ids = {str(found) for found in await tx.session.scalars(of_parents)}
            await self._add(tx.session, ids)

    async def add_present(self, scope: AccountScope, assignments: Collection[str]) -> None:
        """Add services as they are wished already, where the tried change leaves them as they are."""
        async with scope.read() as (session, _):
            for some in batches(sorted({*assignments} - self.found.keys() - {""})):
                await self._add(session, some)

    async def _add(self, session: AsyncSession, ids: Collection[str]) -> None:
        services = {service.id: service for service in (await in_force(session)).catalogue.services}
        newest = (
            select(func.max(RequestRow.id))
            .where(RequestRow.assignment_id.in_(ids))
            .group_by(RequestRow.assignment_id)
        )
        rows = (
            await session.execute(
                select(AssignmentRow, UserRow, SUBJECT, SecretRow.mark, RequestRow.previous)
                .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
                .outerjoin(SecretRow, SecretRow.id == AssignmentRow.secret_id)
                .outerjoin(
                    RequestRow,
                    (RequestRow.assignment_id == AssignmentRow.id) & RequestRow.id.in_(newest),
                )
                .where(AssignmentRow.id.in_(ids))
                .execution_options(populate_existing=True)
            )
        ).all()
        more = {row.id: (mark, previous or {}) for row, _, _, mark, previous in rows}
        told = await told_assignments(
            session, services, [(row, user, name) for row, user, name, _, _ in rows]
        )
        for one in told:
            mark, previous = more[one.assignment_id]
            self.found[one.assignment_id] = LookTarget(one, bool(previous.get("adopt")), mark or "")
