"""Make, check and upgrade the schema.

SQLite upgrades itself when it is opened, under a lock and after a backup; PostgreSQL only by `mission-control upgrade`,
because other machines may be at work on it. A schema from a newer program is refused.
"""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, event, insert, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.store.migrations import HEAD, REVISIONS
from mission_control_tui.model.store.sqlite_files import lies_read_only, reading_uri
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.installation import InstallationRow

LOCK_SECONDS = 120
SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """What `upgrade` did: revisions before ("" for a new database) and after, and the backup it made first."""

    before: str
    after: str
    backup: Path | None


def key_path(url: URL, named: str | Path = "") -> Path:
    """Return where the worker's private key is: the place named in the settings, or beside a SQLite file.

    Raises StoreError for PostgreSQL when no place is named: there is no file to put it beside.
    """
    if named:
        return Path(named).expanduser()
    if url.get_backend_name() == "sqlite":
        return Path(f"{url.database}.key")
    raise StoreError(
        "A PostgreSQL database needs a place for the worker's private key.",
        hint="Set worker.key_file in the settings; only the worker needs to read it.",
    )


async def prepare(url: URL, *, create: bool = True, may_upgrade: bool = True) -> None:
    """Bring a database to where it can be opened, or raise StoreError saying what to do.

    A new or older SQLite file is made or upgraded here, unless `create` or `may_upgrade` forbids it.
    """
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_prepare_sqlite, url, create, may_upgrade)
        return
    from mission_control_tui.model.store.engine import display_url

    async with _postgresql(url) as connection:
        current = await connection.run_sync(revision)
    if current == "":
        raise StoreError(
            f"The database {display_url(url)} is empty.",
            hint="Run `mission-control upgrade` to make its tables, then `mission-control init`.",
        )
    if current != HEAD:
        raise StoreError(
            f"The database {display_url(url)} has schema {current}; this program needs {HEAD}.",
            hint="Stop the workers and consoles, back it up, and run `mission-control upgrade`.",
        )


async def upgrade(url: URL, key_file: Path | None = None) -> UpgradeResult:
    """Make or upgrade the schema of either kind of database. Raises StoreError when it cannot.

    `key_file` is where the worker's private key is, or is made: see `key_path`.
    """
    if url.get_backend_name() == "sqlite":
        return await asyncio.to_thread(_prepare_sqlite, url, True)
    async with _postgresql(url) as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(7237263)"))
        before = await connection.run_sync(revision)
        await connection.run_sync(_migrate, before, key_path(url, key_file or ""))
    return UpgradeResult(before, HEAD, None)


async def tables_of(url: URL) -> tuple[str, ...]:
    """Return the tables of this program that a PostgreSQL database holds. Raises StoreError."""
    async with _postgresql(url) as connection:
        there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    return tuple(sorted(there & {*Base.metadata.tables, "alembic_version"}))


@asynccontextmanager
async def _postgresql(url: URL) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction. Raises StoreError where the database cannot be opened."""
    from mission_control_tui.model.store.engine import create_engine, unreachable

    engine = create_engine(url, patient=True)
    try:
        async with engine.begin() as connection:
            yield connection
    except (DBAPIError, OSError) as error:
        raise unreachable(url, error) from error
    finally:
        await engine.dispose()


def revision(connection: Connection) -> str:
    """Return the schema's revision: "" for an empty database. Raises StoreError for a newer or a foreign one."""
    from mission_control_tui.model.store.engine import display_url

    where = display_url(connection.engine.url)
    tables = set(inspect(connection).get_table_names())
    current = (
        connection.scalar(text("SELECT version_num FROM alembic_version"))
        if "alembic_version" in tables
        else None
    )
    if _is_foreign(connection, tables, current):
        raise StoreError(
            f"{where} holds tables that are not Mission Control's.",
            hint="Name another database with --database.",
        )
    if current is None:
        return ""
    if current not in REVISIONS:
        raise StoreError(
            f"The database {where} has schema {current}, which is newer than this program ({HEAD}).",
            hint="Upgrade Mission Control, or open a backup made by this version.",
        )
    return str(current)


def _is_foreign(connection: Connection, tables: AbstractSet[str], current: str | None) -> bool:
    """Tell whether these are another program's tables. A schema of PostgreSQL may be shared while no name is taken."""
    if current is not None:
        return InstallationRow.__tablename__ not in tables
    others = tables - {"alembic_version"}
    if connection.dialect.name == "sqlite":
        return bool(others)
    return bool(others & Base.metadata.tables.keys())


