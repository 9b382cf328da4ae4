"""Files that are written for an operator: new ones only, readable by their owner alone."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import os
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mission_control_tui.model.errors import Conflict, StoreError, UsageError
from mission_control_tui.model.text.clean import harmless, safe_cell

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


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
    """Write all of it below what is there and see it to the disk, or nothing of it. Raises OSError."""
    before = os.fstat(descriptor).st_size
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def make(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make a new file with all of this in it, or none, also where the program is killed or the disk is full.

    Raises OSError, FileExistsError where anything has this name.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with _beside(path, data, mode) as whole:
        try:
            os.link(whole, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _reserve_and_replace(whole, path)
        _settle(path.parent)


def _reserve_and_replace(whole: Path, path: Path) -> None:
    """Put `whole` in the place of a new file of this name, where the file system has no hard links."""
    os.close(create(path))
    try:
        whole.replace(path)
    except OSError:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _beside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Yield a file of its own with all of this in it, in the same directory; it is gone afterwards."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.new")
    descriptor = create(temporary, mode)
    try:
        try:
            put(descriptor, data)
        finally:
            os.close(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _settle(directory: Path) -> None:
    """See the names in a directory to the disk, where its file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_log(path: Path) -> int:
    """Return a descriptor to append to a private file, made where it is not there.

    Raises OSError, also for what may be another's: a link, a device, a file that belongs to somebody else.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _foreign(path) from error
        raise
    found, ours = os.fstat(descriptor), (os.geteuid(), path.parent.stat().st_uid)
    if not stat.S_ISREG(found.st_mode) or found.st_uid not in ours or found.st_nlink != 1:
        os.close(descriptor)
        raise _foreign(path)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _foreign(path: Path) -> OSError:
    said = "is a link, or belongs to somebody else: remove it"
    return OSError(errno.EPERM, said, str(path))


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
    try:
        with _beside(place, data, 0o600) as whole:
            whole.replace(place)
            _settle(place.parent)
    except OSError as error:
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
