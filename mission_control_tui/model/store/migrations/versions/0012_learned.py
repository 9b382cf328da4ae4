"""What back ends told of a service: the token of a job that runs on there, and how much of it is used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("assignments", sa.Column("token", sa.Text, nullable=False, server_default=""))
    op.add_column("assignments", sa.Column("usage", DOCUMENT, nullable=False, server_default="{}"))
