"""A new database of either kind for a benchmark, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from tests.postgres import PostgresServer

_AS_INSTALLED = {"shared_buffers": "128MB", "synchronous_commit": "on"}
"""What PostgreSQL has unless it is told otherwise. The tests' servers have less; and what they commit without waiting
for the disk is not known to be visible to all for a while, so that an index alone does not answer."""


@asynccontextmanager
async def new_database(*, postgresql: bool) -> AsyncIterator[str]:
    """Where an empty database with its tables is: a SQLite file, or one of a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory(prefix="mc-benchmark-") as name:
        directory = Path(name)
        if not postgresql:
            where = str(directory / "users.db")
            await upgrade.upgrade(database_url(where))
            yield where
            return
        with PostgresServer.start(settings=_AS_INSTALLED) as server:
            where = server.url(server.create_database())
            await upgrade.upgrade(database_url(where), directory / "worker.key")
            yield where


async def analysed(store: Store) -> None:
    """Do what PostgreSQL does by itself within a minute of many rows having come; nothing on SQLite."""
    if store.is_sqlite:
        return
    async with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
