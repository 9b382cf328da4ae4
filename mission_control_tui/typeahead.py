"""Keys that arrive in one burst are handled one after the other.

Textual forwards each key to what has the focus at once, while the key before may still be on its way up to
the binding that moves the focus or opens a screen: on a slow line, where keys come in one packet, what follows
a Tab lands in the old field, and what follows `n` in the old screen. Here a key waits until the one before
has gone its whole way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual import events
    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.screen import Screen

SETTLED = 0.5
"""Seconds after which a key has gone its way without our looking."""

HELD = 0.01
"""Seconds between two looks whether a screen still holds keys back, because its next page is being built."""

PATIENCE = 0.4
"""Seconds to wait for it at most: a widget that was removed never answers."""


class TypeAhead:
    """The queue of keys and pastes in front of the application."""

    def __init__(
        self, app: App[Any], handle: Callable[[events.Key | events.Paste], Awaitable[None]]
    ) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._last: tuple[MessagePump, Screen[Any], float] | None = None
        self._following = 0
        self._patience: asyncio.TimerHandle | None = None

    async def take(self, event: events.Key | events.Paste) -> None:
        """Handle `event` now or after those before it."""
        self._waiting.append(event)
        if self._patience is None:
            await self._go_on()

    async def _go_on(self) -> None:
        while self._waiting:
            if self._last is not None and monotonic() - self._last[2] < SETTLED:
                self._follow()
                return
            screen = self._app.screen
            self._last = (screen.focused or screen, screen, monotonic())
            await self._handle(self._waiting.popleft())

    def _follow(self) -> None:
        """Send a message the way that the last key took, twice: for the key, and for what its action sent."""
        if self._last is None:
            return
        target, screen, _at = self._last
        path = [*target.ancestors_with_self] if hasattr(target, "ancestors_with_self") else [target]
        self._following += 1
        self._patience = asyncio.get_running_loop().call_later(
            PATIENCE, self._app.call_later, self._done, self._following
        )
        self._step([*path, *path], screen, self._following)

    def _step(self, path: list[Any], screen: Screen[Any], number: int) -> None:
        if number != self._following:
            return
        for index, pump in enumerate(path):
            if pump.call_later(self._step, path[index + 1 :], screen, number):
                return
        current = self._app.screen
        if current is not screen and current.call_later(self._step, [self._app], current, number):
            return
        self._app.call_later(self._done, number)

    async def _done(self, number: int) -> None:
        if number != self._following or self._patience is None:
            return
        busy = getattr(self._app.screen, "holds_keys", False)
        if busy and self._last is not None and monotonic() - self._last[2] < SETTLED:
            loop = asyncio.get_running_loop()
            loop.call_later(HELD, self._app.call_later, self._done, number)
            return
        self._patience.cancel()
        self._patience = None
        self._following += 1
        self._last = None
        await self._go_on()
