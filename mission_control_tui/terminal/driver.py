"""The terminal driver: survives what broken lines send, never blocks the application on a slow one.

Textual's own driver dies of mouse bytes that are not UTF-8, spins or hangs when the terminal goes away, blocks the
event loop while the terminal takes nothing, and wakes ten times a second. Only public methods of it are replaced.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import sys
import threading
from collections import deque
from contextlib import AbstractContextManager, suppress
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual import constants
from textual.drivers.linux_driver import LinuxDriver

from mission_control_tui.terminal.control_sequences import ControlSequences
from mission_control_tui.terminal.frame_diff import FrameDiff
from mission_control_tui.terminal.input_events import InputEvents, answered_mode
from mission_control_tui.terminal.job_control import can_be_resumed
from mission_control_tui.terminal.lifecycle import CLEARED, LEFT_ON, MOUSE_OFF

if TYPE_CHECKING:
    from textual.app import App

FOCUS_REPORTING = ("\x1b[?1004h", "\x1b[?1004l")
POINTER_SHAPE = "\x1b]22;"
"""A request that few terminals know and some of the others print."""

BACKLOG = 2048
"""Bytes waiting for the terminal above which painting pauses; when they are gone, the newest state is painted once."""

ANSWER_SECONDS = 3.0
"""How long an answer to a query is waited for: many terminals never give one."""
_QUERY = re.compile(r"\x1b\[\?(\d+)\$p")


class Writer(threading.Thread):
    """Writes bytes to the terminal in the background, in order; what the terminal does not take waits here."""

    def __init__(self, descriptor: int, drained: Any, lost: Any) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._descriptor = descriptor
        self._drained = drained
        self._lost = lost
        self._queue: deque[bytes] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._dead = False
        self.backlog = 0

    def write(self, data: bytes) -> None:
        with self._ready:
            if self._dead:
                return
            self._queue.append(data)
            self.backlog += len(data)
            self._ready.notify()

    def run(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._stopping:
                    self._ready.wait()
                if not self._queue:
                    return
                data = b"".join(self._queue)
                self._queue.clear()
            if not self._put(data):
                return
            with self._ready:
                empty = not self._queue
            if empty:
                self._drained()

    def _put(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view[:4096])
            except BlockingIOError:
                select.select([], [self._descriptor], [], 1.0)
                continue
            except InterruptedError:
                continue
            except OSError:
                with self._ready:
                    self._dead = True
                    self._queue.clear()
                    self.backlog = 0
                self._lost()
                return False
            view = view[written:]
            with self._ready:
                self.backlog -= written
        return True

    def stop(self) -> None:
        """Let it finish what is queued, but do not wait for a terminal that takes nothing."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self.join(0.5)


class ConsoleDriver(LinuxDriver):
    """See the module."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        stream = cast(TextIO, sys.__stderr__)
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding or "ascii"
        self._writer: Writer | None = None
        self._frame_diff = FrameDiff()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._paused: AbstractContextManager[None] | None = None
        self._loop_of_app = asyncio.get_running_loop()
        signal.signal(signal.SIGTSTP, self._on_stop_signal)
        self._asked: dict[str, float] = {}
        """Modes whose state the terminal was asked for, and when."""

    # Output

    def write(self, data: str) -> None:
        if data in FOCUS_REPORTING or data.startswith(POINTER_SHAPE) or self._writer is None:
            return
        if query := _QUERY.fullmatch(data):
            self._asked[query[1]] = monotonic()
        data = self._frame_diff.diff(data, self._app.size.width)
        self._writer.write(data.encode(self._encoding, "replace"))
        if self._writer.backlog > BACKLOG and self._paused is None:
            self._paused = self._app.batch_update()
            self._paused.__enter__()
            if not self._writer.backlog:  # it drained between the two lines above
                self._call(self._go_on)

    def _on_drained(self) -> None:
        if self._paused is not None:
            self._call(self._go_on)

    def _go_on(self) -> None:
        if self._paused is not None and self._writer is not None and not self._writer.backlog:
            paused, self._paused = self._paused, None
            paused.__exit__(None, None, None)
            if self._app.screen_stack:
                self._app.screen.check_idle()

    def _on_lost(self) -> None:
        self._call(self._app.terminal_lost)  # type: ignore[attr-defined]

    def _call(self, function: Any) -> None:
        if not self._loop_of_app.is_closed():
            self._loop_of_app.call_soon_threadsafe(function)

    def forget_screen(self) -> None:
        """The terminal may show anything: the next frame is written as a whole."""
        self._frame_diff.forget()

    def reset_terminal(self) -> None:
        """Take back what another program left on, so that keys and signs mean what they say."""
        modes = LEFT_ON.replace(MOUSE_OFF, "") if self._mouse else LEFT_ON
        self.write(modes)
        self.forget_screen()

    def start_application_mode(self) -> None:
        self.forget_screen()
        self._writer = Writer(self._descriptor, self._on_drained, self._on_lost)
        self._writer.start()
        while select.select([self._wake_read], [], [], 0)[0]:
            os.read(self._wake_read, 64)
        super().start_application_mode()  # type: ignore[no-untyped-call]

        self.reset_terminal()

    def stop_application_mode(self) -> None:
        # Where there is no alternate screen, the shell's prompt would stand inside the picture.
        self.write(CLEARED)
        super().stop_application_mode()

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        """Suspend, unless nobody could bring the console back."""
        if can_be_resumed():
            super()._sigtstp_application(number, frame)
        else:
            self._call(self._app.say_not_suspended)  # type: ignore[attr-defined]

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            self._writer.stop()
            self._writer = None

    # Input

    def disable_input(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"x")
        super().disable_input()

    def run_input_thread(self) -> None:
        """Read keys until asked to stop; the end of input means that the terminal is gone."""
        try:
            self._read_keys()
        except Exception as error:  # noqa: BLE001 - ends the application, which then says so
            fault = error
            self._call(lambda: self._app.fail(fault))  # type: ignore[attr-defined]

    def _read_keys(self) -> None:
        sequences = ControlSequences(constants.ESCAPE_DELAY)
        typed = InputEvents(mouse=self._mouse)
        while not self.exit_event.is_set():
            sequences.awaits_answer = self._awaits_answer()
            wait = sequences.wait
            descriptors = [self.fileno, self._wake_read]
            ready, _writable, _failed = select.select(descriptors, [], [], wait)
            if self._wake_read in ready:
                return
            if self.fileno in ready:
                data = self._read_bytes()
                if not data:
                    self._on_lost()
                    return
                tokens = sequences.feed(data, monotonic())
            else:
                tokens = sequences.tick(monotonic())
            for token in tokens:
                self._asked.pop(answered_mode(token) or "", None)
            for event in typed.events(tokens):
                self.process_message(event)

    def _awaits_answer(self) -> bool:
        now = monotonic()
        return any(now - at < ANSWER_SECONDS for at in tuple(self._asked.values()))

    def _read_bytes(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""
