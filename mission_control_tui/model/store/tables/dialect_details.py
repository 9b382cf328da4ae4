"""What tables have by a dialect: indexes of some of their rows, and the options of SQLite.

Only who makes tables imports it: SQLAlchemy loads the dialects to declare these, and no worker or console speaks two.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Index, Table, text

from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.requests import REMOVALS, RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import (
    KEPT,
    LEFT,
    NEAR_FULL,
    WISHED,
    AssignmentRow,
)
from mission_control_tui.model.store.tables.users import SearchTermRow

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

for _row in (RequestRow, RequestEventRow):
    cast("Table", _row.__table__).dialect_options["sqlite"]["autoincrement"] = True
cast("Table", SearchTermRow.__table__).dialect_options["sqlite"]["with_rowid"] = False
