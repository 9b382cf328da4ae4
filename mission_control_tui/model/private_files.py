"""Files that are written for an operator: new ones only, readable by their owner alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from mission_control_tui.model.errors import Conflict, StoreError, UsageError
from mission_control_tui.model.text import harmless


def path_named(text: str) -> Path:
    """The file that was typed; ~ is the operator's home. Raises UsageError where ~ is nobody's."""
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"There is no home directory for this file: {harmless(text.strip())}.",
            hint="Name it from / on.",
        ) from error


async def write_new(path: Path, content: str | bytes) -> None:
    """Write a new file. Raises Conflict where one is there already, UsageError where it cannot be written."""
    data = content.encode() if isinstance(content, str) else content
    await asyncio.to_thread(write_at_once, path, data)


def write_at_once(path: Path, data: bytes) -> None:
    """As `write_new`, at once, for what has to be on the disk before a transaction is committed."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict(
            f"This file exists already, and is left alone: {path}.", hint="Choose another name."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"This file cannot be written ({error.strerror}): {path}.", hint="Choose another place."
    )


def append(path: Path, content: str) -> None:
    """Add to a file that `write_new` made, and see it to the disk. Raises StoreError where that fails."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}.",
            hint="What was to be written has not happened; go on with another file.",
        ) from error
