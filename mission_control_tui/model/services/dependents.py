"""Who needs a service of a domain or of the account: it cannot be taken away before theirs."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.states import SubjectKind, Wish
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless

NAMED = 5
"""How many of those who need it are named."""


async def refuse_needed(tx: Transaction, subject: Subject, service: Service) -> None:
    """Raise Conflict where services that are wished for require this one of a domain or of the account."""
    if subject.kind not in (SubjectKind.DOMAIN, SubjectKind.ACCOUNT):
        return
    catalogue = (await in_force(tx.session)).catalogue
    needing = {other.id: other.name for other in catalogue.services if service.id in other.requires}
    if not needing:
        return
    statement = (
        select(SUBJECT, AssignmentRow.service_id)
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .where(
            AssignmentRow.account_id == tx.account_id,
            AssignmentRow.wish != Wish.ABSENT,
            AssignmentRow.service_id.in_(list(needing)),
        )
        .order_by(AssignmentRow.id)
        .limit(NAMED + 1)
    )
    if subject.domain is not None:
        ending = f"@{subject.domain.name}"
        statement = statement.where(
            or_(
                AssignmentRow.domain_id == subject.domain.id,
                func.lower(UserRow.upn).endswith(ending, autoescape=True),
                func.lower(ObjectRow.address).endswith(ending, autoescape=True),
            )
        )
    rows = (await tx.session.execute(statement)).all()
    if rows:
        names = [f"{harmless(name)} ({needing[service_id]})" for name, service_id in rows[:NAMED]]
        more = " and others" if len(rows) > NAMED else ""
        raise Conflict(
            f"{service.name} of {subject.name} is needed by {', '.join(names)}{more}.",
            hint="Deprovision theirs before.",
        )
