"""A program in a pseudo-terminal of its own, and what its screen shows: the tests' eyes and fingers."""

from __future__ import annotations

import codecs
import copy
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

import psutil
import pyte
from wcwidth import wcwidth

ESC = "\x1b"
KEYS = {
    "up": "[A", "down": "[B", "right": "[C", "left": "[D", "home": "[H", "end": "[F", "pageup": "[5~",
    "pagedown": "[6~", "shift+tab": "[Z", "f1": "OP", "f2": "OQ", "f3": "OR", "f4": "OS", "f5": "[15~",
    "f6": "[17~", "f7": "[18~", "f8": "[19~", "f9": "[20~", "f10": "[21~", "f11": "[23~", "f12": "[24~",
}  # fmt: skip
PLAIN = {
    "enter": "\r",
    "tab": "\t",
    "escape": ESC,
    "space": " ",
    "backspace": "\x7f",
    "ctrl+o": "\x0f",
    "ctrl+u": "\x15",
    "ctrl+z": "\x1a",
}
QUERY = re.compile(rb"\x1b\[(?:(\?\d+)\$p|5n)")
MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])\d*u")
NOT_SCREEN = re.compile(r"\x1b\[[<=>?][\d;:]*\$?[a-gi-kn-z]|\x1b\[\d*;?\d*t")
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?\Z")
STARTS_ON = {"7", "25"}
_TAKE_TERMINAL = "import fcntl,os,sys,termios;fcntl.ioctl(0,termios.TIOCSCTTY,0);os.execvp(sys.argv[1],sys.argv[1:])"
_AS_A_JOB = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
"""


class _Screen(pyte.Screen):
    """pyte, and the alternate screen that it lacks."""

    _kept: Any = None

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        super().set_mode(*modes, **kwargs)
        if kwargs.get("private") and 1049 in modes and self._kept is None:
            self._kept = copy.deepcopy(self.buffer), copy.copy(self.cursor)
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        super().reset_mode(*modes, **kwargs)
        if kwargs.get("private") and 1049 in modes and self._kept is not None:
            self.buffer, self.cursor = self._kept
            self._kept = None


class Terminal:
    """Runs `argv` in a terminal of `size`; `modern` answers that it knows synchronised output.

    `answers` are the kinds of requests that it answers at all.

    `as_job` runs it as a shell with job control does, so that it can be suspended and brought back.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        term: str = "xterm-256color",
        env: Mapping[str, str] | None = None,
        modern: bool = True,
        answers: Collection[str] = ("mode", "status"),
        as_job: bool = False,
    ) -> None:
        self._as_job = as_job
        self.columns, self.rows = size
        self.modern = modern
        self.answers = answers
        self.output = b""
        self.modes: dict[str, bool] = {}
        self.screen = _Screen(self.columns, self.rows)
        self._stream = pyte.Stream(self.screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._tail = b""
        self.closed = False
        master, slave = pty.openpty()
        self.master = master
        self._set_size()
        clean = {
            name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ
        }
        root = str(Path(__file__).parents[2])
        clean["PYTHONPATH"] = os.pathsep.join(filter(None, (root, clean.get("PYTHONPATH", ""))))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _AS_A_JOB if as_job else _TAKE_TERMINAL, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**clean, "LANG": "C.UTF-8", "TERM": term, **(env or {})},
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def _set_size(self) -> None:
        fcntl.ioctl(
            self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0)
        )

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self._set_size()
        if self.modes.get("2048"):
            # Who asked to be told so does not look at the size by itself any more.
            self.send_raw(b"\x1b[48;%d;%d;0;0t" % (rows, columns))

    def hang_up(self) -> None:
        """Take the terminal away."""
        if not self.closed:
            os.close(self.master)
            self.closed = True

    # What it says

    def read(self, wait: float) -> bool:
        """Take one chunk of output if there is any within `wait` seconds."""
        data = self.receive(wait)
        if data:
            self.show(data)
        return bool(data)

    def receive(self, wait: float) -> bytes:
        """Take what the program writes within `wait` seconds."""
        if self.closed or not select.select([self.master], [], [], max(wait, 0))[0]:
            return b""
        try:
            return os.read(self.master, 65536)
        except OSError:
            return b""

    def show(self, data: bytes) -> None:
        """Draw what was written, and answer what it asks."""
        self.output += data
        window = self._tail + data
        end = 0
        for match in QUERY.finditer(window):
            end = match.end()
            state = 2 if self.modern else 0
            if match[1] and "mode" in self.answers:
                self.send_raw(b"\x1b[" + match[1] + b";%d$y" % state)
            elif not match[1] and "status" in self.answers:
                self.send_raw(b"\x1b[0n")
        self._tail = window[end:][-16:]
        for match in MODE.finditer(data):
            for mode in (match[1] or b"").decode().split(";"):
                if mode:
                    self.modes[mode] = match[2] == b"h"
            if match[3]:
                self.modes["kitty"] = match[3] == b">"
        text = self._held + self._decode(data)
        unfinished = UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        if unfinished:
            text = text[: unfinished.start()]
        self._stream.feed(NOT_SCREEN.sub("", text))

    def wait_for(self, pattern: str, timeout: float = 30.0) -> None:
        """Read until a regular expression is on the screen."""
        wanted = re.compile(pattern)
        deadline = monotonic() + timeout
        while not wanted.search(self.text()):
            if not self.read(0.05) and (monotonic() > deadline or self._gone()):
                raise AssertionError(f"{pattern!r} never came; the screen:\n{self.text()}")

    def wait_until_gone(self, pattern: str, timeout: float = 30.0) -> None:
        wanted = re.compile(pattern)
        deadline = monotonic() + timeout
        while wanted.search(self.text()):
            if not self.read(0.05) and monotonic() > deadline:
                raise AssertionError(f"{pattern!r} stays; the screen:\n{self.text()}")

    def _gone(self) -> bool:
        return self.process.poll() is not None and not self.read(0)

    def settle(self, quiet: float = 0.3, timeout: float = 10.0) -> None:
        """Read until nothing has come for `quiet` seconds."""
        deadline = monotonic() + timeout
        while self.read(quiet) and monotonic() < deadline:
            pass

    def text(self) -> str:
        return "\n".join(self._line(y).rstrip() for y in range(self.rows))

    def _line(self, y: int) -> str:
        """A row; what is left of a wide character that was half drawn over is blank, as terminals show it."""
        row, found, wide = self.screen.buffer[y], [], False
        for x in range(self.columns):
            char = row[x].data
            found.append(char or ("" if wide else " "))
            wide = bool(char) and wcwidth(char[0]) == 2
        return "".join(found)

    def cells(self) -> list[list[tuple[Any, ...]]]:
        """Every cell: character, colours and attributes."""
        return [
            [tuple(self.screen.buffer[y][x]) for x in range(self.columns)] for y in range(self.rows)
        ]

    def modes_left(self) -> list[str]:
        """Modes that are not as a terminal starts with."""
        return sorted(mode for mode, on in self.modes.items() if on != (mode in STARTS_ON))

    def is_raw(self) -> bool:
        """Whether the terminal passes keys on without echoing them."""
        return not termios.tcgetattr(self.master)[3] & termios.ECHO

    # What it is told

    def send_raw(self, data: bytes) -> None:
        os.write(self.master, data)

    def press(self, *keys: str) -> None:
        """Press keys by name; anything else is typed as it is."""
        for key in keys:
            self.send_raw((PLAIN.get(key) or (ESC + KEYS[key] if key in KEYS else key)).encode())

    def press_measured(self, key: str, quiet: float = 0.25) -> int:
        """Press a key and return how many bytes it made the program write."""
        self.settle(0.05)
        before = len(self.output)
        self.press(key)
        self.read(5.0)
        self.settle(quiet)
        return len(self.output) - before

    @property
    def pid(self) -> int:
        """The process id of the program."""
        if self._as_job:
            return int(psutil.Process(self.process.pid).children()[0].pid)
        return self.process.pid

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout: float = 10.0) -> int:
        """The exit status, as a shell would say it."""
        deadline = monotonic() + timeout
        while self.process.poll() is None:
            if monotonic() > deadline:
                raise AssertionError(f"still running; the screen:\n{self.text()}")
            if not self.read(0.02):
                sleep(0.005)
        self.settle(0.1)
        status = self.process.returncode
        return 128 - status if status < 0 else status

    def wait_until_stopped(self, timeout: float = 10.0) -> None:
        """Wait until the process is suspended."""
        deadline = monotonic() + timeout
        stat = Path(f"/proc/{self.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            if monotonic() > deadline:
                raise AssertionError("it does not suspend")
            self.read(0.05)
        self.settle(0.1)

    def cpu_seconds(self) -> float:
        """CPU seconds of all its threads."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return (
            sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
        )
