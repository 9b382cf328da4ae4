"""SQLite's part of a backup: a snapshot by its own backup, and the way back as one transaction of the present file."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from mission_control_tui.model.errors import InvalidInput, StoreError
from mission_control_tui.model.store.backups.archive import unwritable
from mission_control_tui.model.store.private_files import make
from mission_control_tui.model.store.sqlite_files import reading_uri

BUSY_SECONDS = 30.0
_NOT_WRITTEN = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


def snapshot(database: Path, dump: Path) -> None:
    """Copy a database that others may be writing, as of one moment. Raises StoreError."""
    with _told(database):
        try:
            _copy(database, dump)
        except sqlite3.OperationalError as error:
            # What is copied is only read: it is the backup's disk that cannot be written.
            if error.sqlite_errorcode in _NOT_WRITTEN:
                raise unwritable(dump, OSError(errno.EIO, str(error))) from error
            raise
        _check(dump)


def prepare(dump: Path, statements: Sequence[str]) -> None:
    """Check a dump, and carry out in it what the restored database is told. Raises InvalidInput, StoreError."""
    try:
        _check(dump)
        with closing(sqlite3.connect(dump)) as db, db:
            for statement in statements:
                db.execute(statement)
    except sqlite3.OperationalError as error:
        raise _failed(dump, error) from error
    except sqlite3.DatabaseError as error:
        raise InvalidInput(f"The dump in this backup is damaged: {error}.") from error


def put_in_place(dump: Path, database: Path, aside: Path) -> bool:
    """Make `database` what `dump` is, and keep what was there at `aside`; returns whether there was anything.

    Whoever is killed in between leaves the one or the other, whole. Raises StoreError.
    """
    with _told(database):
        if not database.exists():
            _move_in(dump, database)
            return False
        try:
            _copy(database, aside)
        except sqlite3.OperationalError:
            aside.unlink(missing_ok=True)
            raise
        except sqlite3.DatabaseError:
            # Damaged: it is kept as it is, with its log.
            aside.unlink(missing_ok=True)
            for end in ("-wal", "-shm", ""):
                part = Path(f"{database}{end}")
                if part.exists():
                    part.replace(f"{aside}{end}")
            _move_in(dump, database)
            return True
        # One transaction of the present file: other processes see it before or after.
        _pour(dump, database)
        return True


def _copy(source: Path, target: Path) -> None:
    make(target, b"")
    _pour(source, target)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
    _to_disk(target)


def _pour(source: Path, target: Path) -> None:
    deadline = time.monotonic() + BUSY_SECONDS

    def patience(_status: int, remaining: int, _total: int) -> None:
        if remaining and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")

    with (
        closing(sqlite3.connect(reading_uri(source), uri=True, timeout=BUSY_SECONDS)) as giving,
        closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as taking,
    ):
        taking.execute("PRAGMA synchronous = FULL")
        giving.backup(taking, progress=patience)


def _check(database: Path) -> None:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        found = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _move_in(dump: Path, database: Path) -> None:
    with closing(sqlite3.connect(dump)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    _to_disk(dump)
    dump.replace(database)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _told(database: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _failed(database, error) from error
    except OSError as error:
        raise unwritable(database, error) from error


def _failed(database: Path, error: sqlite3.Error) -> StoreError:
    return StoreError(
        f"{database}: {error}.",
        hint="Nothing was changed. Look at the disk, and run `mission-control doctor`.",
    )
