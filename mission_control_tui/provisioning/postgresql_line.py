"""The engine's line to PostgreSQL: one connection of the worker's own driver, for what the engine asks and hears."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import re
from collections.abc import Iterable
from typing import Any, LiteralString

import asyncpg
from sqlalchemy.engine import URL

from mission_control_tui.model.store.engine import (
    CONNECT_SECONDS,
    ENGINE_SCHEMA,
    KEEPALIVE,
    SILENCE_MS,
)
from mission_control_tui.provisioning.procrastinate_library import BaseAsyncConnector, Notify

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
AWAY = (OSError, TimeoutError, asyncpg.InterfaceError)
_GOING = ("08", "57")
_NAMED = re.compile(r"%\((\w+)\)s( \|\|)?")


def is_away(error: Exception) -> bool:
    """Tell whether the database gave no answer, or ends the connection or itself."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, AWAY) or (state is not None and state[:2] in _GOING)


def is_silent(error: Exception) -> bool:
    """Tell whether nothing came back at all: others may well be heard by the database."""
    refused = f"[Errno {errno.ECONNREFUSED}]" in str(error) or isinstance(error, FileNotFoundError)
    return isinstance(error, AWAY) and not refused


class Line(BaseAsyncConnector):
    """Asks one thing after the other; a lost connection is made anew for the next, and nothing is asked twice."""

    def __init__(self, url: URL) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: Any = None
        self._turn = asyncio.Lock()
        self._heard: dict[str, list[Notify]] = {}
        self._calls: set[asyncio.Task[Any]] = set()

    async def ask(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """Return the answer's rows. Raises what asyncpg raises, OSError and TimeoutError."""
        async with self._turn:
            connection = await self._connected()
            try:
                rows = [dict(row) for row in await connection.fetch(query, *arguments)]
            except Exception as error:
                if is_away(error):
                    self.hang_up()
                raise
        for row in rows:
            if isinstance(row.get("args"), str):
                row["args"] = json.loads(row["args"])
        return rows

    async def script(self, statements: str) -> None:
        """Run several statements, which may make what is asked later, in one transaction."""
        async with self._turn:
            connection = await self._connected()
            async with connection.transaction():
                await connection.execute(statements)
            # What the driver has learnt of types is out of date.
            self.hang_up()

    def hang_up(self) -> None:
        """Let go of the connection; the next question makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._address,
                timeout=CONNECT_SECONDS,
                command_timeout=ANSWER_SECONDS,
                server_settings={
                    "search_path": f"{ENGINE_SCHEMA}, public",
                    "idle_in_transaction_session_timeout": str(SILENCE_MS),
                    **KEEPALIVE,
                },
            )
            for channel in self._heard:
                await self._connection.add_listener(channel, self._hear)
        return self._connection

    def _hear(self, _connection: object, _pid: int, channel: str, payload: str) -> None:
        for listener in self._heard.get(channel, ()):
            task = asyncio.ensure_future(listener(channel=channel, payload=payload))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen until cancelled; whatever becomes of the connection, the next one listens too."""
        for channel in channels:
            self._heard.setdefault(channel, []).append(on_notification)
        with contextlib.suppress(*AWAY, asyncpg.PostgresError):
            async with self._turn:
                connection = await self._connected()
                for channel in channels:
                    await connection.add_listener(channel, self._hear)
        await asyncio.Event().wait()

    async def open_async(self, pool: Any = None) -> None:
        """Do nothing: the first question connects."""

    async def close_async(self) -> None:
        self.hang_up()

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        await self.execute_query_all_async(query, **arguments)

    async def execute_query_one_async(
        self, query: LiteralString, **arguments: Any
    ) -> dict[str, Any]:
        return (await self.execute_query_all_async(query, **arguments))[0]

    async def execute_query_all_async(
        self, query: LiteralString, **arguments: Any
    ) -> list[dict[str, Any]]:
        names: list[str] = []

        def numbered(found: re.Match[str]) -> str:
            names.append(found[1])
            # What is put together with a text would be taken for one.
            return f"${len(names)}" + ("::float8 ||" if found[2] else "")

        return await self.ask(_NAMED.sub(numbered, query), *(arguments[name] for name in names))
