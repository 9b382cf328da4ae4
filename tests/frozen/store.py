"""The frozen store, and how it is brought back to life on either database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, Table, create_engine, make_url, text
from sqlalchemy.pool import NullPool
from sqlalchemy.types import JSON, Boolean, DateTime, Integer

import tests
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.tables.base import Base
from tests.model.store import first_schema

FROZEN = "0002"
DATA = Path(tests.__file__).parent / "data"
DUMP = DATA / f"store-{FROZEN}.sql"
KEY = DATA / f"store-{FROZEN}.key"


def bring_back(path: Path) -> None:
    """The store in a new SQLite file, its key beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text("utf-8"))
    path.chmod(0o600)
    Path(f"{path}.key").write_bytes(KEY.read_bytes())


def bring_over(path: Path, where: str) -> None:
    """The rows of the SQLite file at `path` in the empty PostgreSQL database `where`, of the same revision."""
    with plain(where) as connection:
        migrate(connection, FROZEN)
        copy_rows(path, connection)


@contextmanager
def plain(where: str) -> Iterator[Connection]:
    """A transaction of a plain engine, as no part of the program uses; committed at the end."""
    url = make_url(where) if "://" in where else make_url(f"sqlite:///{where}")
    drivers = {"postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
    engine = create_engine(url.set(drivername=drivers[url.get_backend_name()]), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def migrate(connection: Connection, revision: str) -> None:
    """Make the tables of this revision in an empty database, as a program of that time made them."""
    context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
    with Operations.context(context):
        first_schema.upgrade()
    config = Config()
    config.set_main_option("script_location", str(upgrade.SCRIPTS))
    config.attributes["connection"] = connection
    command.stamp(config, first_schema.REVISION)
    command.upgrade(config, revision)


def copy_rows(path: Path, connection: Connection) -> None:
    """The rows of the SQLite file into the empty tables behind `connection`."""
    tables = MetaData()
    tables.reflect(connection)
    with closing(sqlite3.connect(path)) as source:
        source.row_factory = sqlite3.Row
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [
                {name: for_column(table.c[name].type, row[name]) for name in table.c.keys()}  # noqa: SIM118
                for row in source.execute(f'SELECT * FROM "{table.name}"')
            ]
            if rows:
                connection.execute(table.insert(), rows)
            move_sequence(connection, table)


def for_column(kind: object, value: Any) -> Any:
    """A value of SQLite as PostgreSQL's driver wants it."""
    if value is None:
        return None
    if isinstance(kind, Boolean):
        return bool(value)
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def move_sequence(connection: Connection, table: Table) -> None:
    if "id" not in table.c or not isinstance(table.c.id.type, Integer):
        return
    connection.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
            f" (SELECT coalesce(max(id), 1) FROM {table.name}))"
        )
    )
