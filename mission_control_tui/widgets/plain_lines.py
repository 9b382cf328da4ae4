"""Text as it is, from the first column on and without a frame: what a mouse selects is the text alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mission_control_tui.widgets.cells import crop, shown
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import CursorLines, Row

WIDTH = 80


def broken(text: str) -> Iterator[str]:
    """Return the lines of `text`, spaces kept; what is longer than the narrowest screen goes on in the next line."""
    for line in text.expandtabs().splitlines():
        rest = shown(line.rstrip())
        while True:
            part = crop(rest, WIDTH - 1)
            yield part
            rest = rest[len(part) :]
            if not rest or not part:
                break


class PlainLines(CursorLines):
    """Lines to read, scroll through and select."""

    open_hint = False

    def __init__(self, text: str) -> None:
        super().__init__()
        self._lines = list(broken(text))

    @property
    def count(self) -> int:
        return len(self._lines)

    def row_at(self, index: int) -> Row | None:
        return Row(index, (self._lines[index],))

    def line(self, y: int, width: int) -> Iterable[Part]:
        index = self.top + y
        return [(self._lines[index], "")] if index < self.count else ()

    def _scroll(self, by: int) -> None:
        top = max(0, min(self.top + by, self.count - self.room))
        if top != self.top:
            self.top = self.cursor = top
            self.repaint()

    def action_up(self) -> None:
        self._scroll(-1)

    def action_down(self) -> None:
        self._scroll(1)

    def action_pageup(self) -> None:
        self._scroll(1 - self.room)

    def action_pagedown(self) -> None:
        self._scroll(self.room - 1)

    def action_home(self) -> None:
        self._scroll(-self.count)

    def action_end(self) -> None:
        self._scroll(self.count)
