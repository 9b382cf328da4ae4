"""A button on one line: `[ BUY EMAIL ]`, which says why while it cannot be pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.widgets.lines import LineWidget, Part


class ActionButton(LineWidget, can_focus=True):
    """Enter or Space presses it; with a `reason` it stays in the way of the focus and says why it is not ready."""

    mark_hint = False
    """Space presses it too; one hint is enough."""

    key_labels: ClassVar[Mapping[str, str]] = {"open": "Press"}

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("open", action="press"),
        *keymap.bindings("mark", action="press"),
    ]

    class Pressed(Message):
        """The button was pressed."""

        def __init__(self, button: ActionButton) -> None:
            super().__init__()
            self.button = button

    class Refused(Message):
        """The button was pressed while it cannot be."""

        def __init__(self, button: ActionButton) -> None:
            super().__init__()
            self.button = button

    def __init__(
        self,
        label: str,
        *,
        reason: str = "",
        help_text: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._label = label
        self._reason = reason
        self.help_text = help_text

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, text: str) -> None:
        self._label = text
        self.repaint()

    @property
    def reason(self) -> str:
        """Why it cannot be pressed; empty when it can."""
        return self._reason

    @reason.setter
    def reason(self, text: str) -> None:
        self._reason = text
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        if self._reason:
            style = "cursor" if self.has_focus else "dim"
            return [(f"( {self._label} )", style), (f"  {self._reason}", "dim")]
        return [(f"[ {self._label} ]", "cursor" if self.has_focus else "strong")]

    def action_press(self) -> None:
        self.post_message(self.Refused(self) if self._reason else self.Pressed(self))
