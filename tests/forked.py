"""Processes of the program without a second's import each: forked from one that has imported everything already.

Each is a process of its own, in a session of its own, and runs its module as `python -m` does. What is tested about
the start itself starts the interpreter.
"""

# ruff: noqa: F401 - what is imported is for the processes that are forked

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[1]
LONGEST = 200_000
"""Bytes of a request: module, arguments, directory and environment."""

NUMBER = struct.Struct("i")


class ForkedProcess:
    """A process that runs `module` with `arguments`, as long as somebody waits for it or ends it."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes],
        stderr: IO[bytes],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.returncode: int | None = None
        self._told, status = os.pipe()
        request = {
            "module": module,
            "arguments": list(arguments),
            "cwd": str(cwd or Path.cwd()),
            "environment": dict(os.environ if env is None else env),
        }
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, status)
            if isinstance(stdin, int):
                stdin = stack.enter_context(Path(os.devnull).open("rb"))
            _server().send(request, [*(one.fileno() for one in (stdin, stdout, stderr)), status])
        self.pid = self._number(None)

    def _number(self, seconds: float | None) -> int:
        ready, _, _ = select.select([self._told], [], [], seconds)
        if not ready:
            raise subprocess.TimeoutExpired(f"process {self.pid}", seconds or 0.0)
        return int(NUMBER.unpack(os.read(self._told, NUMBER.size))[0])

    def wait(self, seconds: float | None = None) -> int:
        """Return the exit code, or the negative number of the signal that killed it; raises TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self._number(seconds)
            os.close(self._told)
        return self.returncode

    def poll(self) -> int | None:
        """Return what `wait` returns, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class _Server:
    """The process that is forked; it ends when this one does."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def send(self, request: object, descriptors: Sequence[int]) -> None:
        socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(20)


_running: list[_Server] = []


def _server() -> _Server:
    if not _running:
        _running.append(_Server())
    return _running[0]


def close() -> None:
    """End the process that is forked, if there is one."""
    while _running:
        _running.pop().close()


def _import_everything() -> None:
    """Import what a worker and a command need; the module that a process runs is left to it."""
    import aiosqlite
    import asyncpg
    import sqlalchemy.dialects.postgresql.asyncpg
    import sqlalchemy.dialects.sqlite.aiosqlite

    import mission_control_tui.cli
    import mission_control_tui.cli.installation.worker
    import mission_control_tui.model.store.upgrade
    import mission_control_tui.provisioning.backends
    import mission_control_tui.provisioning.connectors.postgresql
    import mission_control_tui.provisioning.connectors.simulator
    import mission_control_tui.provisioning.engine
    import mission_control_tui.provisioning.procrastinate_engine
    import mission_control_tui.provisioning.worker


def _serve(connection: socket.socket) -> None:
    _import_everything()
    assert threading.active_count() == 1, "only a process with one thread can be forked"
    gc.collect()
    gc.freeze()
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 4)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not request:
            return
        if os.fork() == 0:
            connection.close()
            _keep(json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(request: dict[str, Any], *descriptors: int) -> None:
    """Start the process, tell its id, wait for it and tell how it ended."""
    *streams, status = descriptors
    child = os.fork()
    if child == 0:
        os.close(status)
        _become(request, streams)
    for stream in streams:
        os.close(stream)
    os.write(status, NUMBER.pack(child))
    _, ended = os.waitpid(child, 0)
    os.write(status, NUMBER.pack(os.waitstatus_to_exitcode(ended)))
    os._exit(0)


def _become(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
