"""A choice on one line: `Label  < value >`, changed by arrows, Space, or the first letters of a choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.field import FormLine
from mission_control_tui.widgets.lines import Part

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

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key != "space" and super().check_consume_key(key, character)

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        text = self._choices[self._index][1] if self._choices else "(nothing to choose)"
        place = f" {self._index + 1}/{len(self._choices)}" if len(self._choices) > 1 else ""
        return [
            self.label_part(),
            ("<", "dim"),
            (text, "cursor" if self.has_focus else ""),
            (">", "dim"),
            (place if width_of(text) < width - 36 else "", "dim"),
            self.error_part(),
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
