"""The file where an embedded worker writes its log. Nothing here imports the model's tables."""

from __future__ import annotations

import os
from pathlib import Path

from mission_control_tui.model.store import private_files

LOG_LIMIT = 1_000_000
"""Bytes of a log file; one older file is kept."""


def log_path(database: Path) -> Path:
    """Return the file where an embedded worker writes its log."""
    return database.with_name(f"{database.name}.worker.log")


def open_log(path: Path) -> int:
    """Return a descriptor to append to the private log, which begins anew when it is too long. Raises OSError."""
    if os.path.lexists(path) and path.lstat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    return private_files.open_log(path)
