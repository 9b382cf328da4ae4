"""The frame of every screen: top line, body, announcements, key hints, and the notice where it does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.widgets.status_lines import Announcement, KeyLine, TopLine
from mission_control_tui.widgets.too_small import MIN_HEIGHT, MIN_WIDTH, TooSmall

if TYPE_CHECKING:
    from mission_control_tui.screens.base.host import Host


LOOK_SECONDS = 0.02
"""How often it is looked whether the screen is still there, and whether a slow line has taken what was drawn."""


FAST_SECONDS = 0.1
"""How long a fast line may take for a frame."""


class Body(Container):
    """What is between the lines that every screen has."""


class Frame:
    """The lines above and below the body of a screen, and the notice in place of all of it."""

    def __init__(
        self, screen: Screen[Any], heading: str, hints: Callable[[], list[tuple[str, str]]]
    ) -> None:
        """`hints` returns the keys that can be used just now, with their labels."""
        self._screen = screen
        self._hints = hints
        self.top = TopLine(heading)
        self.body = Body(id="body")
        self.announcement = Announcement()
        self.keys = KeyLine()
        self.said_of_overlay = False
        self._is_answer = False
        self._stays = False
        self.too_small: TooSmall | None = None
        self.kept_focus: Widget | None = None
        """What gets the focus back when the notice goes."""

    @property
    def console(self) -> Host:
        """The application, as what screens may ask of it."""
        return cast("Host", self._screen.app)

    @property
    def is_here(self) -> bool:
        """Whether the screen is mounted and among those that one can come back to."""
        screen, app = self._screen, self._screen.app
        is_there = screen.is_mounted and screen.is_attached
        return is_there and app.is_running and screen in app.screen_stack

    async def drawn(self) -> float | None:
        """Wait until what is here now was painted and the terminal has it.

        Returns since when, on the clock of events; None where the line took it while it was being painted.
        """
        while True:
            await self._painted()
            was_held_back, began = self.console.holds_frames, monotonic()
            while self.is_here and not self.console.is_drawn:  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(LOOK_SECONDS)
            if not was_held_back or not self.is_here:
                return None if monotonic() - began < FAST_SECONDS else monotonic()

    async def _painted(self) -> None:
        """Wait until what is here now was painted, or is seen by nobody any more."""
        painted = asyncio.Event()
        while self.is_here:
            # Another screen may have been on top, which was asked for it and has gone.
            self._screen.call_after_refresh(painted.set)
            with suppress(TimeoutError):
                await asyncio.wait_for(painted.wait(), LOOK_SECONDS)
                return

    def announce(
        self, text: str, *, error: bool = False, of_overlay: bool = False, stays: bool = False
    ) -> None:
        """Say what happened on the line above the key hints, until one goes elsewhere, unless it `stays`.

        What is said of an overlay goes with it.
        """
        self._is_answer, self._stays = False, stays
        self.said_of_overlay = of_overlay
        self._screen.set_class(of_overlay, "-said-of-overlay")
        self.announcement.set(text, error=error)

    def answer(self, text: str, *, error: bool = False) -> None:
        """Say what a key did or why it did nothing, until the next one is pressed."""
        self.announce(text, error=error)
        self._is_answer = True

    def announce_error(self, error: MissionControlError) -> None:
        problems = "; ".join(error.details[:2])
        said = " - ".join(filter(None, (error.what, problems, error.hint))).replace("\n", " ")
        if isinstance(error, UsageError):
            self.answer(said, error=True)
        else:
            self.announce(said, error=True)

    def key_pressed(self) -> None:
        """Take away what answered the key before."""
        if self._is_answer:
            self.announce("")

    def left_behind(self) -> None:
        """Take away what was said before one goes to another screen."""
        if self.announcement.text and not self._stays:
            self.announce("")

    def refresh_keys(self) -> None:
        """Show the key hints that hold now."""
        self.keys.hints = self._hints()

    # Size

    def fit(self, width: int, height: int) -> None:
        """Show the notice where the terminal is too small, and take it away where it is not."""
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        if small and self.too_small is None:
            self.kept_focus = self._screen.focused
            self.too_small = TooSmall()
            self._screen.mount(self.too_small)
            self._screen.set_focus(None)
        elif small and self.too_small is not None:
            self.too_small.refresh()
        elif self.too_small is not None:
            self.too_small.remove()
            self.too_small = None
            if self.kept_focus is not None and self.kept_focus.is_attached:
                self._screen.set_focus(self.kept_focus, scroll_visible=False)
            self.kept_focus = None
