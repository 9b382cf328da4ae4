"""Things that open: a title line, and content that is built when it is opened for the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import AwaitMount, Widget

from mission_control_tui.keys import keymap
from mission_control_tui.model.states import Light
from mission_control_tui.widgets.cells import fit, width_of
from mission_control_tui.widgets.light import LightCell
from mission_control_tui.widgets.lines import LineWidget, Painted, Part

CLOSED, OPEN = "►", "▼"


class FoldTitle(LineWidget, can_focus=True):
    """The line that opens and closes."""

    mark_hint = False
    """Space opens it too; one hint is enough."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("open", "mark", "right", "left", action="fold_{id}"),
        Binding("up", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
    ]

    note = Painted("")
    is_open = Painted(False)

    def __init__(self, title: str, note: str = "") -> None:
        super().__init__()
        self.title = title
        self.note = note

    @property
    def fold(self) -> Fold:
        return next(node for node in self.ancestors if isinstance(node, Fold))

    @property
    def help_text(self) -> str:
        return self.fold.help_text

    @property
    def is_due(self) -> bool:
        """Tell whether what it opens is being built: what is typed now may be meant for that."""
        return self.fold.is_opening

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        title = fit(self.title, width - 3).rstrip()
        room = width - 4 - width_of(title)
        note = "  " + fit(self.note, room).rstrip() if self.note and room > 0 else ""
        return [
            (f"{OPEN if self.is_open else CLOSED} ", ""),
            (title, "cursor" if self.has_focus else "strong"),
            (note, "dim"),
        ]

    def action_fold_open(self) -> None:
        self.fold.toggle()

    def action_fold_mark(self) -> None:
        self.fold.toggle()

    def action_fold_right(self) -> None:
        self.fold.open()

    def action_fold_left(self) -> None:
        self.fold.close()


class Fold(Widget):
    """A title and content below it. `content` is called once, when it first opens."""

    DEFAULT_CSS = """
    Fold { height: auto; layout: vertical; }
    Fold > Horizontal { height: 1; width: 1fr; }
    """

    @dataclass
    class Toggled(Message):
        """Opened or closed; sent when the content is there."""

        fold: Fold

    def __init__(
        self,
        title: str,
        content: Callable[[], Iterable[Widget]],
        *,
        note: str = "",
        help_text: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._content = content
        self._body: FoldBody | None = None
        self._mounting: AwaitMount | None = None
        self.is_opening = False
        """Whether the screen has not heard yet that this was opened."""
        self.help_text = help_text
        self.title_line = FoldTitle(title, note)

    def compose(self) -> ComposeResult:
        yield self.title_line

    @property
    def is_open(self) -> bool:
        return self.title_line.is_open

    @property
    def note(self) -> str:
        """Return what stands beside the title, such as the level."""
        return self.title_line.note

    @note.setter
    def note(self, text: str) -> None:
        self.title_line.note = text

    @property
    def body(self) -> Widget | None:
        """The content, once it has been opened."""
        return self._body

    def toggle(self) -> None:
        if self.is_open:
            self.close()
        else:
            self.open()

    def open(self) -> None:
        if self.is_open:
            return
        self.title_line.is_open = self.is_opening = True
        if self._body is None:
            self._body = FoldBody(*self._content())
            self._mounting = self.mount(self._body)
        else:
            self._body.display = True
        self.call_after_refresh(self.post_message, self.Toggled(self))

    async def open_now(self) -> None:
        """Open, and wait until the content is there."""
        self.open()
        if self._mounting is not None:
            await self._mounting

    def close(self) -> None:
        if not self.is_open or self._body is None:
            return
        if self._body.has_focus_within:
            self.title_line.focus()
        self.title_line.is_open = False
        self._body.display = False
        self.post_message(self.Toggled(self))

    async def rebuild(self) -> None:
        """Build the content anew; while closed, at the next opening."""
        if self._body is None:
            return
        body, self._body = self._body, None
        await body.remove()
        if self.is_open:
            self._body = FoldBody(*self._content())
            await self.mount(self._body)

    def focus(self, scroll_visible: bool = True) -> Fold:
        self.title_line.focus(scroll_visible)
        return self

    def remember(self) -> object:
        return self.is_open

    def recall(self, memory: object) -> None:
        if memory is True:
            self.open()
        elif memory is False:
            self.close()


class FoldBody(Widget):
    """What is inside; Escape and Left on it go to the title."""

    DEFAULT_CSS = """
    FoldBody { height: auto; layout: vertical; padding: 0 0 0 2; }
    """

    def on_key(self, event: events.Key) -> None:
        if event.key == "left" and not getattr(self.screen.focused, "is_field", False):
            event.stop()
            if isinstance(self.parent, Fold):
                self.parent.focus()


class ServicePanel(Fold):
    """A service of a user: its light is a widget of its own beside the title, so that it changes alone."""

    DEFAULT_CSS = """
    ServicePanel > Horizontal > FoldTitle { width: 1fr; }
    ServicePanel > Horizontal > LightCell { width: 34; }
    """

    def __init__(
        self,
        title: str,
        content: Callable[[], Iterable[Widget]],
        *,
        light: Light = Light.GREY,
        word: str = "",
        light_note: str = "",
        note: str = "",
        help_text: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(title, content, note=note, help_text=help_text, id=id)
        self.light = LightCell(light, word, light_note)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.title_line
            yield self.light
