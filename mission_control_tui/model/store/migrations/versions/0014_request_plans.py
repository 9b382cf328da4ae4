"""What connectors that only observe would change, kept with each request; what connectors said of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "request_plans",
        sa.Column("request_id", sa.Integer, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("changes", DOCUMENT, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_request_plans"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name="fk_request_plans_request_id"
        ),
    )
    op.create_table(
        "connector_declarations",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("declared", DOCUMENT, nullable=False),
        sa.Column("declared_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_connector_declarations"),
    )
