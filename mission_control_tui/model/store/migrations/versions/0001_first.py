"""Where the schema's history begins. What it made is in `tests/model/store/first_schema.py`.

A new database is made of the tables as they are now (`upgrade`), so nobody comes to this revision by an upgrade; a
database of the first release is at it already.
"""

from __future__ import annotations

from mission_control_tui.model.errors import StoreError

revision = "0001"
down_revision = None


def upgrade() -> None:
    raise StoreError(
        "A new database is made of the tables as they are now, not by going through the schema's history.",
        hint="Run `mission-control upgrade`.",
    )
