"""How long a connector is paused, and until when an act at a back end that compares nothing may be under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for name, kind in (
        ("wait", sa.Float),
        ("failed_checks", sa.Integer),
        ("strikes", sa.Integer),
        ("resumed_at", sa.Float),
    ):
        op.add_column("connector_states", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("connector_states", sa.Column("request_id", sa.Integer))
    op.add_column(
        "assignments", sa.Column("acting_until", sa.Float, nullable=False, server_default="0")
    )
