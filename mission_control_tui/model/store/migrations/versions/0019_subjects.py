"""Schedules and items of bulks that are about a domain or the account itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    with op.batch_alter_table("schedules") as batch:
        batch.alter_column("user_id", existing_type=sa.String(32), nullable=True)
        batch.add_column(sa.Column("domain_id", sa.Integer))
        batch.create_foreign_key(op.f("fk_schedules_domain_id"), "domains", ["domain_id"], ["id"])
    op.execute(
        "ALTER TABLE bulk_items ADD COLUMN domain_id INTEGER"
        " CONSTRAINT fk_bulk_items_domain_id REFERENCES domains (id)"
    )
