"""What `doctor` looks at. Each look says what it found and, where something is wrong, what to do."""

from __future__ import annotations

import asyncio
import glob
import os
import shlex
import sqlite3
import stat
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.installation.findings import (
    HealthFinding,
    Severity,
    connector_finding,
    failed,
    note,
    ok,
    problem,
    warning,
)
from mission_control_tui.cli.installation.health_files import (
    look_at_disk,
    look_at_files,
    look_at_place,
    look_at_secrets,
)
from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from mission_control_tui.model.catalogue.in_force import InForce
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.model.store.database import Store

CLOCK_SECONDS = 2.0
NAMED_DOMAINS = 10
_EARLIEST = 1_750_000_000.0  # June 2025: a machine that says less has lost its clock


async def examine(session: Session, patience: float) -> tuple[HealthFinding, ...]:
    """Look at everything, the settings first; looks that need settings or a database are left out without them."""
    return tuple(
        replace(finding, remedy=as_called(_without_doctor(finding.remedy)))
        for finding in await _examine(session, patience)
    )


def _without_doctor(remedy: str) -> str:
    """Return what is to be done without the advice to run what is running."""
    return remedy.replace(", and run `mission-control doctor`.", ".")


async def _examine(session: Session, patience: float) -> tuple[HealthFinding, ...]:
    findings = [*_settings(session)]
    if findings[0].level is Severity.PROBLEM:
        return tuple(findings)
    from mission_control_tui.model.store.engine import database_url

    try:
        url = database_url(session.where)
    except MissionControlError as error:
        return (*findings, failed("database", error))
    findings += [*look_at_files(session, url), *look_at_secrets(session.settings.connectors)]
    findings += await _with_store(session, url, patience)
    findings += look_at_disk(url)
    return tuple(findings)


def _settings(session: Session) -> Iterable[HealthFinding]:
    from mission_control_tui.settings.followed import not_used
    from mission_control_tui.settings.settings import settings_file

    path = settings_file()
    try:
        settings = session.settings
        for name in settings.connectors:
            settings.connector(name)
    except UsageError as error:
        yield problem("settings", not_used(error.what_in_a_line), error.hint or f"Correct {path}.")
        return
    placed = {name for stated in settings.placement.values() for name in stated.connectors}
    unknown = sorted({*settings.services.values(), *placed} - settings.connector_names)
    if unknown:
        what = f"Services name connectors that do not exist: {', '.join(unknown)}."
        change = "[placement]" if unknown[0] in placed else "[services]"
        remedy = f"Add a [connectors.{unknown[0]}] table to {path}, or change {change}."
        yield problem("settings", what, remedy)
    elif not path.exists():
        yield ok("settings", f"none at {path}: everything is as shipped")
    else:
        yield ok("settings", str(path))
        if stat.S_IMODE(path.stat().st_mode) & 0o022:
            what = f"Others may write {path}, and so choose what your worker does."
            yield problem("settings", what, shlex.join(("chmod", "go-w", str(path))))


async def _with_store(session: Session, url: URL, patience: float) -> list[HealthFinding]:
    from sqlalchemy.exc import DBAPIError

    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.engine import unreachable

    if url.get_backend_name() == "sqlite":
        named = bool(session.settings.database)
        unfit = await asyncio.to_thread(_unfit, Path(url.database or ""), named)
        if unfit is not None:
            return [*unfit, *await _without_store(session, patience)]
    try:
        store = await Store.open(
            session.where,
            create=False,
            connectors=session.settings.services,
            placements=session.settings.placements,
        )
    except MissionControlError as error:
        return [failed("database", error)]
    try:
        return await _looks(session, store, patience)
    except DBAPIError as error:
        return [failed("database", unreachable(url, error))]
    finally:
        await store.close()


def _unfit(path: Path, named: bool) -> list[HealthFinding] | None:
    """Say why the file is not opened here: it is missing, damaged, or would be upgraded by that.

    A doctor changes nothing.
    """
    from mission_control_tui.model.store.migrations import HEAD, REVISIONS
    from mission_control_tui.model.store.sqlite_files import reading_uri

    if not path.exists():
        said = f"none yet at {path}"
        if not named:
            return [*look_at_place(path), note("database", f"{said}: the first command makes it")]
        remedy = "Check the path, or make it: mission-control init --name NAME --code CODE"
        return [problem("database", said, remedy)]
    row = None
    try:
        with closing(sqlite3.connect(reading_uri(path), uri=True, timeout=30)) as db:
            said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" in tables:
                row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        return [problem("database", f"{path} is damaged or no database: {said}", _restored(path))]
    if row is not None and row[0] != HEAD and row[0] in REVISIONS:
        said = f"{path} has schema {row[0]}, this program {HEAD}: the next command upgrades it"
        remedy = "It is backed up first. To do it now: mission-control upgrade"
        return [note("database", said, remedy)]
    return None


