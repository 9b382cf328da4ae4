"""What a screen remembers: cursor, filter, open panels and the focus, found again when one comes back."""

from __future__ import annotations

from typing import Any

from textual.widget import Widget

from mission_control_tui.screens.base.loading import ReadingScreen
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.memory import Rememberable


class RememberingScreen(ReadingScreen):
    """A screen whose place is kept by the application while one is elsewhere."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._kept_focus: Widget | None = None
        self._memory: dict[str, object] = {}

    @property
    def memory_key(self) -> str:
        """Under which name cursor, filter and open panels are remembered; add the subject's id where there is one."""
        return type(self).__name__

    @property
    def unfinished(self) -> bool:
        """Whether something is typed here that nobody was asked for yet; it is kept when one leaves."""
        return False

    def remember(self) -> dict[str, object]:
        """Where everything with an id is; a screen adds what else it wants to find again."""
        found: dict[str, object] = dict(self._memory)
        for widget in self._body.walk_children(Widget):
            if widget.id and isinstance(widget, Rememberable):
                place = widget.remember()
                if place is not None:
                    found[widget.id] = place
        node: Any = self._kept_focus or self._small_focus or self.focused
        while isinstance(node, Widget) and not node.id and node is not self:
            node = node.parent
        if isinstance(node, Widget) and node is not self and node.id:
            found["focus"] = node.id
        return found

    def recall(self, memory: dict[str, object]) -> None:
        """Go back to what `remember` found; a screen takes what it added."""

    def keep(self) -> None:
        if not self.is_mounted:
            return  # it was left before it was there, and has nothing to remember
        self.console.memory[self.memory_key] = self.remember()

    def _recall(self) -> None:
        self.recall(self._memory)
        self._recall_widgets()

    def _recall_widgets(self) -> None:
        for widget in list(self._body.walk_children(Widget)):
            if widget.id and widget.id in self._memory and isinstance(widget, Rememberable):
                widget.recall(self._memory.pop(widget.id))
        focus = self._memory.get("focus")
        if isinstance(focus, str):
            for widget in self._body.walk_children(Widget):
                if widget.id == focus:
                    del self._memory["focus"]
                    widget.focus()
                    break

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        event.fold.is_opening = False
        if self._memory:
            self._recall_widgets()
