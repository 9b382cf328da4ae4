"""The database engine: its URL, settings, clock, and what its errors mean to an operator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from socket import gaierror
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, Engine, Float, TextClause, event, literal_column, make_url, text
from sqlalchemy import create_engine as create_sync_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.elements import ColumnClause

from mission_control_tui.model.errors import MissionControlError, StoreError
from mission_control_tui.model.store.sqlite_files import lies_read_only, reading_uri
from mission_control_tui.model.text.network_addresses import HIGHEST_PORT, LOWEST_PORT

BUSY_TIMEOUT_MS = 30_000
INLINE_TIMEOUT_MS = 1_000
"""The same where a statement holds up the whole process: the lock for writing is waited for elsewhere."""

SILENCE_MS = 10_000
"""PostgreSQL ends a transaction that says nothing for so long: its process is frozen, and others wait for its locks."""


LOCK_MS = 20_000
"""How long PostgreSQL waits for what another transaction has locked: longer than it lets a frozen one keep it."""


CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 30.0
"""PostgreSQL has to answer within so long: a connection that died silently would be waited for for ever."""
KEEPALIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""The server finds out within a minute that a client has gone without a word, and lets go of what it had locked."""

TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
TLS_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")
"""What a URL may say of TLS, in libpq's words, for commands, consoles and workers alike; `prefer` without any."""

_lines: WeakKeyDictionary[Engine, WeakSet[Any]] = WeakKeyDictionary()
"""The driver's connections of each engine of PostgreSQL."""
FRESH_SECONDS = 0.2
"""A connection to PostgreSQL that was used so recently is not asked whether it lives: that takes three round trips."""

_URL_HINT = (
    "Give a path to a SQLite file, or postgresql://user@host/name, perhaps with a port "
    f"from {LOWEST_PORT} to {HIGHEST_PORT} behind the host."
)
CHANNEL = "mission_control"
ENGINE_SCHEMA = "mission_control_engine"
"""Where the engine of workers on PostgreSQL keeps its tables; they may be dropped at any time."""


def database_url(where: str | Path) -> URL:
    """Return a URL for a path, `sqlite:...` or `postgresql:...`, with the asynchronous driver named.

    Raises StoreError for any other kind of database, and for a URL that is none.
    """
    given = str(where)
    if "://" not in given:
        return URL.create("sqlite+aiosqlite", database=str(Path(given).expanduser().absolute()))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # It is not shown: what cannot be taken apart may have a password anywhere.
        raise StoreError("The database's URL cannot be read.", hint=_URL_HINT) from None
    if url.port is not None and not LOWEST_PORT <= url.port <= HIGHEST_PORT:
        raise StoreError(f"{display_url(url)} has the port {url.port}.", hint=_URL_HINT)
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if backend in {"postgresql", "postgres"}:
        return _with_tls_mode(url.set(drivername="postgresql+asyncpg"))
    raise StoreError(
        f"{display_url(url)} is not a database that Mission Control can use.",
        hint=_URL_HINT,
    )


def _with_tls_mode(url: URL) -> URL:
    """Return the URL with libpq's `sslmode`, also where it has asyncpg's `ssl`. Raises StoreError for no mode."""
    if "ssl" in url.query:
        mode = url.query["ssl"]
        url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})
    if "sslmode" in url.query and url.query["sslmode"] not in TLS_MODES:
        raise StoreError(
            f"sslmode in the database's URL is not one of: {', '.join(TLS_MODES)}.",
            hint="verify-full with sslrootcert=FILE checks who the server is.",
        )
    return url


def create_engine(url: URL, *, patient: bool = False) -> AsyncEngine:
    """Return an engine with this project's pragmas; disposing of it is the caller's duty.

    One that is `patient` waits for PostgreSQL as long as a statement takes.
    """
    if url.get_backend_name() != "sqlite":
        return _postgresql_engine(url, patient=patient)
    from mission_control_tui.model.store.sqlite_connection import connect

    engine = create_async_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "async_creator_fn": connect}
    )
    _prepare_sqlite(engine.sync_engine)
    return engine


def create_inline_engine(url: URL) -> Engine:
    """Return an engine for `InlineSession`, whose statements wait for no other writer."""
    engine = create_sync_engine(
        url.set(drivername="sqlite"),
        connect_args={"timeout": INLINE_TIMEOUT_MS / 1000},
        # A pool that has none left would hold up who is to give one back.
        max_overflow=-1,
    )
    _prepare_sqlite(engine, INLINE_TIMEOUT_MS)
    return engine


def _prepare_sqlite(engine: Engine, inline_ms: int = 0) -> None:
    """Add pragmas and the beginning of transactions; with `inline_ms` a writer that must wait is refused at once."""
    read_only = lies_read_only(path := Path(engine.url.database or ""))

    @event.listens_for(engine, "do_connect")
    def _to_read(
        _dialect: object, _record: object, words: list[Any], named: dict[str, Any]
    ) -> None:
        if read_only:
            words[:] = [reading_uri(path)]
            named["uri"] = True

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {inline_ms or BUSY_TIMEOUT_MS}")
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("mc_write", False) and not read_only
        if not immediate:
            connection.exec_driver_sql("BEGIN")
        elif not inline_ms:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA busy_timeout = 0")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            finally:
                driver.execute(f"PRAGMA busy_timeout = {inline_ms}")


