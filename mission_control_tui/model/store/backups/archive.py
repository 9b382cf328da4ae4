"""A backup as one file: a manifest, a dump of the database, and the worker's key where that was at hand."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mission_control_tui.model.errors import Conflict, InvalidInput, StoreError
from mission_control_tui.model.store.private_files import make
from mission_control_tui.model.store.processes import started_at

MANIFEST, DUMP, KEY = "manifest.json", "dump", "key"
FORMAT = 1
_MANIFEST_LIMIT = 100_000
_CHUNK = 1 << 20


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself. `database` is sqlite or postgresql; `sha256` and `size` are the dump's.

    `public_key` is the public half of the key that its sealed passwords are opened with, as hexadecimal digits.
    """

    format: int
    database: str
    installation: str
    epoch: int
    schema: str
    program: str
    made_at: str
    public_key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup that was checked. `dump` is a file in a directory that goes when the work with it is over."""

    manifest: Manifest
    dump: Path
    key: bytes | None


def digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


@contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """Give a private directory beside `target`, gone afterwards; also what a killed process left there goes.

    Raises StoreError where it cannot be made.
    """
    prefix = f".{target.name}."
    for left in target.parent.glob(f"{prefix}*"):
        pid = left.name.removeprefix(prefix)
        if pid.isdigit() and started_at(int(pid)) is None:
            shutil.rmtree(left, ignore_errors=True)
    place = target.with_name(f"{prefix}{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(place, error) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def write(target: Path, place: Path, manifest: Manifest, dump: Path, key: bytes | None) -> None:
    """Make the backup in `place` and give it its name when it is whole; nothing that is there is written over.

    Raises Conflict where something has the name, StoreError where it cannot be written.
    """
    whole = place / "whole"
    try:
        descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
                _add(archive, MANIFEST, msgspec.json.encode(manifest))
                if key is not None:
                    _add(archive, KEY, key)
                archive.add(dump, DUMP, filter=_anonymous)
            file.flush()
            os.fsync(file.fileno())
        # A second name, not a new one: it fails where there is one already.
        target.hardlink_to(whole)
    except FileExistsError as error:
        raise taken(target) from error
    except OSError as error:
        raise unwritable(target, error) from error


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack(source: Path, place: Path) -> Unpacked:
    """Check a backup and put its dump into `place`. Raises InvalidInput where it is none, or not whole."""
    if not source.is_file():
        raise InvalidInput(
            f"There is no backup at {source}.",
            hint="Name a file that `mission-control backup` made.",
        )
    try:
        with tarfile.open(source, "r:gz") as archive:
            members = {member.name: member for member in archive if member.isreg()}
            manifest = _manifest(_read(archive, members.get(MANIFEST), _MANIFEST_LIMIT), source)
            key = _read(archive, members[KEY], 1024) if KEY in members else None
            dump = place / DUMP
            make(dump, b"")
            content = archive.extractfile(members[DUMP]) if DUMP in members else None
            if content is None:
                raise _no_backup(source, "it holds no dump")
            with dump.open("wb") as file:
                shutil.copyfileobj(content, file, _CHUNK)
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise _no_backup(source, str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno is None:
            raise _no_backup(source, str(error)) from error
        raise unwritable(place if error.filename else source, error) from error
    if digest(dump) != (manifest.sha256, manifest.size):
        raise _no_backup(source, "its content is not what its manifest says: it was changed or cut")
    return Unpacked(manifest, dump, key)


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo | None, limit: int) -> bytes:
    content = archive.extractfile(member) if member is not None and member.size <= limit else None
    return content.read() if content is not None else b""


def _manifest(content: bytes, source: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise _no_backup(source, "it has no manifest") from error
    if manifest.format != FORMAT:
        raise InvalidInput(
            f"{source} is a backup of format {manifest.format}; this program reads {FORMAT}.",
            hint="Restore it with the version that made it.",
        )
    return manifest


def _no_backup(source: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{source} is no backup that can be used: {why}.",
        hint="Nothing was changed. Take another one that `mission-control backup` made.",
    )


def taken(target: Path) -> Conflict:
    """Return the error of a name that something has already."""
    return Conflict(
        f"This file exists already, and is left alone: {target}.", hint="Choose another name."
    )


def unwritable(path: Path, error: OSError) -> StoreError:
    """Return the error of a file that cannot be written."""
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Nothing was kept of it. Look at the disk and the directory's rights.",
    )
