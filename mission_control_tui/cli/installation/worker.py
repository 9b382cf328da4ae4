"""`worker`: a worker in the foreground."""

from __future__ import annotations

import os
import sys

import click

from mission_control_tui.cli.common.options import example, places
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.errors import UsageError


@click.command()
@option(
    "--idle-exit",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="End after so long without work (embedded database only).",
)
@option(
    "--once",
    is_flag=True,
    help="Do what is queued and due now, then end (embedded database only): for a timer.",
)
@places
@pass_session
@example(
    "mission-control worker",
    "mission-control worker --idle-exit 60",
    "mission-control worker --once",
)
def worker(session: Session, idle_exit: float | None, once: bool) -> None:
    """Run a worker in the foreground until it is told to stop (Ctrl-C, SIGTERM).

    It logs to standard error. Commands that queue start one in the background by themselves
    where the database is the embedded one; with PostgreSQL an administrator runs this.
    """
    import msgspec

    from mission_control_tui.model.store.engine import database_url
    from mission_control_tui.provisioning.worker_main import run_worker
    from mission_control_tui.settings.settings import load

    session.caller.require_write()
    settings = session.settings
    if once:
        idle_exit = 0.0
    if idle_exit is not None:
        if database_url(session.where).get_backend_name() != "sqlite":
            raise UsageError(
                f"{'--once' if once else '--idle-exit'} is for the embedded database: "
                "on PostgreSQL workers stay."
            )
        ahead = 0.0 if once else settings.worker.schedule_ahead_seconds
        idle = msgspec.structs.replace(
            settings.worker, idle_seconds=idle_exit, schedule_ahead_seconds=ahead
        )
        settings = msgspec.structs.replace(settings, worker=idle)
    flags = {"database": session.database, "account": session.account}
    code = run_worker(
        settings, session.where, foreground=idle_exit is None, reload=lambda: load(flags=flags)
    )
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of the engine that still wait for a dead database must not keep the process.
    os._exit(code)
