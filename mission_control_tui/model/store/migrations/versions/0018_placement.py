"""How many of a service are at each connector; whose mark what was left at a connector carries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column(
        "assignments", sa.Column("marked", sa.String(32), nullable=False, server_default="")
    )
    left = sa.text("marked <> ''")
    op.create_index(
        "ix_assignments_left",
        "assignments",
        ["marked"],
        sqlite_where=left,
        postgresql_where=left,
    )
    wished = sa.text("wish <> 'absent'")
    op.create_index(
        "ix_assignments_placed",
        "assignments",
        ["service_id", "connector", "account_id"],
        sqlite_where=wished,
        postgresql_where=wished,
    )
