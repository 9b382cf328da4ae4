"""Which settings were asked for, how long domains are renewed for, which order a removal takes back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("assignments", sa.Column("stated", DOCUMENT))
    op.add_column(
        "domains",
        sa.Column("renewed_months", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.execute(
        "ALTER TABLE orders ADD COLUMN returns_id INTEGER"
        " CONSTRAINT fk_orders_returns_id REFERENCES orders (id)"
    )
