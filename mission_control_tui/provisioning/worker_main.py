"""A worker as a process: in the foreground for `mission-control worker`, or detached by launcher.py."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mission_control_tui import __version__
from mission_control_tui.model.errors import Conflict, MissionControlError, UsageError
from mission_control_tui.provisioning.heap import keep_small
from mission_control_tui.provisioning.worker_log import LOG_LIMIT, log_path, open_log
from mission_control_tui.settings.garbage import collect_from_now_on, collect_nothing_yet
from mission_control_tui.settings.settings import Settings, load

if TYPE_CHECKING:
    from mission_control_tui.connect.declaration import Declaration
    from mission_control_tui.model.store.database import Store

log = logging.getLogger("mission_control_tui.provisioning")

SWITCH_SECONDS = 0.001
"""How long the thread of a connector may keep the interpreter while an answer of the database waits for it."""
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def run_worker(
    settings: Settings,
    url: str,
    *,
    foreground: bool,
    handler: logging.Handler | None = None,
    reload: Callable[[], Settings] | None = None,
    lock: int | None = None,
) -> int:
    """Be a worker of the database at `url` until the end; return the exit code.

    0: told to stop (SIGTERM, SIGINT), idle (embedded and not in the foreground only), or drained for a newer version.
    12: frozen for longer than its lease and taken over. Raises Conflict when an embedded worker runs already, and
    StoreError. The log goes to `handler` (stderr). `reload` reads the settings again while a connector is paused.
    """
    _log_to(handler or logging.StreamHandler(sys.stderr))
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_small()
    last = _LastResort()
    try:
        return asyncio.run(_work(settings, url, foreground, reload, lock, last))
    finally:
        last.call_off()


def _read_again(reload: Callable[[], Settings], store: Store) -> Settings:
    """Return the settings as they are now; what this worker places follows them."""
    latest = reload()
    store.placements = latest.placements
    return latest


class _LastResort:
    """Ends the process whatever holds it, once it has been told to end and the time for that is over."""

    def __init__(self) -> None:
        self._timers: list[threading.Timer] = []

    def ends_within(self, seconds: float, code: int) -> None:
        timer = threading.Timer(seconds, self._end, (code,))
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def call_off(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _end(self, code: int) -> None:
        log.error("the worker is held up and ends in the middle of it")
        faulthandler.dump_traceback(all_threads=True)
        os._exit(code)


def _log_to(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(_FORMAT))
    # What the engine says of a job, and of itself, is said by this program already.
    for name, level in (("mission_control_tui", logging.INFO), ("procrastinate", logging.CRITICAL)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


async def _work(
    settings: Settings,
    url: str,
    foreground: bool,
    reload: Callable[[], Settings] | None,
    lock: int | None,
    last: _LastResort,
) -> int:
    from mission_control_tui.connect.declaration import PASSWORD
    from mission_control_tui.model.caller import WORKER
    from mission_control_tui.model.installation.connector_switch import switch_connectors
    from mission_control_tui.model.requests.workers import Identity
    from mission_control_tui.model.search.renewal import renew
    from mission_control_tui.model.services.kept_settings import keep_declaration
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.upgrade import key_path
    from mission_control_tui.provisioning.backends import Backends
    from mission_control_tui.provisioning.engine import EmbeddedEngine, JobEngine, RunRequest
    from mission_control_tui.provisioning.worker import Worker

    store = await Store.open(
        url,
        create=False,
        connectors=settings.services,
        placements=settings.placements,
        inline=True,
    )
    try:
        me = Identity.of_this_process(__version__)

        def make_engine(run: RunRequest) -> JobEngine:
            if store.is_sqlite:
                return EmbeddedEngine(store, me, settings.worker.lease_seconds, run)
            from mission_control_tui.provisioning.procrastinate_engine import ProcrastinateEngine

            return ProcrastinateEngine(store, me, settings.worker, run)

        async def keep(connector: str, declares: Declaration) -> None:
            sets = PASSWORD in declares.capabilities
            await keep_declaration(store, connector, declares.options, password=sets)

        follow = None if reload is None else partial(_read_again, reload, store)
        worker = Worker(
            store,
            settings.worker,
            Backends(settings, store.installation, follow, keep),
            make_engine,
            key_path(store.url, settings.worker.key_file),
            me,
            stays=foreground,
            ends_within=last.ends_within,
        )
        collect_from_now_on()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        await worker.acquire()
        if lock is not None:
            os.close(lock)
        for switch in await switch_connectors(store, WORKER):
            log.info(
                "service %s went from connector %s to %s: %d not checked, %d still run",
                *(switch.service_id, switch.before, switch.after, switch.moved, switch.running),
            )
        if not store.folded_anew:
            await renew(store)
            log.info("what users are found by was folded anew")
        log.info("worker %s begins at %s", me.id, store.shown_url)
        code = await worker.run()
        log.info("worker %s ends with code %d", me.id, code)
        return code
    finally:
        await store.close()


class _ShortLog(logging.StreamHandler[TextIO]):
    """Writes to stderr, and points stdout and stderr at a fresh file when that has grown too long."""

    def __init__(self, path: Path) -> None:
        super().__init__(sys.stderr)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        if os.fstat(2).st_size > LOG_LIMIT:
            descriptor = open_log(self._path)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.close(descriptor)
        super().emit(record)


def _called_with(arguments: Sequence[str]) -> tuple[str, int | None]:
    """Return the database and the lock that the launcher names, in its order.

    Raises UsageError, which repeats nothing of them: the address of a database may hold a password.
    """
    match arguments:
        case ["--database", database] if Path(database).name:
            return database, None
        case ["--database", database, "--lock", lock] if Path(database).name and lock.isdecimal():
            return database, int(lock)
    raise UsageError(
        "A worker is called with --database DATABASE, and perhaps --lock NUMBER behind it.",
        hint="Start one with `mission-control worker`.",
    )


def main() -> int:
    """Be the detached worker, of `--database`, with an open `--lock`; its stdout and stderr are its log."""
    collect_nothing_yet()
    try:
        # argparse, for these two of our own launcher, would stay in memory for as long as the worker lives.
        database, lock = _called_with(sys.argv[1:])
    except UsageError as error:
        log.error("%s", error)
        return error.exit_code

    def settings() -> Settings:
        """Return the settings of whoever started this worker: the simulator's file depends on the database."""
        return load(flags={"database": database})

    try:
        return run_worker(
            settings(),
            database,
            foreground=False,
            handler=_ShortLog(log_path(Path(database))),
            reload=settings,
            lock=lock,
        )
    except Conflict as error:
        log.info("%s", error.what)
        return error.exit_code
    except MissionControlError as error:
        log.error("%s", error)
        return error.exit_code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of the engine that still wait for a dead database must not keep the process.
    os._exit(code)
