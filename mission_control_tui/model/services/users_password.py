"""The user's own password on its way to a service that is given."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction


class PasswordNotKept(Conflict):
    """A service needs the user's password, which is at the back ends and nowhere else."""

    def __init__(self, service: Service, subject: str, others: Sequence[str] = ()) -> None:
        """`others` are the services that have the password, and get a new one with it."""
        also = (
            f" A reset changes it for {', '.join(others)} as well: tell the user." if others else ""
        )
        super().__init__(
            f"{service.name} needs {subject}'s password, which is not kept once it is delivered.",
            hint=f"Reset the password, then provision again.{also}",
        )
        self.service = service
        self.others = tuple(others)

    def said_of(self, subject: str) -> PasswordNotKept:
        return PasswordNotKept(self.service, subject, self.others)


async def take_users_password(
    tx: Transaction, catalogue: Catalogue, user: UserRow, service: Service, row: AssignmentRow
) -> None:
    """See to it that a service which uses the user's password gets it. Raises PasswordNotKept where it is gone."""
    if row.password_delivered or row.secret_id is not None:
        return
    if user.secret_id is None:
        raise PasswordNotKept(service, user.upn, await _with_password(tx, catalogue, user))
    row.secret_id = user.secret_id


async def _with_password(tx: Transaction, catalogue: Catalogue, user: UserRow) -> list[str]:
    """Return the names of the user's services that have the user's password."""
    having = await tx.session.scalars(
        select(AssignmentRow.service_id).where(
            AssignmentRow.user_id == user.id,
            AssignmentRow.wish != Wish.ABSENT,
            AssignmentRow.password_delivered,
        )
    )
    held = set(having)
    return [
        service.name
        for service in catalogue.services
        if service.id in held and service.password is PasswordUse.USER
    ]
