"""A question in place, over the lowest lines: what would be lost, and No until somebody says Yes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from mission_control_tui.widgets.cells import wrap
from mission_control_tui.widgets.lines import LineWidget, Part

MARGINS = 4


class ConfirmBar(LineWidget, can_focus=True):
    """Lines of consequences above `No` and `Yes`. Escape, n and Enter on No all refuse."""

    is_modal_bar = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right,tab,shift+tab,up,down", "other", "Other answer", show=False),
        Binding("enter,space", "answer", "Answer", show=False),
        Binding("y", "say(True)", "Yes", show=False),
        Binding("n,escape", "say(False)", "No", show=False),
    ]

    DEFAULT_CSS = """
    ConfirmBar { layer: above; dock: bottom; height: 3; width: 100%; background: ansi_default; }
    """

    def __init__(
        self, lines: Sequence[str], answered: Callable[[bool], None], yes: str = "Yes"
    ) -> None:
        super().__init__()
        self._said = tuple(lines)
        self._lines: list[str] = []
        self._asked = 0
        self._answered = answered
        self._yes_word = yes
        self.yes = False

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        width = self.app.size.width - MARGINS
        wrapped = [wrap(line, width) for line in self._said]
        self._lines = [part for parts in wrapped for part in parts]
        self._asked = len(wrapped[0]) if wrapped else 0
        self.styles.height = len(self._lines) + 2

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == 0:
            return [("─" * width, "orange")]
        if y <= len(self._lines):
            return [("  ", ""), (self._lines[y - 1], "strong" if y <= self._asked else "")]
        return [
            ("  ", ""),
            ("[ No ]", "" if self.yes else "cursor"),
            ("  ", ""),
            (f"[ {self._yes_word} ]", "cursor" if self.yes else ""),
            ("   Left/Right choose, Enter answers, y, n", "dim"),
        ]

    def action_other(self) -> None:
        self.yes = not self.yes
        self.repaint(len(self._lines) + 1)

    def action_answer(self) -> None:
        self._answered(self.yes)

    def action_say(self, yes: bool) -> None:
        self._answered(yes)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isprintable() and character not in "yn "
