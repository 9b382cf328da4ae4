"""Files that are read: regular ones only, and no more of one than its limit, whatever it claims its size to be.

A FIFO or a terminal would be waited for without end, a device never ends, and what a system makes up while it is read
(/proc) states no size.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from mission_control_tui.model.errors import InvalidInput

MEBIBYTE = 1024 * 1024
SETTINGS_LIMIT = MEBIBYTE
"""Bytes of a settings file, a file of rules, a key."""
CATALOGUE_LIMIT = 16 * MEBIBYTE

_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)


class NoRegularFile(OSError):
    """What has the name is no file that can be read whole: `strerror` says what it is."""


class FileTooLarge(OSError):
    """There is more in the file than its limit: `strerror` says so."""


def read_file(path: Path, limit: int) -> bytes:
    """Return all of a regular file of at most `limit` bytes. Raises OSError: NoRegularFile, FileTooLarge as well."""
    # Without waiting: opening a pipe that nobody writes to would never come back.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            kind = next((what for tells, what in _KINDS if tells(found.st_mode)), "is no file")
            raise NoRegularFile(0, f"it {kind}", str(path))
        data = b"" if found.st_size > limit else file.read(limit + 1)
        if found.st_size > limit or len(data) > limit:
            raise FileTooLarge(0, f"it is larger than {size_words(limit)}", str(path))
        return data


def read_stream(stream: BinaryIO, limit: int, *, called: str) -> bytes:
    """Return all that a stream holds, at most `limit` bytes. Raises InvalidInput where there is more."""
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidInput(f"{called} is larger than {size_words(limit)}.", hint="Split it.")
    return data


def size_words(limit: int) -> str:
    """Return a number of bytes for people."""
    return f"{limit // MEBIBYTE} MiB" if limit >= MEBIBYTE else f"{limit // 1024} KiB"
