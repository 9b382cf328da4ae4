"""What a service instance is of, where it is of no user: its domain's name, or the object's."""

from __future__ import annotations

from sqlalchemy import func, select

from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow

_OBJECT = (
    select(ObjectRow.name)
    .where(ObjectRow.id == AssignmentRow.object_id)
    .correlate(AssignmentRow)
    .scalar_subquery()
)

OTHER_SUBJECT = func.coalesce(DomainRow.name, _OBJECT)
"""A column for statements over AssignmentRow with DomainRow joined from outside; NULL where it is a user's."""
