"""How an SQLite file is opened to look at it alone, and how a change of it is announced to who looks."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

NUMBERS = 2**31 - 1


def lies_read_only(path: Path) -> bool:
    """Tell whether the file system of an SQLite file cannot be written to."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def reading_uri(path: Path) -> str:
    """Return the URI that opens the file to read it.

    SQLite wants to make files beside one that is written by a log (WAL). Where it cannot, and where no log lies there
    that would have to be read too, it is told that the file does not change.
    """
    uri = f"{path.as_uri()}?mode=ro"
    log = Path(f"{path}-wal")
    left = log.exists() and log.stat().st_size > 0
    return uri if left or not lies_read_only(path) else f"{uri}&immutable=1"


async def announce(session: AsyncSession) -> None:
    """Mark the transaction as a change that others read their screens again for, by a number that none had before."""
    # No statement with another number is compiled and kept each time.
    mark = f"PRAGMA user_version = {secrets.randbelow(NUMBERS)}"
    await session.run_sync(lambda sync: sync.connection().exec_driver_sql(mark))


def announced(connection: sqlite3.Connection) -> int:
    """Return the number of the last change that was announced. Raises OperationalError where the file is locked."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
