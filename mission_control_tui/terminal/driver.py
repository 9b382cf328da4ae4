"""The terminal driver: survives what broken lines send, never blocks the application on a slow one.

A frame that comes while another is under way is left out; what has arrived is followed by the newest.

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
from contextlib import suppress
from functools import partial
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual import constants
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.drivers.linux_driver import LinuxDriver

from mission_control_tui.terminal.control_sequences import ControlSequences
from mission_control_tui.terminal.frame_diff import FrameDiff, draws_cells
from mission_control_tui.terminal.frame_pacing import FramePacing
from mission_control_tui.terminal.input_events import InputEvents, answered
from mission_control_tui.terminal.job_control import can_be_resumed
from mission_control_tui.terminal.lifecycle import (
    CLEARED,
    CURSOR_HIDDEN,
    CURSOR_SHOWN,
    LEFT_ON,
    MOUSE_OFF,
)

if TYPE_CHECKING:
    from textual.app import App

FOCUS_REPORTING = ("\x1b[?1004h", "\x1b[?1004l")
POINTER_SHAPE = "\x1b]22;"
"""A request that few terminals know and some of the others print."""

ANSWER_SECONDS = 3.0
"""How long an answer to a query is waited for: many terminals never give one."""
LAST_ANSWER_SECONDS = 1.0
"""How long an answer is waited for before the keyboard goes back to the shell, which would take it for keys."""
_QUERY = re.compile(r"\x1b\[\?\d+\$p")


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
        self._last_frame = ""
        self._is_synchronised = False
        self._left_out = False
        """Whether a frame was left out, and what is newest has not been written yet."""
        self._repaints = False
        """Whether the screen was asked to paint what is newest."""
        self._handed_over: deque[float] = deque(maxlen=100)
        """When the last frames were handed over, on the clock of events."""
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._loop_of_app = asyncio.get_running_loop()
        self._pacing = FramePacing(self._loop_of_app, self._go_on)
        self._answered = threading.Event()
        """Set while the terminal owes no answer to what a frame ended with."""
        signal.signal(signal.SIGTSTP, self._on_stop_signal)
        self._asked: dict[str, float] = {}
        """What the terminal was asked, and until when an answer may come."""

    # Output

    def write(self, data: str) -> None:
        if data in FOCUS_REPORTING or data.startswith(POINTER_SHAPE) or self._writer is None:
            return
        if data in (SYNC_START, SYNC_END):
            self._is_synchronised = True
            return
        if draws_cells(data):
            self._write_frame(data)
            return
        if _QUERY.fullmatch(data):
            self._asked[data] = monotonic() + ANSWER_SECONDS
        self._writer.write(self._encoded(data))

    def _encoded(self, data: str) -> bytes:
        return data.encode(self._encoding, "replace")

    def _write_frame(self, data: str) -> None:
        if self._writer is None:
            return
        if self._is_busy or (self._left_out and not self._repaints):
            self._left_out, self._repaints = True, False
            if not self._is_busy:  # the writer came to its end meanwhile
                self._call(self._go_on)
            return
        self._left_out = self._repaints = False
        self._handed_over.append(monotonic())
        frame = self._frame_diff.diff(data, self._app.size.width)
        if self._last_frame.endswith(frame):  # nothing but the cursor, where it stands already
            return
        self._last_frame = frame
        if self._is_synchronised:
            frame = f"{SYNC_START}{frame}{SYNC_END}"
        request = self._pacing.request
        encoded = self._encoded(frame + request)
        seconds = self._pacing.begin(len(encoded))
        if request:
            self._answered.clear()
            self._asked[request] = monotonic() + max(seconds, ANSWER_SECONDS)
        self._writer.write(encoded)

    @property
    def _is_busy(self) -> bool:
        return self._pacing.is_under_way or (self._writer is not None and self._writer.backlog > 0)

    def _on_drained(self) -> None:
        if self._left_out:
            self._call(self._go_on)

    def _go_on(self) -> None:
        """Have the newest painted, if a frame was left out and none is under way any more."""
        if self._left_out and not self._repaints and not self._is_busy and self._app.screen_stack:
            self._repaints = True
            self._app.screen.refresh()

    @property
    def holds_frames(self) -> bool:
        """Whether what was painted waits for a slow line."""
        return self._left_out

    def shown_since(self, painted_at: float) -> float:
        """Return when what was painted at that time was handed to the terminal, in its own frame or a later one."""
        return next((at for at in self._handed_over if at >= painted_at), monotonic())

    @property
    def is_drawn(self) -> bool:
        """Whether all that was painted was handed to the terminal, which may not have shown it yet."""
        return not self._left_out and (self._writer is None or not self._writer.backlog)

    def _on_lost(self) -> None:
        self._answered.set()
        self._call(self._app.terminal_lost)  # type: ignore[attr-defined]

    def _call(self, function: Any) -> None:
        if not self._loop_of_app.is_closed():
            self._loop_of_app.call_soon_threadsafe(function)

    def forget_screen(self) -> None:
        """The terminal may show anything: the next frame is written as a whole."""
        self._frame_diff.forget()
        self._last_frame = ""

    def reset_terminal(self) -> None:
        """Take back what another program left on, so that keys and signs mean what they say."""
        modes = LEFT_ON.replace(MOUSE_OFF, "") if self._mouse else LEFT_ON
        shows_cursor = getattr(self._app, "shows_cursor", False)
        self.write(modes + (CURSOR_SHOWN if shows_cursor else CURSOR_HIDDEN))
        self.forget_screen()

    def start_application_mode(self) -> None:
        self.forget_screen()
        self._pacing = FramePacing(self._loop_of_app, self._go_on)
        self._answered.set()
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
        if self._pacing.request and not self._app.return_code:
            # Whoever ends it from outside gives little time, and keeps no shell that could get the answer.
            self._answered.wait(LAST_ANSWER_SECONDS)
        self._pacing.stop()
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
            for request in filter(None, map(answered, tokens)):
                self._asked.pop(request, None)
                if request == self._pacing.request:
                    self._answered.set()
                self._call(partial(self._pacing.answered, request))
            for event in typed.events(tokens):
                self.process_message(event)

    def _awaits_answer(self) -> bool:
        now = monotonic()
        return any(now < until for until in tuple(self._asked.values()))

    def _read_bytes(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""
