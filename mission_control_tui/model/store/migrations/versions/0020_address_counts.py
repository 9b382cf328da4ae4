"""How many users have addresses in each domain of some accounts is read from an index alone."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("ix_addresses_account", "addresses", ["account_id", "user_id", "key"])
