"""Where the terminal's own cursor stands: readers, magnifiers and braille displays follow it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textual.errors import NoWidget
from textual.geometry import Offset
from textual.screen import Screen


@runtime_checkable
class HasCursorCell(Protocol):
    """A widget that says in which cell of its content the cursor stands while it has the focus."""

    def cursor_cell(self) -> Offset: ...


def cursor_on(screen: Screen[Any]) -> Offset:
    """Return the cell of `screen`, as it is laid out now, that the cursor of what has the focus stands in."""
    focused = screen.focused
    if focused is None:
        return Offset(0, 0)
    try:
        seen = screen.find_widget(focused).visible_region
    except NoWidget:
        return Offset(0, 0)
    cell = focused.cursor_cell() if isinstance(focused, HasCursorCell) else Offset(0, 0)
    x, y = focused.content_region.offset + cell
    return Offset(
        max(seen.x, min(x, seen.right - 1)),
        max(seen.y, min(y, seen.bottom - 1)),
    )
