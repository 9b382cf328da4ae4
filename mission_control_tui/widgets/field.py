"""Fields of a form: text boxes that do not blink, check boxes and choices, each with its label and what is wrong.

While one of these has the focus, letters are text or choices and never verbs; Enter goes to the next field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, Generic, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import Input

from mission_control_tui.model.text.limits import LINE
from mission_control_tui.widgets.cells import fit, shown, sign, width_of, wrap
from mission_control_tui.widgets.lines import LineWidget, Painted, Part

LABEL = 20
BOX = 30


class ErrorChanged(Message):
    """Something else is wrong with a field now, or nothing any more."""


def label_part(label: str, *, required: bool) -> Part:
    """Return what stands before a box: the label, with a star where something has to be filled in."""
    star = " *" if required else ""
    return fit(fit(label, LABEL - len(star)).rstrip() + star, LABEL), ""


class FieldInput(Input):
    """A compact text box: no blinking, no borders, pasted text made harmless, Enter for the next field."""

    is_field = True

    DEFAULT_CSS = """
    FieldInput, FieldInput:focus, FieldInput:ansi {
        height: 1; border: none; padding: 0; background: transparent; background-tint: transparent;
    }
    FieldInput > .input--cursor, FieldInput:ansi > .input--cursor {
        text-style: reverse; background: ansi_default; color: ansi_default;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Next field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]

    def __init__(self, value: str, *, password: bool, max_length: int) -> None:
        super().__init__(
            value,
            password=password,
            max_length=max_length,
            compact=True,
            select_on_focus=False,
        )
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        lines = [line for line in event.text.splitlines() if line.strip()]
        if not lines:
            return
        text = shown(lines[0].strip("\r\n"))
        selected = len(self.selected_text)
        if self.max_length and len(self.value) - selected + len(text) > self.max_length:
            said = (
                f"Nothing was pasted: {len(text):,} characters do not fit into {self.max_length:,}"
            )
            self.app.notify(said, severity="error")
            return
        self.insert_text_at_cursor(text)
        if len(lines) > 1:
            said = f"A field has one line: the first of {len(lines):,} was pasted"
            self.app.notify(said, severity="error")

    @property
    def _value(self) -> Text:
        """What is drawn: sign for sign the value, so that the cursor stays right, but harmless whatever was stored."""
        if self.password:
            return super()._value
        return Text("".join(map(sign, self.value)), no_wrap=True, overflow="ignore", end="")

    def cursor_cell(self) -> Offset:
        """Return the cell of the cursor; one at the end of a full box stands on its last cell."""
        before = self._value.plain[: self.cursor_position]
        return Offset(cell_len(before) - self.scroll_offset.x, 0)

    async def action_submit(self) -> None:
        # Text that is typed ahead is meant for the next box, not for a choice that has its value.
        reached = self.screen.focus_next()
        if getattr(reached, "enter_passes", False):
            self.screen.focus_next()


class _FieldLine(LineWidget):
    """What a field is on its line, whether it has a box or takes keys itself."""

    is_field = True

    _error = ""

    @property
    def error(self) -> str:
        """Return what is wrong, shown beside the value; empty when nothing is."""
        return self._error

    @error.setter
    def error(self, text: str) -> None:
        if text != self._error:
            self.post_message(ErrorChanged())
        self._error = text
        self._grow()
        self.repaint()

    def _grow(self) -> None:
        """Take the lines that the error needs; here it stands beside the value, and needs none."""


class Field(_FieldLine):
    """`Label *  [text          ] error`. What was typed stays whatever happens to the error or the size.

    An error that does not fit beside the box stands below it, in full.
    """

    DEFAULT_CSS = """
    Field { height: 1; }
    Field > FieldInput { margin: 0 0 0 21; width: 30; }
    """

    note = Painted("")
    """A remark shown beside the box while there is no error."""
    suffix = Painted("")
    """Text right after the box, such as `@example.com`."""

    @dataclass
    class Changed(Message):
        """Somebody typed."""

        field: Field

    @dataclass
    class Left(Message):
        """The focus left the field."""

        field: Field

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        required: bool = False,
        password: bool = False,
        max_length: int = 0,
        suffix: str = "",
        help_text: str = "",
        id: str | None = None,
        width: int = BOX,
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self.required = required
        self.help_text = help_text
        self.suffix = suffix
        self._width = width
        self.input = FieldInput(value, password=password, max_length=max_length or LINE)
        self.input.styles.width = width

    def compose(self) -> ComposeResult:
        yield self.input

    @property
    def value(self) -> str:
        return self.input.value

    @value.setter
    def value(self, text: str) -> None:
        if text != self.input.value:
            self.input.value = text
            self.input.cursor_position = len(text)

    def _grow(self) -> None:
        """Take the lines that the error needs below the box."""
        height = 1 + len(self._below(self.content_size.width))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def _below(self, width: int) -> list[str]:
        """Return the lines of an error that has no room beside the box."""
        room = width - LABEL - self._width - 3 - width_of(self.suffix)
        if not self._error or width <= LABEL + 1 or width_of(self._error) <= room:
            return []
        return wrap(self._error, width - LABEL - 1)

    def on_resize(self, event: events.Resize) -> None:
        self._grow()

    def line(self, y: int, width: int) -> Iterable[Part]:
        below = self._below(width)
        if y:
            return [(" " * (LABEL + 1), ""), (below[y - 1], "error")] if y <= len(below) else ()
        label = label_part(self.label, required=self.required)
        parts = [label, ("[", "dim"), (" " * self._width, ""), ("]", "dim"), (self.suffix, "")]
        remark, style = (self._error, "error") if self._error else (self.note, "dim")
        if remark and not below:
            room = width - sum(width_of(text) for text, _style in parts) - 1
            parts += [(" ", ""), (fit(remark, room), style)]
        return parts

    def focus(self, scroll_visible: bool = True) -> Field:
        self.input.focus(scroll_visible)
        return self

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.post_message(self.Left(self))

    def remember(self) -> object:
        return None if self.input.password else self.value

    def recall(self, memory: object) -> None:
        if isinstance(memory, str):
            self.value = memory


