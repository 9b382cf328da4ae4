"""The choice above a list that narrows it: each has a label and what it means to the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from mission_control_tui.widgets.choice_field import ChoiceField

T = TypeVar("T")


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
