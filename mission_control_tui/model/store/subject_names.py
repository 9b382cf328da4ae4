"""What a service instance is of: the user's UPN, the domain's name, the object's, or the account's code."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, func, select

from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow


def _named(name: Select[str], of: ColumnElement[bool]) -> ColumnElement[str]:
    return name.where(of).correlate(AssignmentRow).scalar_subquery()


SUBJECT = func.coalesce(
    _named(select(UserRow.upn), UserRow.id == AssignmentRow.user_id),
    _named(select(DomainRow.name), DomainRow.id == AssignmentRow.domain_id),
    _named(select(ObjectRow.name), ObjectRow.id == AssignmentRow.object_id),
    _named(select(AccountRow.code), AccountRow.id == AssignmentRow.account_id),
    "",
)
"""A column for statements over AssignmentRow."""