def _prepare_sqlite(url: URL, create: bool, may_upgrade: bool = True) -> UpgradeResult:
    path = Path(url.database or "")
    if not path.exists() and not create:
        raise StoreError(
            f"There is no database at {path}.",
            hint="Check --database, or run `mission-control init`.",
        )
    _private_directory(path.parent)
    quick = _sqlite_revision(path)
    if quick == HEAD:
        return UpgradeResult(HEAD, HEAD, None)
    if quick in REVISIONS and lies_read_only(path):
        raise StoreError(
            f"{path} has schema {quick}, this program needs {HEAD}, and its file system is read-only.",
            hint="Copy it to where it can be written, and open it there: it is upgraded then.",
        )
    if quick in REVISIONS and not may_upgrade:
        raise StoreError(
            f"{path} has schema {quick}, this program needs {HEAD}, and a read-only call upgrades nothing.",
            hint="Upgrade it first: mission-control upgrade",
        )
    from filelock import FileLock, Timeout

    engine = _sqlite_engine(url)
    try:
        with FileLock(f"{path}.upgrade.lock", timeout=LOCK_SECONDS, mode=0o600):
            if not path.exists():
                path.touch(mode=0o600)
            with engine.connect() as connection:
                before = revision(connection)
            if before == HEAD:
                return UpgradeResult(HEAD, HEAD, None)
            _require_letters()
            backup = _back_up(path, before) if before else None
            _use_wal(path)
            with engine.begin() as connection:
                _migrate(connection, before, key_path(url))
            return UpgradeResult(before, HEAD, backup)
    except Timeout as error:
        raise StoreError(
            f"Another program has been upgrading {path} for {LOCK_SECONDS} seconds.",
            hint="Wait for it, or look at what it is doing; then try again.",
        ) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        from mission_control_tui.model.store.engine import unreachable

        raise unreachable(url, error) from error
    finally:
        engine.dispose()


def _sqlite_engine(url: URL) -> Engine:
    """Return an engine whose transactions hold the schema's changes too: Python's driver would commit each by itself.

    A migration may make a table anew under the rows and the triggers that refer to it: foreign keys are not enforced,
    and renaming the new table does not look at what refers to the old one (https://sqlite.org/lang_altertable.html).
    """
    from sqlalchemy import create_engine

    engine = create_engine(url.set(drivername="sqlite"))

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA legacy_alter_table = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _require_letters() -> None:
    """Raise StoreError where this Python's SQLite cannot index what stands in the middle of words."""
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("CREATE VIRTUAL TABLE probe USING fts5(x, tokenize = 'trigram')")
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"Python's SQLite, {sqlite3.sqlite_version}, cannot keep this program's index: {error}.",
            hint="Use a Python with SQLite 3.34 or newer, with FTS5; or PostgreSQL.",
        ) from error


def _use_wal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _sqlite_revision(path: Path) -> str:
    """Return the revision read without SQLAlchemy's inspector: what almost every start needs to know."""
    if not path.exists():
        return ""
    try:
        with closing(sqlite3.connect(reading_uri(path), uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The directory {directory} cannot be made: {error.strerror}.",
            hint="Name another place with --database.",
        ) from error


def _back_up(path: Path, before: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.backup-{before}-{stamp}")
    target.touch(mode=0o600, exist_ok=False)
    try:
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error:
        target.unlink(missing_ok=True)  # half a backup would be taken for one
        raise
    return target


def _migrate(connection: Connection, before: str, key_file: Path) -> None:
    """Make the tables as they are now, or bring those of an older schema to it, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    from mission_control_tui.model.store.tables import dialect_details  # noqa: F401 - the tables get them

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    if before:
        command.upgrade(config, "head")
    else:
        Base.metadata.create_all(connection, checkfirst=False)
        command.stamp(config, "head")
    if connection.scalar(text("SELECT count(*) FROM installation")) == 0:
        from mission_control_tui.model.store import sealing

        connection.execute(
            insert(InstallationRow).values(
                id=1,
                uuid=uuid.uuid4().hex,
                public_key=sealing.public_key(key_file),
                created_at=datetime.now(UTC),
            )
        )
