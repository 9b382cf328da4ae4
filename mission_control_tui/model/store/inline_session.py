"""Sessions without threads: a statement is done where it is asked for, and SQLite's lock for writing alone is awaited.

aiosqlite hands each statement to a thread, which costs a worker more than the statement does. What draws or reads keys
keeps it, so that a long statement holds up nobody; a worker's transactions are short.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

FIRST_WAIT, LONGEST_WAIT = 0.001, 0.01
"""Seconds between two looks whether somebody else has let go of the lock."""


class _Direct(Session):
    """A session that takes its engine from what it is told of the transaction."""

    def __init__(self, *, engine: Engine, **options: Any) -> None:
        super().__init__(**options)
        self.bind = engine


class InlineSession(AsyncSession):
    """An `AsyncSession` of Python's own driver, whose methods hold up the event loop for as long as they last.

    One that `writes` has the lock for writing from its beginning. Raises OperationalError where another process keeps
    that for longer than `patience` seconds.
    """

    def __init__(self, engine: Engine, *, writes: bool, patience: float) -> None:
        super().__init__(sync_session_class=_Direct, engine=engine, expire_on_commit=False)
        self._writes = writes
        self._patience = patience

    async def __aenter__(self) -> Self:
        if self._writes:
            await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.sync_session.close()

    async def _begin(self) -> None:
        pause, deadline = FIRST_WAIT, time.monotonic() + self._patience
        while True:
            try:
                self.sync_session.connection()
            except OperationalError as error:
                self.sync_session.close()
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_WAIT)

    async def execute(self, *given: Any, **named: Any) -> Any:
        return self.sync_session.execute(*given, **named)

    async def scalar(self, *given: Any, **named: Any) -> Any:
        return self.sync_session.scalar(*given, **named)

    async def scalars(self, *given: Any, **named: Any) -> Any:
        return self.sync_session.scalars(*given, **named)

    async def get(self, *given: Any, **named: Any) -> Any:
        return self.sync_session.get(*given, **named)

    async def get_one(self, *given: Any, **named: Any) -> Any:
        return self.sync_session.get_one(*given, **named)

    async def run_sync(self, *given: Any, **named: Any) -> Any:
        do, *rest = given
        return do(self.sync_session, *rest, **named)

    async def flush(self, *given: Any, **named: Any) -> None:
        self.sync_session.flush(*given, **named)

    async def commit(self) -> None:
        self.sync_session.commit()

    async def rollback(self) -> None:
        self.sync_session.rollback()

    async def close(self) -> None:
        self.sync_session.close()


def _is_busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
