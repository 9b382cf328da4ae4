"""SQLite's connection, in whose thread a statement is one call: opening its cursor, running it, fetching its rows.

aiosqlite makes four of it, and each is two switches of threads, which cost more than most statements do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self

import aiosqlite

ITERATED = 64
"""Rows that aiosqlite fetches at a time for who iterates a cursor, as is done nowhere here."""


class WholeCursor(aiosqlite.Cursor):
    """A cursor that has all rows of its statement as soon as that has run, and is closed by then."""

    def __init__(self, connection: WholeConnection) -> None:
        super().__init__(connection, None)  # type: ignore[arg-type]
        self._rows: list[Any] = []

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        return await self._whole(
            lambda connection: connection.execute(sql, () if parameters is None else parameters)  # type: ignore[arg-type]
        )

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        return await self._whole(lambda connection: connection.executemany(sql, parameters))  # type: ignore[arg-type]

    async def _whole(self, run: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> Self:
        def visit() -> tuple[sqlite3.Cursor, list[Any]]:
            cursor = run(self._conn._conn)
            try:
                return cursor, cursor.fetchall()
            finally:
                cursor.close()

        self._cursor, self._rows = await self._execute(visit)  # type: ignore[no-untyped-call]
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """It was closed when its statement had run."""


class WholeConnection(aiosqlite.Connection):
    """A connection whose cursors are whole; a program can end without closing it."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, ITERATED)
        self._thread.daemon = True

    def cursor(self) -> WholeCursor:  # type: ignore[override]
        return WholeCursor(self)


def connect(database: str, **named: Any) -> WholeConnection:
    """Return a connection that opens the file when it is awaited; `named` is what sqlite3 takes."""
    return WholeConnection(partial(sqlite3.connect, database, **named))
