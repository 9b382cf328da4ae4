"""One frame under way: the next one is written when the terminal says that it has taken the one before.

A modem, tmux or sshd takes at once whatever is written and hides what it has not sent on, so that a slow line goes on
for many seconds showing what was painted long ago. So each frame ends with a request for the terminal's status, which
is answered in its turn. Where no answer ever comes, a frame is given the time that a slow line needs for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

STATUS = "\x1b[5n"
"""ECMA-48, 8.3.35 (DSR): nearly every terminal answers it, and few requests are as short."""
MODE = "\x1b[?7$p"
"""What is asked instead where the status was not told, but the state of a mode was."""

SLOWEST = 960
"""Bytes a second that a line takes at least: 9600 baud."""
FIRST_SECONDS = 2.0
"""How long the first answer is waited for, while no frame is; a later one still tells that this terminal answers."""
PATIENCE = 1.0
"""Seconds for an answer to come back, beyond those for the frame to arrive."""
MOST_MISSED = 3
"""After so many answers in a row that did not come, a terminal that used to answer is asked no more."""
AHEAD = 0.5
"""Seconds that a line on which nothing answers may be behind when the next frame follows."""
MOST_SECONDS = 2.0
"""How long the next frame waits there at most."""


class FramePacing:
    """Knows whether a frame is under way; `arrived` is called when it no longer is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, arrived: Callable[[], None]) -> None:
        self._loop = loop
        self._arrived = arrived
        self._timer: asyncio.TimerHandle | None = None
        self._first: asyncio.TimerHandle | None = None
        self._has_answered = False
        self._missed = 0
        self._free_at = 0.0
        self.request = STATUS
        """What a frame ends with; empty where nothing is answered."""
        self.tells_modes = False
        """Whether the terminal has told the state of a mode."""

    @property
    def is_under_way(self) -> bool:
        return self._timer is not None

    def begin(self, size: int) -> float:
        """Take note of a frame of `size` bytes, the request included; return how many seconds it may take."""
        if not self.request:
            now = self._loop.time()
            self._free_at = max(self._free_at, now) + size / SLOWEST
            seconds = max(0.0, min(self._free_at - now - AHEAD, MOST_SECONDS))
        elif self._has_answered:
            seconds = PATIENCE + 2 * size / SLOWEST
        else:
            if self._first is None:
                self._first = self._loop.call_later(FIRST_SECONDS, self._never_answered)
            return FIRST_SECONDS
        self._timer = self._loop.call_later(seconds, self._time_is_up)
        return seconds

    def answered(self, request: str) -> None:
        """Take note of an answer, in time or late."""
        if request in (STATUS, MODE):
            self._has_answered = True
            self._missed = 0
            self.request = request
            self._end()
        else:
            self.tells_modes = True

    def stop(self) -> None:
        """Ask no more; nobody waits for what is under way."""
        for timer in filter(None, (self._timer, self._first)):
            timer.cancel()
        self._timer = None
        self.request = ""

    def _never_answered(self) -> None:
        self._first = None
        if not self._has_answered:
            self.request = MODE if self.tells_modes and self.request == STATUS else ""

    def _time_is_up(self) -> None:
        if self.request:
            self._missed += 1
            if self._missed == MOST_MISSED:
                self.request = ""
        self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._arrived()
