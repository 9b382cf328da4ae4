"""A quadrant: a title, heads of columns that have any, a few rows with a cursor, and "+N more" for others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mission_control_tui.widgets.cells import fit, width_of
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Column, HeldRows, Row


class Quadrant(HeldRows):
    """Rows under a title line. Rows that do not fit are counted on the last line and scroll into view."""

    DEFAULT_CSS = """
    Quadrant { padding: 0 1 0 0; }
    """

    def __init__(
        self,
        title: str,
        *,
        columns: Sequence[Column] = (Column(),),
        empty: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(columns=columns, empty=empty, id=id)
        self.title = title
        self.note = ""
        self._more = 0

    @property
    def head(self) -> int:
        return 1 + super().head

    @property
    def room(self) -> int:
        height = self.content_size.height - self.head
        return max(height - 1 if self._rest(height) else height, 1)

    def _rest(self, height: int) -> int:
        """Return rows that are not among the `height` lines below the head."""
        return self.count + self._more - height if self.count + self._more > height else 0

    def set_rows(self, rows: Sequence[Row], *, more: int = 0, note: str | None = None) -> None:
        """Show `rows`; `more` counts those that were not handed over; `note` stands beside the title."""
        self._more = more
        if note is not None:
            self.note = note
        self.hold(rows)

    def head_line(self, y: int, width: int) -> Iterable[Part]:
        if y:
            return super().head_line(y - 1, width)
        title = fit(self.title, min(width_of(self.title), width))
        note = f"  {self.note}" if self.note else ""
        return [(title, "cursor" if self.has_focus else "title"), (note, "dim")]

    def line(self, y: int, width: int) -> Iterable[Part]:
        height = self.content_size.height
        if (
            self._rows is not None
            and y >= self.head
            and y == height - 1
            and self._rest(height - self.head)
        ):
            hidden = self.count - self.top - self.room
            rest = max(hidden, 0) + self._more
            return [(f"  +{rest} more", "dim")] if rest else [("  (end)", "dim")]
        return super().line(y, width)