class FormLine(_FieldLine, can_focus=True):
    """A field that is drawn on one line and takes keys itself: it keeps letters from being verbs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]

    note = Painted("")
    """A remark shown beside the value while there is no error."""

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        field: FormLine

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        help_text: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self.required = required
        self.help_text = help_text

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key != "space" and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        # Letters of one's own keymap are bound after `check_consume_key` was asked.
        if event.character and event.character.isprintable() and event.key != "space":
            event.stop()

    def remark_part(self) -> Part:
        """Return what stands beside the value: what is wrong, or else the note."""
        if self.error:
            return f" {self.error}", "error"
        return (f" {self.note}", "dim") if self.note else ("", "")


class CheckField(FormLine):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "change", "Change", show=False)]

    value = Painted(False)

    def __init__(
        self,
        label: str,
        value: bool = False,
        *,
        help_text: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(label, help_text=help_text, id=id)
        self.value = value

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        box = "[x]" if self.value else "[ ]"
        return [
            (" " * LABEL, ""),
            (box, "cursor" if self.has_focus else ""),
            (f" {self.label}", ""),
            self.remark_part(),
        ]

    def action_change(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed(self))

    def remember(self) -> object:
        return self.value

    def recall(self, memory: object) -> None:
        if isinstance(memory, bool):
            self.value = memory


TYPING_PAUSE = 1.5


class ChoiceField(FormLine):
    """One of several values; each is (value, label). Typing goes to the first label that starts so.

    With `enter_passes` Enter in the field above goes on to the one below; Tab and Down still stop here.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next choice", show=False),
        Binding("left", "turn(-1)", "Previous choice", show=False),
        Binding("home", "turn_to(0)", "First choice", show=False),
        Binding("end", "turn_to(-1)", "Last choice", show=False),
    ]

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[str, str]],
        value: str | None = None,
        *,
        required: bool = False,
        enter_passes: bool = False,
        help_text: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(label, required=required, help_text=help_text, id=id)
        self._choices = tuple(choices)
        self.enter_passes = enter_passes
        self._index = 0
        self._typed = ""
        self._typed_at = 0.0
        if value is not None:
            self.value = value

    @property
    def value(self) -> str:
        """The chosen value; empty when there is nothing to choose from."""
        return self._choices[self._index][0] if self._choices else ""

    @value.setter
    def value(self, value: str) -> None:
        for index, (candidate, _label) in enumerate(self._choices):
            if candidate == value:
                self._index = index
                self.repaint()
                return
        raise ValueError(f"{value!r} is not among the choices of {self.label}")

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer other values, keeping the chosen one where it is still among them."""
        value = self.value
        self._choices = tuple(choices)
        self._index = next((i for i, (known, _l) in enumerate(self._choices) if known == value), 0)
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        text = self._choices[self._index][1] if self._choices else "(nothing to choose)"
        place = f" {self._index + 1}/{len(self._choices)}" if len(self._choices) > 1 else ""
        return [
            label_part(self.label, required=self.required),
            ("<", "dim"),
            (text, "cursor" if self.has_focus else ""),
            (">", "dim"),
            (place if width_of(text) < width - 36 else "", "dim"),
            self.remark_part(),
        ]

    def action_turn(self, by: int) -> None:
        if self._choices:
            self.action_turn_to((self._index + by) % len(self._choices))

    def action_turn_to(self, index: int) -> None:
        if self._choices:
            self._index = index % len(self._choices)
            self.repaint()
            self.post_message(self.Changed(self))

    def on_key(self, event: events.Key) -> None:
        if event.character is None or not event.character.isprintable() or event.key == "space":
            return
        event.stop()
        now = monotonic()
        self._typed = (
            self._typed if now - self._typed_at < TYPING_PAUSE else ""
        ) + event.character.casefold()
        self._typed_at = now
        for index, (_value, label) in enumerate(self._choices):
            if label.casefold().lstrip("@").startswith(self._typed.lstrip("@")):
                self.action_turn_to(index)
                return

    def remember(self) -> object:
        return self.value

    def recall(self, memory: object) -> None:
        if any(value == memory for value, _label in self._choices):
            self.value = str(memory)


T = TypeVar("T")


AnyField: TypeAlias = Field | ChoiceField | CheckField
"""Each of these has a `value` and an `error`."""


class ShownField(ChoiceField, Generic[T]):
    """Show < All >. `shown` gives label and meaning by value."""

    def __init__(
        self, shown: Mapping[str, tuple[str, T]], value: str | None = None, *, help_text: str
    ) -> None:
        labels = [(name, label) for name, (label, _meaning) in shown.items()]
        words = f"{help_text}; Left and Right choose."
        super().__init__("Show", labels, value, help_text=words, id="shown")
        self._shown = shown

    @property
    def meaning(self) -> T:
        """Return what the chosen value means."""
        return self._shown[self.value][1]
