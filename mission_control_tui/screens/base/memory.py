"""What a screen remembers: cursor, filter, open panels and the focus, found again when one comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual.widget import Widget

from mission_control_tui.screens.base.frame import Body
from mission_control_tui.widgets.fold import Fold


@runtime_checkable
class Rememberable(Protocol):
    """A widget that can tell where it is and go back there; it needs an id."""

    def remember(self) -> object: ...

    def recall(self, memory: object) -> None: ...


class Memory:
    """The place of a screen, which the application keeps while one is elsewhere."""

    def __init__(self, body: Body, focus: Callable[[], Widget | None]) -> None:
        self._body = body
        self._focus = focus
        self.kept: dict[str, object] = {}
        """What was remembered and nobody has gone back to yet."""
        self._opened: list[Fold] = []

    @property
    def is_going_back(self) -> bool:
        """Whether panels are still being opened again, in which the focus may have been."""
        self._opened = [fold for fold in self._opened if fold.is_opening and fold.is_attached]
        return bool(self._opened)

    def remember(self) -> dict[str, object]:
        """Return where everything with an id is."""
        found: dict[str, object] = dict(self.kept)
        for widget in self._body.walk_children(Widget):
            if widget.id and isinstance(widget, Rememberable):
                place = widget.remember()
                if place is not None:
                    found[widget.id] = place
        focus = self._focus()
        around = focus.ancestors_with_self if focus is not None else ()
        named = (node.id for node in around if isinstance(node, Widget) and node.id)
        if (name := next(named, None)) is not None:
            found["focus"] = name
        return found

    def recall(self) -> None:
        """Give each widget that is there now what it remembered."""
        for widget in list(self._body.walk_children(Widget)):
            if widget.id and widget.id in self.kept and isinstance(widget, Rememberable):
                widget.recall(self.kept.pop(widget.id))
        folds = self._body.query(Fold).results(Fold)
        self._opened = [fold for fold in folds if fold.is_opening]
        focus = self.kept.get("focus")
        for widget in self._body.walk_children(Widget):
            if isinstance(focus, str) and widget.id == focus:
                del self.kept["focus"]
                widget.focus()
                break
