"""Telling one process from another that got the same number later."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def host_name() -> str:
    """Return this machine's name, as workers note it."""
    return socket.gethostname()


def started_at(pid: int) -> float | None:
    """Return when the process `pid` of this machine was started; None when there is none, or only its remains.

    The unit is the platform's own: the value only identifies. On Linux it does not depend on the clock, which may be
    moved.
    """
    if pid <= 0:
        return None
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _started_at_elsewhere(pid)
    try:
        # The name in parentheses may hold anything, spaces and parentheses included.
        fields = stat.read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else float(fields[19])


def _started_at_elsewhere(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(host: str, pid: int, pid_started: float) -> bool:
    """Tell whether that very process runs (or is frozen). What runs on another machine is taken for alive."""
    return host != host_name() or started_at(pid) == pid_started


def this_process() -> tuple[str, int, float]:
    """Return host, number and start of the process that calls."""
    pid = os.getpid()
    return host_name(), pid, started_at(pid) or 0.0
