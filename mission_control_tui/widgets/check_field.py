"""A check box: `[x] label`, toggled by Space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from mission_control_tui.widgets.field import LABEL, FormLine
from mission_control_tui.widgets.lines import Painted, Part


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

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key != "space" and super().check_consume_key(key, character)

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return ()
        box = "[x]" if self.value else "[ ]"
        return [
            (" " * LABEL, ""),
            (box, "cursor" if self.has_focus else ""),
            (f" {self.label}", ""),
            self.error_part(),
        ]

    def action_change(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed(self))

    def remember(self) -> object:
        return self.value

    def recall(self, memory: object) -> None:
        if isinstance(memory, bool):
            self.value = memory
