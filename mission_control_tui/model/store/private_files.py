"""Files that are written for an operator: new ones only, readable by their owner alone."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mission_control_tui.model.errors import Conflict, StoreError, UsageError
from mission_control_tui.model.text.clean import harmless, safe_cell


def path_named(text: str) -> Path:
    """Return the file that was typed; ~ is the operator's home. Raises UsageError where ~ is nobody's."""
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"There is no home directory for this file: {harmless(text.strip())}.",
            hint="Name it from / on.",
        ) from error


def create(path: Path, mode: int = 0o600) -> int:
    """Return the descriptor of a new, empty file. Raises FileExistsError where anything has this name, and OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)


def put(descriptor: int, data: bytes) -> None:
    """Write all of it and see it to the disk. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def make(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make a new file with all of this in it, or none. Raises OSError, FileExistsError where anything has this name."""
    descriptor = create(path, mode)
    try:
        put(descriptor, data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


async def write_new(path: Path, content: str | bytes) -> None:
    """Write a new file. Raises Conflict where one is there already, UsageError where it cannot be written."""
    data = content.encode() if isinstance(content, str) else content
    await asyncio.to_thread(write_at_once, path, data)


def write_at_once(path: Path, data: bytes) -> None:
    """Write as `write_new` does, at once, for what has to be on the disk before a transaction is committed."""
    try:
        make(path, data)
    except FileExistsError as error:
        raise Conflict(
            f"This file exists already, and is left alone: {path}.", hint="Choose another name."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error


def write_over(path: Path, data: bytes) -> None:
    """Write a file, in the place of one that is there: whole, or not at all. Raises UsageError where it cannot be."""
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        make(beside, data)
        beside.replace(place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"This file cannot be written ({error.strerror}): {path}.", hint="Choose another place."
    )


def append(path: Path, data: bytes) -> None:
    """Add to a file that `write_new` made, and see it to the disk. Raises StoreError where that fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            put(descriptor, data)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}.",
            hint="What was to be written has not happened; go on with another file.",
        ) from error


def password_rows(rows: Iterable[Sequence[str]], headings: Sequence[str] = ()) -> bytes:
    """Return CSV whose last column are passwords, as they are; no other cell is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if headings:
        writer.writerow(headings)
    writer.writerows([*map(safe_cell, row[:-1]), row[-1]] for row in rows)
    return text.getvalue().encode()
