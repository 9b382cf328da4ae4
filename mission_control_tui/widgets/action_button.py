"""A button on one line: `[ BUY EMAIL ]`, which says why while it cannot be pressed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.lines import LineWidget, Painted, Part

AROUND = 6
"""Cells around the label of a button that stands beside others."""


class ActionButton(LineWidget, can_focus=True):
    """Enter or Space presses it; with a `reason` it stays in the way of the focus and says why it is not ready.

    It is as wide as its place, or `width` cells; with 0 as wide as its label, to stand beside others.
    Pressed on a screen it does `verb`, or calls `run`, where it has one; what that begins runs beside the keys.
    """

    mark_hint = False
    """Space presses it too; one hint is enough."""

    key_labels: ClassVar[Mapping[str, str]] = {"open": "Press"}

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("open", "mark", action="press"),
    ]

    label = Painted("")
    reason = Painted("")
    """Why it cannot be pressed; empty when it can."""

    @dataclass
    class Pressed(Message):
        """The button was pressed."""

        button: ActionButton

    @dataclass
    class Refused(Message):
        """The button was pressed while it cannot be."""

        button: ActionButton

    def __init__(
        self,
        label: str,
        *,
        reason: str = "",
        help_text: str = "",
        width: int | None = None,
        verb: str = "",
        run: Callable[[], object] | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        if width is not None:
            self.styles.width = width or width_of(label) + AROUND
        self.label = label
        self.reason = reason
        self.help_text = help_text
        self.verb = verb
        self.run = run

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        if self.reason:
            style = "cursor" if self.has_focus else "dim"
            return [(f"( {self.label} )", style), (f"  {self.reason}", "dim")]
        return [(f"[ {self.label} ]", "cursor" if self.has_focus else "strong")]

    def action_press(self) -> None:
        self.post_message(self.Refused(self) if self.reason else self.Pressed(self))
