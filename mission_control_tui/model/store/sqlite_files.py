"""How an SQLite file is opened to look at it alone, also where its file system can be read and not written."""

from __future__ import annotations

import os
from pathlib import Path


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
