"""Starting the embedded worker from a command or a console: quick, detached, once.

The launcher takes the starter's lock (an flock beside the database) and hands it to the process that it starts, which
keeps it until it has the lease or gives up: however many commands queue something at the same moment, one worker
starts. The engine is not imported here.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from enum import StrEnum
from pathlib import Path

from mission_control_tui import __version__
from mission_control_tui.model.errors import Conflict, StoreError
from mission_control_tui.model.requests.workers import LeaseLost, is_older, live_workers
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.worker_log import log_path, open_log
from mission_control_tui.settings.child_processes import command, environment_of_ours
from mission_control_tui.settings.settings import Settings

SUPPRESS = "MISSION_CONTROL_NO_WORKER"

NO_FAILURE = frozenset({Conflict.exit_code, LeaseLost.exit_code})
"""What a worker ends with beside 0 when another one is at work: one came first, or took over."""

_started: list[tuple[Path, subprocess.Popen[bytes]]] = []
_failed: set[Path] = set()


class Presence(StrEnum):
    """The worker that will do what is queued."""

    RUNNING = "running"  # a worker is at work
    STARTED = "started"  # one is starting, by this call or another
    ABSENT = "absent"  # PostgreSQL, and no worker is running: an administrator starts those
    SUPPRESSED = "suppressed"  # MISSION_CONTROL_NO_WORKER=1
    FAILED = "failed"  # the last one that was started here ended with an error; the next try begins


class WorkerStartError(StoreError):
    """Raised where the system does not let a worker be started."""

    code = "worker-not-started"


async def ensure_worker(store: Store, settings: Settings) -> Presence:
    """See to it that somebody does what is queued. Call it after the commit that queued it.

    Also worth calling while lights stay orange: it replaces a worker that was killed, and finds out that the one it
    started failed. Raises WorkerStartError, and StoreError.
    """
    if os.environ.get(SUPPRESS) == "1":
        return Presence.SUPPRESSED
    _reap()
    workers = await live_workers(store, settings.worker.lease_seconds)
    if not store.is_sqlite:
        return Presence.RUNNING if workers else Presence.ABSENT
    database = Path(store.url.database or "")
    if any(not is_older(worker.app_version, __version__) for worker in workers):
        _failed.discard(database)
        return Presence.RUNNING
    try:
        presence = _start(database, settings)
    except OSError as error:
        raise WorkerStartError(
            f"No worker can be started: {error}.",
            hint="Start one yourself with `mission-control worker`; what is queued waits for it.",
        ) from error
    return Presence.FAILED if database in _failed else presence


def _start(database: Path, settings: Settings) -> Presence:
    lock = os.open(
        starter_lock(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return Presence.STARTED
    try:
        log = open_log(log_path(database))
        try:
            process = subprocess.Popen(
                command(
                    "mission_control_tui.provisioning.worker_main",
                    *("--database", str(database), "--lock", str(lock)),
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
                cwd=database.parent,
                env=environment_of_ours(settings),
            )
        finally:
            os.close(log)
    finally:
        os.close(lock)
    _started.append((database, process))
    return Presence.STARTED


def _reap() -> None:
    """Let go of workers that ended, so that they do not stay behind as zombies, and note those that failed."""
    running = []
    for database, process in _started:
        code = process.poll()
        if code is None:
            running.append((database, process))
        elif code > 0 and code not in NO_FAILURE:
            _failed.add(database)
    _started[:] = running


def starter_lock(database: Path) -> Path:
    """Return the file whose flock means that a worker is starting."""
    return database.with_name(f"{database.name}.worker.lock")
