"""Backing the database up while everything runs, and restoring it in a new epoch."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import URL

from mission_control_tui import __version__
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict, InvalidInput, MissionControlError, StoreError
from mission_control_tui.model.operators.sessions import running
from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.model.store import epochs, sealing
from mission_control_tui.model.store.backups import after_restore, archive, postgresql, sqlite
from mission_control_tui.model.store.backups.archive import Manifest, Unpacked
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.migrations import HEAD, REVISIONS
from mission_control_tui.model.store.private_files import make
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.upgrade import tables_of

SAID = "Somebody said that this database counts."


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, and whether the worker's key is in it."""

    path: Path
    manifest: Manifest
    has_key: bool


@dataclass(frozen=True, slots=True)
class Restore:
    """What a restore did, or would do. `aside` is where the present database is kept, "" where there was none.

    `key` says what becomes of the worker's key; `schema` is that of the restored database.
    """

    manifest: Manifest
    epoch: int
    aside: str
    key: str


@dataclass(frozen=True, slots=True)
class _Present:
    """The database that is to be replaced, as far as it can be read."""

    installation: str = ""
    epoch: int = 0
    busy: tuple[str, ...] = ()


async def back_up(store: Store, target: Path, key_file: Path | None) -> Backup:
    """Write a backup of the whole installation into a new file that its owner alone can read.

    With `key_file` the worker's key is in it, where it can be read here. Raises Conflict (the file exists), StoreError.
    """
    async with store.read() as session:
        row = (await session.scalars(select(InstallationRow))).one()
    return await asyncio.to_thread(_back_up, store.url, target, row, key_file)


def _back_up(url: URL, target: Path, row: InstallationRow, key_file: Path | None) -> Backup:
    if target.exists():
        raise archive.taken(target)
    key = None
    if key_file is not None:
        with contextlib.suppress(OSError):
            key = key_file.read_bytes()
    with archive.workplace(target) as place:
        dump = place / archive.DUMP
        if url.get_backend_name() == "sqlite":
            sqlite.snapshot(Path(url.database or ""), dump)
        else:
            postgresql.snapshot(url, dump)
        checksum, size = archive.digest(dump)
        manifest = Manifest(
            format=archive.FORMAT,
            database=url.get_backend_name(),
            installation=row.uuid,
            epoch=row.epoch,
            schema=HEAD,
            program=__version__,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            public_key=bytes(row.public_key).hex(),
            sha256=checksum,
            size=size,
        )
        archive.write(target, place, manifest, dump, key)
    return Backup(target, manifest, key is not None)


async def restore(
    url: URL,
    caller: Caller,
    source: Path,
    key_file: Path | None,
    *,
    lease_seconds: float,
    while_running: bool = False,
    dry_run: bool = False,
) -> Restore:
    """Put a backup in the place of the present database, which is kept aside, and go on in a new epoch.

    Raises Denied (read-only), InvalidInput (no backup, or of another kind), Conflict (of another installation, or
    workers or consoles run and `while_running` is not said), StoreError.
    """
    caller.require_write()
    beside = Path(url.database or "") if url.get_backend_name() == "sqlite" else source
    with archive.workplace(beside.absolute()) as place:
        unpacked = await asyncio.to_thread(archive.unpack, source, place)
        manifest = unpacked.manifest
        _refuse_unfit(url, source, manifest)
        present = await _present(url, lease_seconds)
        if present.installation not in ("", manifest.installation):
            raise Conflict(
                f"{source} is of another installation than the database that is there.",
                hint="Name an empty place with --database, or the file that belongs to this one.",
            )
        if present.busy and not while_running:
            raise Conflict(
                f"Somebody works with this database: {'; '.join(present.busy)}.",
                hint="Stop workers and consoles first, or add --while-running: what they do then is lost.",
            )
        epoch = max(present.epoch, manifest.epoch) + 1
        statements = after_restore.statements(
            url.get_backend_name(), caller, epoch, manifest.epoch, manifest.made_at
        )
        stamp = datetime.now(UTC).strftime("%Y%m%dt%H%M%S_%f")
        if url.get_backend_name() == "sqlite":
            aside = await asyncio.to_thread(
                _restore_sqlite, url, unpacked, statements, stamp, dry_run
            )
        else:
            aside = await _restore_postgresql(url, unpacked, statements, stamp, dry_run)
        key = _restore_key(unpacked, key_file, stamp, dry_run)
    return Restore(manifest, epoch, aside, key)