def _restored(path: Path) -> str:
    """Return how a database that was backed up comes back: by a copy from before an upgrade, or by a backup."""
    copies = sorted(path.parent.glob(f"{glob.escape(path.name)}.backup-*"), key=_changed_at)
    if not copies:
        return "Stop everything and take a backup of yours: mission-control restore DIRECTORY"
    # A log of the damaged file would be taken for one of the copy.
    files = [name for end in ("", "-wal", "-shm") if Path(name := f"{path}{end}").exists()]
    commands = [("mv", name, name.replace(str(path), f"{path}.damaged", 1)) for name in files]
    words = " && ".join(map(shlex.join, (*commands, ("cp", str(copies[-1]), str(path)))))
    return f"Stop everything and take what was there before an upgrade: {words}"


def _changed_at(path: Path) -> float:
    return path.stat().st_mtime


async def _looks(session: Session, store: Store, patience: float) -> list[HealthFinding]:
    from mission_control_tui.model.catalogue.in_force import current
    from mission_control_tui.model.store.engine import display_url
    from mission_control_tui.model.store.migrations import HEAD

    findings = [ok("database", f"{display_url(store.url)}, schema {HEAD}"), await _clock(store)]
    services: tuple[Service, ...] = ()
    try:
        found = await current(store)
    except MissionControlError as error:
        findings.append(failed("catalogue", error))
    else:
        services = found.catalogue.services
        findings += _catalogue(session, found)
        findings += await _settings_to_settle(session, store)
        from mission_control_tui.cli.installation.placement_health import placement_findings

        findings += await placement_findings(store, found.catalogue.services)
    findings.append(await _worker(session, store))
    findings += await _domains(session, store)
    return [*findings, *await _connectors(session, store, services, patience)]


async def _clock(store: Store) -> HealthFinding:
    from mission_control_tui.model.store import trusted_clock

    here, there = time.time(), await store.now()
    if here < _EARLIEST:
        said = f"This machine's clock says {time.strftime('%Y-%m-%d', time.gmtime(here))}."
        return problem("clock", said, "Set it, and let it be kept (NTP).")
    off = there - here
    if abs(off) > CLOCK_SECONDS:
        said = f"The database's clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}."
        return warning("clock", said, "Let both machines keep time by NTP.")
    async with store.read() as session:
        found = await trusted_clock.state(session)
    if found.doubt:
        return problem("clock", f"{found.doubt} {trusted_clock.HELD}", trusted_clock.REMEDY)
    return ok("clock", "this machine and the database agree")


def _catalogue(session: Session, found: InForce) -> Iterable[HealthFinding]:
    settings = session.settings
    needed = {
        name
        for service in found.catalogue.services
        for name in settings.serving(service.id, service.connector)
    }
    if missing := sorted(needed - settings.connector_names):
        what = f"Services need connectors that the settings do not have: {', '.join(missing)}."
        table = f"Add a [connectors.{missing[0]}] table to the settings"
        yield problem("catalogue", what, f"{table}; see `mission-control docs connectors`.")
    else:
        yield ok("catalogue", f"version {found.number}")
    if found.catalogue.prices_are_examples:
        remedy = "Before you sell, load your own: mission-control catalogue load FILE"
        yield note("catalogue", "Its prices are examples.", remedy)


async def _settings_to_settle(session: Session, store: Store) -> list[HealthFinding]:
    from mission_control_tui.model.services.unsettled import unsettled_count, unsettled_settings

    accounts = session.caller.accounts
    async with store.read() as reading:
        first = await unsettled_settings(reading, accounts=accounts, limit=1)
        count = await unsettled_count(reading, accounts) if first else 0
    if not first:
        return []
    (setting,) = first
    many = f", and {count - 1} more like it" if count > 1 else ""
    said = f"{setting.upn} of account {setting.account}: {setting}{many}"
    return [warning("settings of services", said, f"To take it away: {setting.command}")]


