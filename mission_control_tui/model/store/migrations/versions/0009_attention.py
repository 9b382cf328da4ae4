"""What is red or waits is found by its light and age in all accounts at once."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index(
        "ix_assignments_attention",
        "assignments",
        ["light", "since", "id", "account_id", "connector"],
    )