def _postgresql_engine(url: URL, *, patient: bool) -> AsyncEngine:
    patience = {} if patient else {"lock_timeout": str(LOCK_MS)}
    engine = create_async_engine(
        url,
        pool_size=5,
        max_overflow=10,
        # The one that was used last has its statements prepared, and need not be asked whether it lives.
        pool_use_lifo=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": None if patient else COMMAND_SECONDS,
            "server_settings": {
                # A statement may compare a date as text, whatever a server calls one by its own settings.
                "datestyle": "ISO",
                "idle_in_transaction_session_timeout": str(SILENCE_MS),
                **patience,
                **KEEPALIVE,
            },
        },
    )

    lines = _lines[engine.sync_engine] = WeakSet()

    @event.listens_for(engine.sync_engine, "connect")
    def _keep(connection: Any, _record: object) -> None:
        lines.add(connection.driver_connection)

    @event.listens_for(engine.sync_engine, "do_connect")
    def _with_tls(_dialect: Any, _record: object, _args: Any, parameters: dict[str, Any]) -> None:
        # asyncpg reads libpq's options of TLS from an address alone.
        stated = {name: parameters.pop(name) for name in TLS_OPTIONS if name in parameters}
        parameters["dsn"] = URL.create("postgresql", query=stated).render_as_string()

    @event.listens_for(engine.sync_engine, "checkin")
    def _used(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used at"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get("used at")
        if used_at is None or time.monotonic() - used_at < FRESH_SECONDS:
            return
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError from error

    return engine


def hang_up(engine: AsyncEngine) -> None:
    """Cut the connections to PostgreSQL without a word: whoever waits for an answer is told that there is none."""
    for line in tuple(_lines.get(engine.sync_engine, ())):
        line.terminate()


async def clock(session: AsyncSession) -> float:
    """Return the database's clock within a transaction, in seconds since the epoch."""
    return float((await session.scalars(_CLOCKS[session.get_bind().dialect.name])).one())


_CLOCKS: dict[str, TextClause] = {
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": text("SELECT extract(epoch FROM clock_timestamp())::float8"),
}
NOW: dict[str, ColumnClause[float]] = {
    "sqlite": literal_column("((julianday('now') - 2440587.5) * 86400.0)", Float),
    "postgresql": literal_column("extract(epoch FROM statement_timestamp())::float8", Float),
}
"""The same by dialect, within another statement: it stands still for as long as that takes."""


def display_url(url: URL) -> str:
    """Return a database for people, without its password: the path of a file, else its URL."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    secrets = [name for name in url.query if "password" in name.casefold()]
    shown = url.set(drivername=url.get_backend_name()).difference_update_query(secrets)
    return shown.render_as_string(hide_password=True)


def url_without_password(url: URL) -> str:
    """Return a database as `--database` takes it, without a password: the path of a file, else its URL."""
    return display_url(url._replace(password=None))


FLAWS = (ProgrammingError, IntegrityError, DataError, NotSupportedError)
"""Errors of the database that are errors of this program: going on would only repeat them."""
_GOING = frozenset({"08", "57"})
"""Classes of SQLSTATE: the connection is lost; the server ends it, or itself."""
_LOST = (DBAPIError, ConnectionError, TimeoutError, gaierror)
_TAKEN_BACK = {
    "25P03": (
        "This process stood still in the middle of a change, and PostgreSQL has taken the change back: others waited.",
        "Nothing of that change has happened. Do it again.",
    ),
    "55P03": (
        "Somebody else has been changing the same all the time, and this change was given up.",
        "Nothing of it has happened. Try again in a minute.",
    ),
}
"""What is told of the SQLSTATEs with which PostgreSQL ends a transaction for the sake of others, and the hint."""


def is_lost(error: Exception) -> bool:
    """Tell whether the database went away, and did not refuse what it was asked: it may have done it."""
    if _taken_back(error) is not None or _was_not_asked(error):
        return False
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return as_store_error(error) is not None and (state is None or state[:2] in _GOING)


def _taken_back(error: Exception) -> StoreError | None:
    """Return what is told of a transaction that PostgreSQL ended for the sake of others; None for anything else."""
    for cause in _causes(error):
        if told := _TAKEN_BACK.get(getattr(cause, "sqlstate", None) or ""):
            return StoreError(told[0], hint=told[1])
    return None


def _was_not_asked(error: Exception) -> bool:
    """Tell whether the connection was known to be closed, so that nothing was sent any more."""
    return any(
        type(cause).__name__ == "InterfaceError" and type(cause).__module__.startswith("asyncpg.")
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its cause, and so on; an error that was raised from itself is its own cause."""
    cause: BaseException | None = error
    seen: set[BaseException] = set()
    while cause is not None and cause not in seen:
        yield cause
        seen.add(cause)
        cause = cause.__cause__


def as_store_error(error: Exception) -> StoreError | None:
    """Return the typed error where `error` says that the database does not answer; None for a flaw of the program."""
    if (taken_back := _taken_back(error)) is not None:
        return taken_back
    # What asyncpg says to a new connection reaches nobody in SQLAlchemy's words.
    lost = isinstance(error, _LOST) or type(error).__module__.startswith("asyncpg.")
    if not lost or isinstance(error, FLAWS):
        return None
    said = str(getattr(error, "orig", None) or error).splitlines()
    return StoreError(
        f"The database does not answer: {said[0] if said else type(error).__name__}.",
        hint="Look whether what was asked has happened, and try again.",
    )


def operator_error(error: Exception) -> MissionControlError:
    """Return what people are told of `error`; raises it again where it is a flaw of the program."""
    if isinstance(error, MissionControlError):
        return error
    away = as_store_error(error)
    if away is None:
        raise error
    return away


def unreachable(url: URL, error: Exception) -> StoreError:
    """Return the typed error for a database that cannot be opened, without its password."""
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    return StoreError(
        f"The database {display_url(url)} cannot be opened: {reason}.",
        hint="Check that it is there, that you may read and write it, and run `mission-control doctor`.",
    )