async def say_that_it_counts(store: Store, caller: Caller, *, dry_run: bool = False) -> int:
    """Go on in a new epoch, for a database that was put back by other means; returns the epoch."""
    async with store.write(caller, dry_run=dry_run) as tx:
        return await epochs.raise_above(tx, 0, SAID)


def _refuse_unfit(url: URL, source: Path, manifest: Manifest) -> None:
    if manifest.database != url.get_backend_name():
        raise InvalidInput(
            f"{source} is a backup of a {manifest.database} database.",
            hint="Name a database of that kind with --database.",
        )
    if manifest.schema not in REVISIONS:
        raise InvalidInput(
            f"{source} has schema {manifest.schema}, which is newer than this program ({HEAD}).",
            hint="Restore it with the version that made it, or a newer one.",
        )


async def _present(url: URL, lease_seconds: float) -> _Present:
    """Look at what is there. One that cannot be opened (missing, empty, damaged) keeps nobody from a restore."""
    try:
        store = await Store.open(url.render_as_string(hide_password=False), create=False)
    except StoreError:
        return _Present()
    try:
        async with store.read() as session:
            row = (await session.scalars(select(InstallationRow))).one()
        workers = await live_workers(store, lease_seconds)
        consoles = await running(store)
        busy = [f"worker {worker.pid} on {worker.host}" for worker in workers]
        busy += [f"the console of {console.operator}" for console in consoles]
        return _Present(row.uuid, max(row.epoch, row.epoch_met), tuple(busy))
    finally:
        await store.close()


def _restore_sqlite(
    url: URL, unpacked: Unpacked, statements: tuple[str, ...], stamp: str, dry_run: bool
) -> str:
    database = Path(url.database or "")
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    sqlite.prepare(unpacked.dump, statements)
    if dry_run:
        return str(aside) if database.exists() else ""
    return str(aside) if sqlite.put_in_place(unpacked.dump, database, aside) else ""


async def _restore_postgresql(
    url: URL, unpacked: Unpacked, statements: tuple[str, ...], stamp: str, dry_run: bool
) -> str:
    aside = f"before_restore_{stamp}"
    there = await tables_of(url)
    if not dry_run:
        await asyncio.to_thread(
            postgresql.put_in_place, url, unpacked.dump, aside, there, statements
        )
    return f"schema {aside}" if there else ""


def _restore_key(unpacked: Unpacked, key_file: Path | None, stamp: str, dry_run: bool) -> str:
    """Put the worker's key where it belongs, the present one aside; returns what became of it."""
    if key_file is None:
        return "not on this machine: see that the workers' key belongs to this backup"
    fits = False
    if key_file.exists():
        with contextlib.suppress(MissionControlError):
            fits = sealing.public_key(key_file).hex() == unpacked.manifest.public_key
    if fits:
        return f"{key_file} belongs to it"
    if unpacked.key is None:
        return f"{key_file} does not belong to it: put that one back, or set undelivered passwords anew"
    if dry_run:
        return f"restored to {key_file}"
    try:
        if key_file.exists():
            key_file.replace(key_file.with_name(f"{key_file.name}.before-restore-{stamp}"))
        key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make(key_file, unpacked.key)
    except OSError as error:
        raise archive.unwritable(key_file, error) from error
    return f"restored to {key_file}"
