"""When what ended long ago was last looked through, and which schedule names a request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "installation", sa.Column("pruned_at", sa.Float, nullable=False, server_default="0")
    )
    op.create_index("ix_schedules_request_id", "schedules", ["request_id"])
