"""What `doctor` looks at. Each look says what it found and, where something is wrong, what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import MissionControlError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.engine import URL

    from mission_control_tui.model.catalogue.in_force import InForce
    from mission_control_tui.model.store.database import Store

LOW_DISK_BYTES = 200 * 1024 * 1024
CLOCK_SECONDS = 2.0
_EARLIEST = 1_750_000_000.0  # June 2025: a machine that says less has lost its clock


class Severity(StrEnum):
    """How bad it is. Only a problem makes the exit code 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """The result of one look."""

    check: str
    level: Severity
    said: str
    remedy: str = ""


def _ok(check: str, said: str) -> HealthFinding:
    return HealthFinding(check, Severity.OK, said)


def _note(check: str, said: str, remedy: str = "") -> HealthFinding:
    return HealthFinding(check, Severity.NOTE, said, remedy)


def _warning(check: str, said: str, remedy: str) -> HealthFinding:
    return HealthFinding(check, Severity.WARNING, said, remedy)


def _problem(check: str, said: str, remedy: str) -> HealthFinding:
    return HealthFinding(check, Severity.PROBLEM, said, remedy)


def shown_place(url: URL) -> str:
    """Return a database as people write it: a path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _failed(check: str, error: MissionControlError) -> HealthFinding:
    said = " ".join([error.what, *(str(problem) for problem in error.problems)])
    return _problem(check, said, error.hint)


async def examine(session: Session, patience: float) -> tuple[HealthFinding, ...]:
    """Look at everything, the settings first; looks that need settings or a database are left out without them."""
    findings = [*_settings(session)]
    if findings[0].level is Severity.PROBLEM:
        return tuple(findings)
    from mission_control_tui.model.store.engine import database_url

    try:
        url = database_url(session.where)
    except MissionControlError as error:
        return (*findings, _failed("database", error))
    findings += _files(session, url)
    findings += await _with_store(session, url, patience)
    findings += _disk(url)
    return tuple(findings)


def _settings(session: Session) -> Iterable[HealthFinding]:
    from mission_control_tui.settings.settings import PREFIX, locations

    path = Path(os.environ.get(PREFIX + "SETTINGS") or locations().settings_file)
    try:
        settings = session.settings
        for name in settings.connectors:
            settings.connector(name)
    except UsageError as error:
        yield _failed("settings", error)
        return
    known = {"simulator", *settings.connectors}
    unknown = sorted({name for name in settings.services.values() if name not in known})
    if unknown:
        yield _problem(
            "settings",
            f"Services name connectors that do not exist: {', '.join(unknown)}.",
            f"Add a [connectors.{unknown[0]}] table to {path}, or change [services].",
        )
    elif not path.exists():
        yield _ok("settings", f"none at {path}: everything is as shipped")
    else:
        yield _ok("settings", str(path))
        if stat.S_IMODE(path.stat().st_mode) & 0o022:
            yield _problem(
                "settings",
                f"Others may write {path}, and so choose what your worker does.",
                f"chmod go-w {path}",
            )


def _files(session: Session, url: URL) -> Iterable[HealthFinding]:
    from mission_control_tui.model.store.upgrade import key_path
    from mission_control_tui.settings.settings import locations

    places = locations()
    embedded = url.get_backend_name() == "sqlite"
    database = Path(url.database or "")
    wanted = {places.data: 0o700, places.state: 0o700}
    if embedded:
        wanted |= {Path(f"{database}{end}"): 0o600 for end in ("", "-wal", "-shm", ".worker.log")}
    there = {path: mode for path, mode in wanted.items() if path.exists()}
    bad = [finding for path, mode in there.items() if (finding := _open_to_others(path, mode))]
    yield from bad
    if there and not bad:
        yield _ok("files", f"private, {len(there)} looked at in {places.data}")
    try:
        key = key_path(url, session.settings.worker.key_file)
    except MissionControlError as error:
        yield _note("key", error.what, f"{error.hint} It is needed where workers run.")
        return
    if key.exists():
        yield _open_to_others(key, 0o600, "key") or _ok("key", f"{key} is private")
        if key.stat().st_size != 32:
            yield _problem(
                "key",
                f"{key} is no key: it has {key.stat().st_size} bytes and not 32.",
                "Restore it from your backup; passwords on their way cannot be delivered without it.",
            )
    elif embedded and database.exists():
        yield _problem(
            "key",
            f"The worker's key is not at {key}.",
            "Restore it from your backup, or set worker.key_file; without it no password is delivered.",
        )
    elif not embedded:
        yield _note("key", f"not on this machine ({key}): only workers need it")


def _open_to_others(path: Path, mode: int, check: str = "files") -> HealthFinding | None:
    found = stat.S_IMODE(path.stat().st_mode)
    if found & 0o077:
        return _problem(
            check, f"{path} is open to others (mode {found:04o}).", f"chmod {mode:04o} {path}"
        )
    if path.stat().st_uid != os.getuid():
        return _warning(
            check,
            f"{path} belongs to another user (number {path.stat().st_uid}).",
            "Run Mission Control as that user, or change the owner.",
        )
    return None


async def _with_store(session: Session, url: URL, patience: float) -> list[HealthFinding]:
    from sqlalchemy.exc import DBAPIError

    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.engine import unreachable

    if url.get_backend_name() == "sqlite":
        named = bool(session.settings.database)
        unfit = await asyncio.to_thread(_unfit, Path(url.database or ""), named)
        if unfit is not None:
            return [unfit]
    try:
        store = await Store.open(session.where, create=False, connectors=session.settings.services)
    except MissionControlError as error:
        return [_failed("database", error)]
    try:
        return [finding async for finding in _looks(session, store, patience)]
    except DBAPIError as error:
        return [_failed("database", unreachable(url, error))]
    finally:
        await store.close()


def _unfit(path: Path, named: bool) -> HealthFinding | None:
    """Say why the file is not opened here: it is missing, damaged, or would be upgraded by that.

    A doctor changes nothing.
    """
    from mission_control_tui.model.store.migrations import HEAD, REVISIONS

    if not path.exists():
        said = f"none yet at {path}"
        if not named:
            return _note("database", f"{said}: the first command makes it")
        remedy = "Check the path, or make it: mission-control init"
        return _problem("database", said, remedy)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master")}
            row = (
                db.execute("SELECT version_num FROM alembic_version").fetchone()
                if "alembic_version" in tables
                else None
            )
    except sqlite3.Error as error:
        said, row = str(error), None
    if said != "ok":
        return _problem(
            "database",
            f"{path} is damaged or no database: {said}",
            f"Stop everything, keep the file, and restore a backup (ls {path}.backup-*).",
        )
    if row is not None and row[0] != HEAD and row[0] in REVISIONS:
        return _note(
            "database",
            f"{path} has schema {row[0]}, this program {HEAD}: the next command upgrades it",
            "It is backed up first. To do it now: mission-control upgrade",
        )
    return None


async def _looks(session: Session, store: Store, patience: float) -> AsyncIterator[HealthFinding]:
    from mission_control_tui.model.store.migrations import HEAD

    yield _ok("database", f"{shown_place(store.url)}, schema {HEAD}")
    yield await _clock(store)
    async for finding in _catalogue(session, store):
        yield finding
    yield await _worker(session, store)
    async for finding in _connectors(session, store, patience):
        yield finding


async def _clock(store: Store) -> HealthFinding:
    here, there = time.time(), await store.now()
    if here < _EARLIEST:
        said = f"This machine's clock says {time.strftime('%Y-%m-%d', time.gmtime(here))}."
        return _problem("clock", said, "Set it, and let it be kept (NTP).")
    off = there - here
    if abs(off) > CLOCK_SECONDS:
        said = f"The database's clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}."
        return _warning("clock", said, "Let both machines keep time by NTP.")
    return _ok("clock", "this machine and the database agree")


async def _catalogue(session: Session, store: Store) -> AsyncIterator[HealthFinding]:
    from mission_control_tui.model.catalogue.in_force import current

    try:
        found: InForce = await current(store)
    except MissionControlError as error:
        yield _failed("catalogue", error)
        return
    known = {"simulator", *session.settings.connectors}
    missing = sorted(
        {
            session.settings.services.get(service.id, service.connector)
            for service in found.catalogue.services
        }
        - known
    )
    if missing:
        yield _problem(
            "catalogue",
            f"Services need connectors that the settings do not have: {', '.join(missing)}.",
            f"Add a [connectors.{missing[0]}] table to the settings; see `mission-control docs connectors`.",
        )
    else:
        yield _ok("catalogue", f"version {found.number}")
    if found.catalogue.prices_are_examples:
        yield _note(
            "catalogue",
            "Its prices are examples.",
            "Before you sell, load your own: mission-control catalogue load FILE",
        )


async def _worker(session: Session, store: Store) -> HealthFinding:
    from mission_control_tui import __version__
    from mission_control_tui.model.accounts.editing import list_accounts
    from mission_control_tui.model.requests.queries import list_requests
    from mission_control_tui.model.requests.workers import is_older, live_workers
    from mission_control_tui.model.states import RequestState
    from mission_control_tui.provisioning.launcher import SUPPRESS

    workers = await live_workers(store, session.settings.worker.lease_seconds)
    waiting = 0
    for account in await list_accounts(store, session.caller):
        waiting += len(
            await list_requests(
                session.scope_of(store, account.id),
                states=[RequestState.QUEUED, RequestState.RUNNING],
                limit=1000,
            )
        )
    if workers:
        names = ", ".join(f"process {worker.pid} on {worker.host}" for worker in workers)
        older = [worker for worker in workers if is_older(worker.app_version, __version__)]
        if older:
            said = f"{names}; {len(older)} of an older version than this program ({__version__})"
            return _warning("worker", said, "Restart it with this version.")
        return _ok("worker", f"running: {names}; {waiting} requests in its hands")
    if not store.is_sqlite:
        level = Severity.PROBLEM if waiting else Severity.WARNING
        return HealthFinding(
            "worker",
            level,
            f"none is running, and {waiting} requests wait",
            "Start one where its key is: mission-control worker",
        )
    if waiting:
        why = "Why the last one ended: mission-control locate log"
        if os.environ.get(SUPPRESS) == "1":
            why = f"{SUPPRESS}=1 keeps commands from starting one."
        return _problem(
            "worker",
            f"none is running, and {waiting} requests wait",
            f"Start one: mission-control worker. {why}",
        )
    return _ok("worker", "none is running, and nothing waits: one starts when needed")


async def _connectors(
    session: Session, store: Store, patience: float
) -> AsyncIterator[HealthFinding]:
    from mission_control_tui.model.catalogue.in_force import current
    from mission_control_tui.model.requests.connector_pauses import pauses

    try:
        services = (await current(store)).catalogue.services
    except MissionControlError:
        # The catalogue's own look has said why.
        services = ()
    used: dict[str, list[str]] = {name: [] for name in session.settings.connectors}
    for service in services:
        connector = session.settings.services.get(service.id, service.connector)
        used.setdefault(connector, []).append(service.name)
    async with store.read() as reading:
        paused = {pause.name: pause for pause in await pauses(reading)}
    for name, serves in used.items():
        found = await _connector(session, store, name, patience)
        said = f"{found.said} (serves {', '.join(serves) or 'nothing'})"
        if name in paused and found.level is Severity.OK:
            said += f"; still paused after: {paused[name].said}"
            yield _warning(found.check, said, "The worker checks again by itself.")
        else:
            yield HealthFinding(found.check, found.level, said, found.remedy)


async def _connector(session: Session, store: Store, name: str, patience: float) -> HealthFinding:
    from mission_control_tui.provisioning.connectors import registry
    from mission_control_tui.provisioning.connectors.base import ConnectorError

    check = f"connector {name}"
    try:
        session.settings.connector(name)
        table = session.settings.connectors.get(name, {})
        connector = await registry.load(name, table, store.installation)
    except MissionControlError as error:
        return _failed(check, error)
    try:
        async with asyncio.timeout(patience):
            health = await connector.check()
    except TimeoutError:
        return _problem(
            check,
            f"no answer within {patience:g} s",
            "See that the back end runs and can be reached from here.",
        )
    except ConnectorError as error:
        return _problem(check, error.said, error.remedy)
    finally:
        await connector.aclose()
    detail = f", {health.detail}" if health.detail else ""
    return _ok(check, f"{health.version}{detail}")


def _disk(url: URL) -> Iterable[HealthFinding]:
    if url.get_backend_name() != "sqlite":
        return
    directory = Path(url.database or "").parent
    if not directory.exists():
        return
    free = shutil.disk_usage(directory).free
    if free < LOW_DISK_BYTES:
        yield _warning(
            "disk",
            f"only {free // 1024**2} MB are free in {directory}",
            "Make room: a full disk stops every change.",
        )
