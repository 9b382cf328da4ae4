"""Which folding the stored terms and places in lists have; those of an older database are made anew once it is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "installation", sa.Column("folding", sa.Integer, nullable=False, server_default="1")
    )
    op.add_column(
        "installation", sa.Column("folded_to", sa.String(32), nullable=False, server_default="")
    )
