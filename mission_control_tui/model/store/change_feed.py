"""The feed of changes: when somebody, in whatever process, has committed something to the database.

SQLite's files are looked at several times a second, the only polling of this program: when they change SQLite itself
is asked, by PRAGMA data_version, and then whether a change was announced: an operator's own notes concern nobody else.
PostgreSQL tells by LISTEN/NOTIFY; every write of the model ends in a NOTIFY.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import CHANNEL, CONNECT_SECONDS, KEEPALIVE
from mission_control_tui.model.store.sqlite_files import announced, reading_uri

POLL_SECONDS = 0.125
DOUBT_SECONDS = 2.0
"""How long SQLite is asked at each look after its files changed: the log is written before what it says is in force,
and no file system's clock hides a second write for longer than this."""

BACKSTOP_SECONDS = 2.0
"""SQLite is asked at least this often, whatever its files look like."""

PING_SECONDS = 5.0
"""A line on which nothing comes is asked so often whether it lives, and has to answer within PING_PATIENCE."""
PING_PATIENCE = 5.0
RECONNECT_FIRST_SECONDS = 0.2
RECONNECT_CAP_SECONDS = 5.0

log = logging.getLogger(__name__)


async def changes(
    store: Store, account_id: int | None = None, *, poll_seconds: float = POLL_SECONDS
) -> AsyncGenerator[None]:
    """Yield once when listening has begun, and then whenever something may have changed.

    Several changes in a row may come as one, and some are about other things: look, and see. With an `account_id`
    PostgreSQL leaves out what is only about other accounts. A lost connection is made anew, with one yield after it
    for what may have been missed. Close the iterator (contextlib.aclosing) to stop listening.
    `poll_seconds` is how long SQLite is left alone between two looks.
    """
    source = (
        _sqlite(Path(store.url.database or ""), poll_seconds)
        if store.is_sqlite
        else _pg(store, account_id)
    )
    async with aclosing(source):
        async for _ in source:
            yield


async def _sqlite(path: Path, poll_seconds: float) -> AsyncGenerator[None]:
    """Look in a thread: waking it costs an idle program half of what waking the event loop does."""
    loop = asyncio.get_running_loop()
    wake, stopped = asyncio.Event(), threading.Event()
    failures: list[Exception] = []

    def tell() -> None:
        # The loop may have been closed without the feed being told to stop.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(wake.set)

    def look() -> None:
        try:
            _look(path, poll_seconds, stopped, tell)
        except (OSError, sqlite3.Error) as error:
            failures.append(error)
            tell()

    threading.Thread(target=look, name="feed of changes", daemon=True).start()
    try:
        while True:
            await wake.wait()
            wake.clear()
            if failures:
                raise failures[0]
            yield
    finally:
        stopped.set()


def _look(
    path: Path, poll_seconds: float, stopped: threading.Event, tell: Callable[[], None]
) -> None:
    """Tell once when looking has begun, and then of each change, until `stopped`."""
    while not stopped.is_set():
        signs = first = _signs(path)
        # An own connection: data_version tells only of commits by others.
        with closing(sqlite3.connect(reading_uri(path), uri=True)) as connection:
            seen, announced = _version(connection), _announced(connection)
            doubtful_until = time.monotonic() + DOUBT_SECONDS
            look_at = 0.0
            tell()
            while signs[0][:2] == first[0][:2]:
                if stopped.wait(poll_seconds):
                    return
                now, before, signs = time.monotonic(), signs, _signs(path)
                if signs != before:
                    doubtful_until = now + DOUBT_SECONDS
                elif now > doubtful_until and now < look_at:
                    continue
                look_at = now + BACKSTOP_SECONDS
                version = _version(connection)
                if version == seen is not None:
                    continue
                number = _announced(connection) if version is not None else None
                if number is None:
                    doubtful_until = now + DOUBT_SECONDS
                    continue
                seen = version
                if number != announced:
                    announced = number
                    tell()
        while not _signs(path)[0] and not stopped.wait(poll_seconds):
            pass


def _version(connection: sqlite3.Connection) -> int | None:
    """Return the version, or None while another process holds the file for itself."""
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.OperationalError:
        return None


def _announced(connection: sqlite3.Connection) -> int | None:
    """Return the number of the last change that was announced, or None as `_version` does."""
    try:
        return announced(connection)
    except sqlite3.OperationalError:
        return None


def _signs(path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what changes when the database is written, (device, inode, size, time) of it and of its log; () for none.

    The files are never opened for this: closing them would end the locks that SQLite has in this process.
    """
    return _sign(str(path)), _sign(f"{path}-wal")


def _sign(name: str) -> tuple[int, ...]:
    try:
        found = os.stat(name)  # noqa: PTH116 - several times a second, for as long as a console is open
    except FileNotFoundError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


async def _pg(store: Store, account_id: int | None) -> AsyncGenerator[None]:
    import asyncpg

    address = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    wanted = None if account_id is None else {"", str(account_id)}
    wake = asyncio.Event()
    failures = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)

    def heard(_connection: object, _pid: int, _channel: str, payload: str) -> None:
        store.heard_at = time.monotonic()
        if wanted is None or payload in wanted:
            wake.set()

    def lost(_connection: object) -> None:
        wake.set()

    delay = RECONNECT_FIRST_SECONDS
    while True:
        try:
            connection: Any = await asyncpg.connect(
                address,
                timeout=CONNECT_SECONDS,
                command_timeout=PING_PATIENCE,
                server_settings=KEEPALIVE,
            )
        except failures as error:
            log.warning("the feed of changes has no connection: %s", type(error).__name__)
            await asyncio.sleep(delay)
            delay = min(delay * 2, RECONNECT_CAP_SECONDS)
            continue
        try:
            connection.add_termination_listener(lost)
            await connection.add_listener(CHANNEL, heard)
            store.heard_at = time.monotonic()
            delay = RECONNECT_FIRST_SECONDS
            yield
            while not connection.is_closed():
                if not await _woken(wake):
                    # What only listens would never find out that the line is dead.
                    await connection.fetchval("SELECT 1")
                    store.heard_at = time.monotonic()
                    continue
                wake.clear()
                if not connection.is_closed():
                    yield
        except failures as error:
            log.warning("the feed of changes has lost its connection: %s", type(error).__name__)
        finally:
            connection.remove_termination_listener(lost)
            connection.terminate()


async def _woken(wake: asyncio.Event) -> bool:
    """Wait for a change; return False where none came for so long that it is time to ask whether the line lives."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await wake.wait()
    except TimeoutError:
        return False
    return True
