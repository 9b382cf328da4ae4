"""The find box: find as you type, one question at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from mission_control_tui.widgets.cells import fit
from mission_control_tui.widgets.field import FieldInput
from mission_control_tui.widgets.lines import LineWidget, Painted, Part

PAUSE = 0.12


class FindInput(FieldInput):
    """The text of a find box; in an empty one `/` is a key and no text."""

    class Slashed(Message):
        """`/` in the empty box."""

    def on_key(self, event: events.Key) -> None:
        if event.character == "/" and not self.value:
            event.stop()
            event.prevent_default()
            self.post_message(self.Slashed())


class FindBox(LineWidget):
    """`Find: text   12 of 340`. Typing sends one `Changed` when it pauses; Enter and Down go to the list."""

    is_field = True
    label = "Find"
    help_text = "Type part of a name, user name or address. Down goes to the list, Escape clears and leaves."

    DEFAULT_CSS = """
    FindBox { height: 1; }
    FindBox > FieldInput { margin: 0 0 0 6; width: 32; }
    """

    note = Painted("")
    """How many were found, for example."""

    @dataclass
    class Widened(Message):
        """Somebody wants to find more than this list has: `/` in the empty box."""

        box: FindBox
        text: str

    @dataclass
    class Changed(Message):
        """What is looked for changed."""

        box: FindBox
        text: str

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FindBox.Changed) and message.box is self.box

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.input = FindInput("", password=False, max_length=200)
        self._timer: Timer | None = None
        self._sent = ""

    def compose(self) -> ComposeResult:
        yield self.input

    @property
    def text(self) -> str:
        return self.input.value

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        return [("Find: ", "dim"), (" " * 33, ""), (fit(self.note, width - 39).rstrip(), "dim")]

    def focus(self, scroll_visible: bool = True) -> FindBox:
        """Go to the box; what was looked for before is marked, so that typing replaces it."""
        self.input.select_all()
        self.input.focus(scroll_visible)
        return self

    def clear(self) -> None:
        self.input.value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._send)

    def on_find_input_slashed(self, event: FindInput.Slashed) -> None:
        event.stop()
        self.post_message(self.Widened(self, self.text))

    def _send(self) -> None:
        if self.text != self._sent:
            self._sent = self.text
            self.post_message(self.Changed(self, self.text))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.text:
            event.stop()
            self.clear()

    def remember(self) -> object:
        return self.text

    def recall(self, memory: object) -> None:
        if isinstance(memory, str):
            self.input.value = memory
