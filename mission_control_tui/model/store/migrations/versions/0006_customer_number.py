"""An account's number with the provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column("customer_number", sa.String(64), nullable=False, server_default=""),
    )
