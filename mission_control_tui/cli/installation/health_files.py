"""What `doctor` looks at in files: who may read them, whose they are, and whether there is room for more."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.installation.findings import (
    HealthFinding,
    note,
    ok,
    problem,
    warning,
)
from mission_control_tui.model.errors import MissionControlError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

LOW_DISK_BYTES = 200 * 1024 * 1024


def look_at_files(session: Session, url: URL) -> Iterable[HealthFinding]:
    """Say which of the program's own files are open to others, and what is the matter with the key."""
    from mission_control_tui.model.store.upgrade import key_path
    from mission_control_tui.settings.settings import locations

    places = locations()
    embedded = url.get_backend_name() == "sqlite"
    database = Path(url.database or "")
    wanted = {places.data: 0o700, places.state: 0o700}
    if embedded:
        wanted |= {Path(f"{database}{end}"): 0o600 for end in ("", "-wal", "-shm", ".worker.log")}
    there = {path: mode for path, mode in wanted.items() if os.path.lexists(path)}
    bad = [finding for path, mode in there.items() if (finding := _open_to_others(path, mode))]
    log = Path(f"{database}.worker.log")
    if embedded and log.is_symlink():
        what = f"{log} is a link: no worker starts that would write to where it leads."
        bad.append(problem("files", what, shlex.join(("rm", str(log)))))
    yield from bad
    if there and not bad:
        holders = sorted({str(path if path.is_dir() else path.parent) for path in there})
        yield ok("files", f"private, {len(there)} looked at in {' and '.join(holders)}")
    try:
        key = key_path(url, session.settings.worker.key_file)
    except MissionControlError as error:
        yield note("key", error.what, f"{error.hint} It is needed where workers run.")
        return
    if key.exists():
        yield _open_to_others(key, 0o600, "key") or ok("key", f"{key} is private")
        if key.stat().st_size != 32:
            what = f"{key} is no key: it has {key.stat().st_size} bytes and not 32."
            lost = "passwords on their way cannot be delivered without it."
            yield problem("key", what, f"Restore it from your backup; {lost}")
    elif embedded and database.exists():
        lost = "without it no password is delivered."
        remedy = f"Restore it from your backup, or set worker.key_file; {lost}"
        yield problem("key", f"The worker's key is not at {key}.", remedy)
    elif key.is_symlink():
        remove = shlex.join(("rm", str(key)))
        yield problem("key", f"{key} is a link that leads nowhere.", remove)
    elif not embedded:
        yield note("key", f"not on this machine ({key}): only workers need it")


def look_at_secrets(
    tables: Mapping[str, object], where: str = "connectors"
) -> Iterable[HealthFinding]:
    """Look at the files that the tables of connectors name for passwords; whether they can be used, connectors say."""
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from look_at_secrets(value, f"{where}.{name}")
        elif name.endswith("password_file") and Path(str(value)).expanduser().exists():
            found = _open_to_others(Path(str(value)).expanduser(), 0o600, f"{where}.{name}")
            if found is not None:
                yield found


def _open_to_others(path: Path, mode: int, check: str = "files") -> HealthFinding | None:
    if path.is_symlink() and not path.exists():
        return None
    found = stat.S_IMODE(path.stat().st_mode)
    if found & 0o077:
        what = f"{path} is open to others (mode {found:04o})."
        return problem(check, what, shlex.join(("chmod", f"{mode:04o}", str(path))))
    if path.stat().st_uid != os.getuid():
        what = f"{path} belongs to another user (number {path.stat().st_uid})."
        return warning(check, what, "Run Mission Control as that user, or change the owner.")
    return None


def look_at_place(database: Path) -> Iterable[HealthFinding]:
    """Look whether the database that is not there yet can be made."""
    directory = next(place for place in database.parents if place.exists())
    if not directory.is_dir() or not os.access(directory, os.W_OK | os.X_OK):
        what = f"No database can be made at {database}: {directory} cannot be written to."
        yield problem("database", what, "Name another place with --database, or change its rights.")


def look_at_disk(url: URL) -> Iterable[HealthFinding]:
    """Say where there is little room left for a SQLite file."""
    if url.get_backend_name() != "sqlite":
        return
    parents = Path(url.database or "").absolute().parents
    directory = next(place for place in parents if place.is_dir())
    free = shutil.disk_usage(directory).free
    if free < LOW_DISK_BYTES:
        what = f"only {free // 1024**2} MB are free in {directory}"
        yield warning("disk", what, "Make room: a full disk stops every change.")
