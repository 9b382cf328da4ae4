"""The find box: find as you type, one question at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


TYPED = frozenset(key for binding in Input.BINDINGS for key in binding.key.split(",")) - {"enter"}  # type: ignore[union-attr]
"""The keys that change the text or move in it."""


class FindInput(FieldInput):
    """The text of a find box; in an empty one `/` is a key and no text."""

    @property
    def is_due(self) -> bool:
        """Tell whether keys that are about the rows below have to wait for them."""
        return isinstance(self.parent, FindBox) and self.parent.is_due

    @property
    def is_stale(self) -> bool:
        return isinstance(self.parent, FindBox) and self.parent.is_stale

    @property
    def has_verbs_of_rows(self) -> bool:
        """Tell whether the screen's verbs are about the rows below the box."""
        return isinstance(self.parent, FindBox) and self.parent.has_verbs_of_rows

    def is_for_now(self, event: events.Key | events.Paste) -> bool:
        """Tell whether a key is for the box itself, whatever the rows below are."""
        return isinstance(event, events.Paste) or event.is_printable or event.key in TYPED

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
    has_verbs_of_rows = True
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
        self._asked: str | None = ""
        self._answered = ""
        self.has_failed = False
        """Whether the rows could not be read, so that no key may wait for them."""

    def compose(self) -> ComposeResult:
        yield self.input

    @property
    def text(self) -> str:
        return self.input.value

    @property
    def has_new_text(self) -> bool:
        """Tell whether nobody has asked yet for what is typed."""
        return self.text != self._asked

    @property
    def is_stale(self) -> bool:
        """Tell whether the rows below are not those of what is typed."""
        return self.has_new_text or self.text != self._answered

    @property
    def is_due(self) -> bool:
        """Tell whether the rows of what is typed are still to come."""
        return self.is_stale and not self.has_failed

    def ask(self) -> None:
        """Note that rows are asked for what is typed now, from the first on."""
        self._asked, self.has_failed = self.text, False

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Note it where what is looked for cannot be read: no key may wait for what is not there."""
        self.has_failed = False
        try:
            yield
        except Exception:
            self.has_failed = True
            raise

    def discard(self) -> None:
        """Note that an answer came late for what is typed: it has to be asked for, even if it was before."""
        self._asked = None

    def answer(self, text: str) -> None:
        """Note that the rows below are now those of `text`."""
        self._answered = text

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
        self._timer = self.set_timer(PAUSE, self.send)

    def on_find_input_slashed(self, event: FindInput.Slashed) -> None:
        event.stop()
        self.post_message(self.Widened(self, self.text))

    def send(self) -> None:
        """Say what is looked for now, unless it was asked for already."""
        if self.has_new_text:
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