async def _worker(session: Session, store: Store) -> HealthFinding:
    from mission_control_tui import __version__
    from mission_control_tui.model.accounts.editing import list_accounts
    from mission_control_tui.model.requests.queries import list_requests
    from mission_control_tui.model.requests.workers import is_older, live_workers
    from mission_control_tui.model.states import RequestState
    from mission_control_tui.provisioning.launcher import SUPPRESS

    workers = await live_workers(store, session.settings.worker.lease_seconds)
    waiting = 0
    states = [RequestState.QUEUED, RequestState.RUNNING]
    for account in await list_accounts(store, session.caller):
        scope = session.scope_of(store, account.id)
        waiting += len(await list_requests(scope, states=states, limit=1000))
    if workers:
        names = ", ".join(f"process {worker.pid} on {worker.host}" for worker in workers)
        older = sum(is_older(worker.app_version, __version__) for worker in workers)
        if older:
            said = f"{names}; {older} of an older version than this program ({__version__})"
            return warning("worker", said, "Restart it with this version.")
        return ok("worker", f"running: {names}; {counted(waiting, 'request')} in its hands")
    said = f"none is running, and {counted(waiting, 'request waits', 'requests wait')}"
    if not store.is_sqlite:
        worse = problem if waiting else warning
        return worse("worker", said, "Start one where its key is: mission-control worker")
    if waiting:
        from mission_control_tui.provisioning.worker_log import log_path

        log = log_path(Path(store.url.database or ""))
        why = f"Why the last one ended is in {log}." if log.exists() else ""
        if os.environ.get(SUPPRESS) == "1":
            why = f"{SUPPRESS}=1 keeps commands from starting one."
        return problem("worker", said, f"{why} Start one: mission-control worker".lstrip())
    return ok("worker", "none is running, and nothing waits: one starts when needed")


async def _domains(session: Session, store: Store) -> list[HealthFinding]:
    """Say which bought domains end within 7, 30 and 60 days, and which are past their term."""
    from mission_control_tui.model.accounts.editing import list_accounts
    from mission_control_tui.model.command_words import command_line
    from mission_control_tui.model.services.domain_terms import Urgency, expiring_domains

    accounts = {account.id for account in await list_accounts(store, session.caller)}
    async with store.read() as reading:
        found = await expiring_domains(reading, accounts)
    if not found:
        return [ok("domains", "no term ends within 60 days")]
    findings = []
    for urgency in Urgency:
        near = [domain for domain in found if domain.urgency is urgency]
        if not near:
            continue
        named = "; ".join(f"{domain.said} ({domain.account})" for domain in near[:NAMED_DOMAINS])
        more = f"; and {len(near) - NAMED_DOMAINS} more" if len(near) > NAMED_DOMAINS else ""
        urgent = urgency in (Urgency.OVER, Urgency.DAYS)
        attended = urgency is not Urgency.OVER and all(domain.auto_renew for domain in near)
        level = warning if urgent and not attended else note
        first = next((domain for domain in near if not domain.auto_renew), near[0])
        renew = command_line("--account", first.account, "renew", first.name)
        remedy = "" if attended else f"Renew it, or let it go: {renew}"
        findings.append(level("domains", f"{named}{more}", remedy))
    return findings


async def _without_store(session: Session, patience: float) -> list[HealthFinding]:
    """Look at the back ends as a new database would have them, before there is one."""
    from mission_control_tui.model.catalogue.file.parse import parse
    from mission_control_tui.model.catalogue.file.shipped import shipped

    return await _connectors(session, None, parse(shipped()).services, patience)


async def _connectors(
    session: Session, store: Store | None, services: Iterable[Service], patience: float
) -> list[HealthFinding]:
    from mission_control_tui.model.requests.connector_pauses import pauses
    from mission_control_tui.provisioning.connector_health import check_connectors
    from mission_control_tui.settings.served import holders_of, served_by_connector

    settings = session.settings
    paused = {}
    if store is not None:
        async with store.read() as reading:
            paused = {pause.name: pause for pause in await pauses(reading)}
    installation = store.installation if store is not None else ""
    served = served_by_connector(services, settings)
    looked = await check_connectors(served, settings, installation, patience)
    return [
        connector_finding(
            found, served[found.name], holders_of(found.name, settings), paused.get(found.name)
        )
        for found in looked
    ]
