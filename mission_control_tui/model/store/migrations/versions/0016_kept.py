"""How full a service is, until when one that was taken away is kept; checks of connectors that were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for name in ("fullness", "kept_until"):
        op.add_column("assignments", sa.Column(name, sa.Float, nullable=False, server_default="0"))
    near_full, kept = sa.text("fullness >= 0.9"), sa.text("kept_until > 0")
    op.create_index(
        "ix_assignments_near_full",
        "assignments",
        ["account_id", "connector"],
        sqlite_where=near_full,
        postgresql_where=near_full,
    )
    op.create_index(
        "ix_assignments_kept",
        "assignments",
        ["kept_until"],
        sqlite_where=kept,
        postgresql_where=kept,
    )
    op.add_column(
        "connector_states",
        sa.Column("asked", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "connector_states", sa.Column("version", sa.Text, nullable=False, server_default="")
    )
