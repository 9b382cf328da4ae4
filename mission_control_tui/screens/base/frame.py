"""The frame of every screen: top line, body, announcements, key hints, and the notice where it does not fit.

Focus changes repaint only what differs: Textual's own screen repaints everything on each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.css.query import NoMatches
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from mission_control_tui.keys import keymap
from mission_control_tui.model.errors import MissionControlError
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


class FrameScreen(Screen[None]):
    """Lines above and below a body, and where the focus is."""

    AUTO_FOCUS = "Body *"

    HEADING: ClassVar[str] = ""
    """What the top line calls this screen."""

    ABOUT: ClassVar[str] = ""
    """What help says about this screen, in plain text."""

    VERBS: ClassVar[tuple[str, ...]] = ()
    """Ids of verbs that this screen has beside those that are everywhere; each needs a method `verb_<id>`."""

    KEY_LABELS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What verbs are called in the key hints of this screen, where not as ever."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._top = TopLine(self.HEADING)
        self._announcement = Announcement()
        self.said_of_overlay = False
        self._keys = KeyLine()
        self._body = Body(id="body")
        self._too_small: TooSmall | None = None
        self._small_focus: Widget | None = None

    @classmethod
    def all_verbs(cls) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*cls.VERBS, *keymap.EVERYWHERE)))

    def body(self) -> Iterable[Widget]:
        """Yield the widgets between top line and announcement line. Override this."""
        return ()

    def why_not(self, verb: str) -> str:
        """Return why a verb cannot be used just now; empty when it can."""
        return ""

    async def load(self) -> None:
        """Read what is shown. Called when the database is open, on coming back, and when others changed something."""

    @property
    def console(self) -> Host:
        """The application, as what screens may ask of it."""
        return cast("Host", self.app)

    def compose(self) -> ComposeResult:
        yield self._top
        with self._body:
            yield from self.body()
        yield self._announcement
        yield self._keys

    @property
    def is_here(self) -> bool:
        """Whether the screen is mounted and among those that one can come back to."""
        ending = not self.app.is_running
        return self.is_mounted and self.is_attached and not ending and self in self.app.screen_stack

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
        self.call_after_refresh(painted.set)
        while self.is_here:
            with suppress(TimeoutError):
                await asyncio.wait_for(painted.wait(), LOOK_SECONDS)
                return

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except NoMatches:
            # A screen that was left loses its widgets before the last messages about them arrive.
            if self.is_here:
                raise
        except MissionControlError as error:
            # What a button asks for may be refused just as what a verb asks for.
            if self.is_here:
                self.announce_error(error)

    async def _invoke_and_clear_callbacks(self) -> None:
        try:
            await super()._invoke_and_clear_callbacks()
        except NoMatches:
            # What was to be done after a refresh that never came, because the screen was left.
            if self.is_here:
                raise

    def _focus_path(self) -> list[Widget]:
        """Return the focused widget and what it is in, innermost first, without the screen."""
        nodes = self.focused.ancestors_with_self if self.focused is not None else []
        return [node for node in nodes if isinstance(node, Widget) and node is not self]

    @property
    def focus_behind(self) -> Widget | None:
        """The focused widget, or the one that gets the focus back when what stands before it goes."""
        return self._small_focus or self.focused

    # Lines

    def set_heading(self, text: str) -> None:
        self._top.title = text

    def update_top(self) -> None:
        self._top.info = self.console.top_info

    def announce(self, text: str, *, error: bool = False, of_overlay: bool = False) -> None:
        """Say what happened on the line above the key hints; what is said of an overlay goes with it."""
        self.said_of_overlay = of_overlay
        self._announcement.set(text, error=error)

    def announce_error(self, error: MissionControlError) -> None:
        problems = "; ".join(str(problem) for problem in error.problems[:2])
        said = " - ".join(filter(None, (error.what, problems, error.hint)))
        self.announce(said.replace("\n", " "), error=True)

    @property
    def announced(self) -> str:
        return self._announcement.text

    def refresh_keys(self) -> None:
        """Show the key hints that hold now."""
        elsewhere = keymap.HINTED_WHERE_NAMED - {*self.VERBS}
        hidden = elsewhere | self.unhinted
        ids = [verb for verb in self.all_verbs() if verb not in hidden and not self.why_not(verb)]
        if self.in_front is not None:
            ids = [verb for verb in ids if verb in self.in_front]
        focused = self.focused
        if focused is not None:
            own = {binding.id for _key, binding in focused._bindings if binding.id}
            ids += [
                verb
                for verb in ("open", "mark")
                if verb in own and getattr(focused, f"{verb}_hint", True)
            ]
        labels = {**self.key_labels, **getattr(focused, "key_labels", {})}
        self._keys.hints = keymap.hints(
            ids,
            self.app.size.width,
            in_field=self.in_field,
            overrides=self.console.keys,
            labels=labels,
        )

    @property
    def in_front(self) -> frozenset[str] | None:
        """The only verbs that the key hints show while something stands in place of the body; else None."""
        return None

    @property
    def unhinted(self) -> frozenset[str]:
        """Verbs that can be used just now and that the key hints leave out, for others matter more."""
        return frozenset()

    @property
    def key_labels(self) -> Mapping[str, str]:
        """What verbs are called just now in the key hints, by their ids, where not as ever."""
        return dict(self.KEY_LABELS)

    @property
    def in_field(self) -> bool:
        """Whether the focus is in a field, where letters are text."""
        return bool(getattr(self.focused, "is_field", False))

    # Size

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)
        self.refresh_keys()

    def _fit(self, width: int, height: int) -> None:
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        if small and self._too_small is None:
            self._small_focus = self.focused
            self._too_small = TooSmall()
            self.mount(self._too_small)
            self.set_focus(None)
        elif small and self._too_small is not None:
            self._too_small.refresh()
        elif self._too_small is not None:
            self._too_small.remove()
            self._too_small = None
            if self._small_focus is not None and self._small_focus.is_attached:
                self.set_focus(self._small_focus, scroll_visible=False)
            self._small_focus = None
