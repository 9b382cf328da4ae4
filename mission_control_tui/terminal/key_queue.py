"""Keys that arrive in one burst are handled one after the other, and not before the screen can take them.

Textual forwards each key to what has the focus at once, while the key before may still be on its way up to
the binding that moves the focus or opens a screen: on a slow line, where keys come in one packet, what follows
a Tab lands in the old field, and what follows `n` in the old screen. Here a key waits until the one before
has gone its whole way, and as long as the screen says that what it is typed for is still being read or built.
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

PATIENCE = 0.4
"""Seconds to wait for it at most: a widget that was removed never answers."""

HELD = 0.01
"""Seconds between two looks whether a screen still holds keys back."""

HOLDS = 3.0
"""Seconds that a screen may hold keys back: after them something is stuck, and Escape and q must work.

A screen refuses then what would act on rows that are not those of what was typed.
"""


class KeyQueue:
    """The queue of keys and pastes in front of the application. A screen holds them back by `holds_key`."""

    def __init__(
        self, app: App[Any], handle: Callable[[events.Key | events.Paste], Awaitable[None]]
    ) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._last: tuple[MessagePump, Screen[Any], float] | None = None
        self._following = 0
        self._patience: asyncio.TimerHandle | None = None
        self._looks_again = False
        self._held: tuple[Screen[Any], float] | None = None
        self._was_held = False

    @property
    def is_behind(self) -> bool:
        """Whether keys wait, or the last one is still on its way."""
        return bool(self._waiting) or self._patience is not None or self._looks_again

    async def take(self, event: events.Key | events.Paste) -> None:
        """Handle `event` after those before it."""
        self._waiting.append(event)
        if self._patience is None and not self._looks_again:
            self._look_soon()

    def _look_soon(self) -> None:
        # A focus that a screen has just moved waits in the application's queue, perhaps behind the key.
        self._looks_again = True
        self._app.call_later(self._look_again)

    async def _go_on(self) -> None:
        while self._waiting:
            if self._last is not None and monotonic() - self._last[2] < SETTLED:
                self._follow()
                return
            if self._is_held():
                self._looks_again = self._was_held = True
                loop = asyncio.get_running_loop()
                loop.call_later(HELD, self._app.call_later, self._look_again)
                return
            if self._was_held:
                self._was_held = False
                self._look_soon()
                return
            screen, event = self._app.screen, self._waiting.popleft()
            refuses = getattr(screen, "refuses_key", None)
            if refuses is not None and refuses(event):
                if not self._waiting:
                    self._held = None  # what is typed from now on has its own time to wait
                continue
            self._last = (screen.focused or screen, screen, monotonic())
            await self._handle(event)

    def _is_held(self) -> bool:
        screen = self._app.screen
        holds = getattr(screen, "holds_key", None)
        if holds is None or not holds(self._waiting[0]):
            self._held = None
            return False
        if self._held is None or self._held[0] is not screen:
            self._held = (screen, monotonic())
        return monotonic() - self._held[1] < HOLDS

    async def _look_again(self) -> None:
        self._looks_again = False
        await self._go_on()

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
        self._patience.cancel()
        self._patience = None
        self._following += 1
        self._last = None
        await self._go_on()
