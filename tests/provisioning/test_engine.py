"""What DBOS asks of SQLite, on versions of SQLite that do not know it yet."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import create_engine, text

from mission_control_tui.provisioning.engine import tell_time


def test_sqlite_answers_the_time_that_dbos_has_its_tables_filled_with(tmp_path: Path) -> None:
    tell_time()
    tell_time()
    engine = create_engine(f"sqlite:///{tmp_path / 'engine.db'}")
    begun = int(time.time()) * 1000
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE queues (at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000), n)"
            )
        )
        connection.execute(text("INSERT INTO queues (n) VALUES (1)"))
    with engine.begin() as connection:
        at = connection.execute(text("SELECT at FROM queues")).scalar_one()
        due = connection.execute(text("SELECT unixepoch('subsec') * 1000 >= at FROM queues"))
        assert due.scalar_one()
    engine.dispose()
    assert begun <= at <= time.time() * 1000
