"""Indexes of some rows of a table. Whoever makes tables imports them: SQLAlchemy loads both dialects to declare one."""

from __future__ import annotations

from sqlalchemy import Index, text

from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.requests import REMOVALS, RequestRow
from mission_control_tui.model.store.tables.services import (
    KEPT,
    LEFT,
    NEAR_FULL,
    WISHED,
    AssignmentRow,
)

PARTIAL_INDEXES = (
    Index(
        "uq_domains_name",
        DomainRow.name,
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "ix_requests_removals",
        RequestRow.started_at,
        sqlite_where=REMOVALS,
        postgresql_where=REMOVALS,
    ),
    Index(
        "ix_assignments_drift",
        AssignmentRow.account_id,
        AssignmentRow.user_id,
        sqlite_where=text("drift IS 1"),
        postgresql_where=text("drift IS true"),
    ),
    Index(
        "ix_assignments_near_full",
        AssignmentRow.account_id,
        AssignmentRow.connector,
        sqlite_where=NEAR_FULL,
        postgresql_where=NEAR_FULL,
    ),
    Index(
        "ix_assignments_left",
        AssignmentRow.marked,
        sqlite_where=LEFT,
        postgresql_where=LEFT,
    ),
    Index(
        "ix_assignments_kept",
        AssignmentRow.kept_until,
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    ),
    Index(
        "ix_assignments_placed",
        AssignmentRow.service_id,
        AssignmentRow.connector,
        AssignmentRow.account_id,
        sqlite_where=WISHED,
        postgresql_where=WISHED,
    ),
)
