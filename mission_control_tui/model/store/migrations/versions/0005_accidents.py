"""What accidents leave behind: restored backups, clocks that leap, orders whose answer was lost."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

RANDOM = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "replace(gen_random_uuid()::text, '-', '')",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, added in (
        ("installation", sa.Column("epoch", sa.Integer, nullable=False, server_default="1")),
        ("installation", sa.Column("epoch_met", sa.Integer, nullable=False, server_default="0")),
        ("installation", sa.Column("clock_trusted", sa.Float, nullable=False, server_default="0")),
        ("installation", sa.Column("clock_doubt", sa.Text, nullable=False, server_default="")),
        ("installation", sa.Column("clock_doubted_at", sa.DateTime(timezone=True))),
        ("requests", sa.Column("waits_since", sa.Float, nullable=False, server_default="0")),
        ("secrets", sa.Column("mark", sa.String(32))),
    ):
        op.add_column(table, added)
    # Whoever upgrades is there, and takes the clock for right.
    op.execute(sa.text("UPDATE installation SET clock_trusted = :now").bindparams(now=time.time()))
    op.execute(f"UPDATE secrets SET mark = {RANDOM[dialect]}")  # noqa: S608 - ours
    with op.batch_alter_table("secrets") as batch:
        batch.alter_column("mark", existing_type=sa.String(32), nullable=False)
    with op.batch_alter_table("orders") as batch:
        batch.add_column(sa.Column("idempotency_key", sa.String(64)))
        batch.create_unique_constraint(
            op.f("uq_orders_account_id_idempotency_key"), ["account_id", "idempotency_key"]
        )
