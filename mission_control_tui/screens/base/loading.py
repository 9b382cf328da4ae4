"""Work beside the keys: what a screen does and reads while keys go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from textual.css.query import NoMatches
from textual.screen import Screen

from mission_control_tui.screens.base.frame import Frame
from mission_control_tui.widgets.shielded import shielded


class Loader:
    """Reads a screen's data whenever they may have changed; an error that a person can act upon is announced."""

    def __init__(
        self, screen: Screen[Any], frame: Frame, read: Callable[[], Awaitable[None]]
    ) -> None:
        self._screen = screen
        self._frame = frame
        self._read_data = read
        self.first_reading = asyncio.Event()
        """Set once a reading came to its end, however it did."""
        self._loading = False
        self._load_again = False
        self._doing = 0

    @property
    def has_read(self) -> bool:
        """Whether anything was read yet, or tried to be."""
        return self.first_reading.is_set()

    @property
    def holds_keys(self) -> bool:
        """Whether what is typed now is meant for what comes: a first reading, or a key's work."""
        unread = self._frame.console.is_open and not self.has_read
        return unread or self._doing > 0

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside the keys; an error that a person can act upon is announced."""
        self._doing += 1
        self._run(self._counted(work), "do")

    def do_latest(self, work: Coroutine[Any, Any, object], group: str) -> None:
        """Run `work`, which keys do not wait for; what is newer in its group is waited for instead of it."""
        self._run(self.guard(work), group, exclusive=True)

    def _run(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> None:
        self._screen.run_worker(shielded(work), group=group, description=group, exclusive=exclusive)

    async def _counted(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await self.guard(work)
        finally:
            self._doing -= 1

    async def guard(self, work: Awaitable[object]) -> None:
        """Do `work`; an error that a person can act upon is announced."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            self.announce_failure(error)

    def announce_failure(self, error: Exception) -> None:
        """Announce what a person can act upon; raises a flaw of the program again."""
        from mission_control_tui.model.store.engine import operator_error

        if isinstance(error, NoMatches) and not self._frame.is_here:
            return  # while a screen is taken down, its widgets go before its work is cancelled
        said = operator_error(error)
        top = self._screen if self._frame.is_here else self._screen.app.screen
        if isinstance(frame := getattr(top, "frame", None), Frame):
            frame.announce_error(said)

    def reload(self) -> None:
        """Read the data again; requests that come while it is being read are one more reading, never a queue."""
        if not self._frame.is_here:
            return
        if self._loading:
            self._load_again = True
            return
        self._loading = True
        self._run(self._load(), "load")

    async def _load(self) -> None:
        try:
            while True:
                self._load_again = False
                await self._read()
                if not self._load_again or not self._frame.is_here:
                    return
        finally:
            self._loading = False

    async def _read(self) -> None:
        try:
            await self.guard(self._read_data())
        except NoMatches:
            # A screen that was left while it read has lost its widgets, and nobody looks at it.
            if self._frame.is_here:
                raise
        finally:
            self.first_reading.set()
