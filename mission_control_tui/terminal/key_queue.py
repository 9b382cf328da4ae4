"""Keys that arrive in one burst are handled one after the other, and not before the screen can take them.

Textual forwards each key to what has the focus at once, while the key before may still be on its way up to
the binding that moves the focus or opens a screen: on a slow line, where keys come in one packet, what follows
a Tab lands in the old field, and what follows `n` in the old screen. Here a key waits until the one before
has gone its whole way, and as long as the screen says that what it is typed for is still being read or built.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

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
"""Seconds that a key may wait for what a screen holds it back for; it is refused then, with what was typed after it."""

TOGETHER = 0.35
"""Seconds from key to key that are typed as one: what follows a refused key so soon was meant for where that leads."""

BURST = 0.12
"""Seconds from key to key that nobody types in: characters so close are a paste, and answer no question."""

CAME_BY_ITSELF = "what is shown now came by itself, after this was typed"
PASTED = "a paste is no answer: press one key"

Typed: TypeAlias = "events.Key | events.Paste"


@runtime_checkable
class KeyRecipient(Protocol):
    """What the queue asks of a screen's `key_gate`; where words are returned, none of them means no."""

    def awaited(self, event: Typed) -> str:
        """Return what a key has to wait for."""

    def refusal(self, event: Typed) -> str:
        """Return why a key must not act at all."""

    def leads_out(self, event: Typed) -> bool:
        """Tell whether a key only leaves what is there, which it may do however long something takes."""

    def is_answer(self, event: Typed) -> bool:
        """Tell whether a key may answer a question about what is taken away."""

    def refuse(self, why: str) -> None:
        """Say that a key did nothing, and why."""


class KeyQueue:
    """The queue of keys and pastes in front of the application; the screen on top may hold them back or refuse them."""

    def __init__(self, app: App[Any], handle: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[Typed] = deque()
        self._last: tuple[MessagePump, Screen[Any], float] | None = None
        self._following = 0
        self._patience: asyncio.TimerHandle | None = None
        self._looks_again = False
        self._held: tuple[KeyRecipient, float] | None = None
        self._was_held = False
        self._is_stuck = False
        self._refused_at = -math.inf
        self._telling: Callable[[], None] | None = None
        self._not_before = -math.inf
        self._why_not_before = ""

    @property
    def is_behind(self) -> bool:
        """Whether keys wait, the last one is still on its way, or it is still to be told that some were refused."""
        waits = bool(self._waiting) or self._telling is not None
        return waits or self._patience is not None or self._looks_again

    async def take(self, event: Typed) -> None:
        """Handle `event` after those before it."""
        self._waiting.append(event)
        if self._patience is None and not self._looks_again:
            self._look_soon()

    def begin_anew(self, at: float, why: str = CAME_BY_ITSELF) -> None:
        """Refuse what was typed before this moment: nobody can have meant what is shown since then."""
        self._not_before, self._why_not_before = at, why

    def _look_soon(self) -> None:
        # A focus that a screen has just moved waits in the application's queue, perhaps behind the key.
        self._looks_again = True
        self._app.call_later(self._look_again)

    def _look_later(self) -> None:
        self._looks_again = True
        asyncio.get_running_loop().call_later(HELD, self._app.call_later, self._look_again)

    async def _go_on(self) -> None:
        while self._waiting:
            if self._last is not None and monotonic() - self._last[2] < SETTLED:
                self._follow()
                return
            screen, event = self._app.screen, self._waiting[0]
            recipient = getattr(screen, "key_gate", None)
            if isinstance(recipient, KeyRecipient):
                if event.time - self._refused_at < TOGETHER:
                    self._drop(self._telling)
                    continue
                if self._has_to_wait(recipient, event):
                    return
                if why := self._refusal(recipient, event):
                    self._drop(partial(recipient.refuse, why))
                    continue
            self._waiting.popleft()
            self._last = (screen.focused or screen, screen, monotonic())
            await self._handle(event)

    def _drop(self, tell: Callable[[], None] | None) -> None:
        """Leave the next key out, and tell it once nothing more comes that belongs to it."""
        self._refused_at = self._waiting.popleft().time
        self._telling = tell
        loop = asyncio.get_running_loop()
        loop.call_later(TOGETHER, self._app.call_later, self._tell, self._refused_at)

    def _tell(self, refused_at: float) -> None:
        if refused_at == self._refused_at and self._telling is not None:
            tell, self._telling = self._telling, None
            tell()

    def _has_to_wait(self, recipient: KeyRecipient, event: Typed) -> bool:
        """Tell whether the next key waits; it is looked at again then."""
        if not recipient.awaited(event):
            self._held, self._is_stuck = None, False
            if self._was_held:
                self._was_held = False
                self._look_soon()
                return True
            if recipient.is_answer(event) and len(self._waiting) == 1 and _age(event) < BURST:
                self._look_later()
                return True
            return False
        if self._held is None or self._held[0] is not recipient:
            self._held = (recipient, monotonic())
        waits = monotonic() - max(self._held[1], event.time) < HOLDS
        if waits and not (self._is_stuck and recipient.leads_out(event)):
            self._was_held = True
            self._look_later()
            return True
        self._is_stuck = True
        return False

    def _refusal(self, recipient: KeyRecipient, event: Typed) -> str:
        """Return why the next key must not act; nothing where it may."""
        if not recipient.leads_out(event):
            if event.time < self._not_before:
                return self._why_not_before
            if awaited := recipient.awaited(event):
                return awaited
        if refusal := recipient.refusal(event):
            return refusal
        follower = self._waiting[1] if len(self._waiting) > 1 else None
        if follower is not None and recipient.is_answer(event) and recipient.is_answer(follower):
            return PASTED if follower.time - event.time < BURST else ""
        return ""

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


def _age(event: Typed) -> float:
    return monotonic() - event.time
