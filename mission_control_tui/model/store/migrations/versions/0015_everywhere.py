"""Who is looked for in all accounts is found by one range of an index, not by one for each account."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("ix_search_terms_everywhere", "search_terms", ["in_bin", "term", "user_id"])
    op.create_index("ix_users_everywhere", "users", ["sort_key", "in_bin", "account_id", "id"])
    op.create_index("ix_users_username", "users", ["username_key"])
