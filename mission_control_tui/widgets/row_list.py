"""A short list inside a form: as high as its rows, up to a limit, from where it scrolls by its cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.geometry import Size

from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Column, HeldRows, Row


class RowList(HeldRows):
    """Rows that are all handed over at once. `most` of them are seen at a time."""

    DEFAULT_CSS = """
    RowList { height: auto; }
    """

    def __init__(
        self,
        *,
        columns: Sequence[Column],
        empty: str = "",
        most: int = 10,
        help_text: str = "",
        title: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(columns=columns, empty=empty, id=id)
        self.help_text = help_text
        self.title = title
        self._most = most
        self._more = ""

    @property
    def room(self) -> int:
        if self.styles.height is not None and not self.styles.height.is_auto:
            return max(super().room - bool(self._more), 1)
        return max(min(self.count, self._most), 1)

    def set_rows(self, rows: Sequence[Row], *, more: str = "") -> None:
        """Show `rows`, the cursor staying on the same one; `more` says on a last line what is not among them."""
        before = self._height()
        self._more = more
        self.hold(rows)
        if self._height() != before:
            self.refresh(layout=True)

    def _height(self) -> int:
        return self.head + max(min(self.count, self._most), 1) + bool(self._more)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._height()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if self._more and y == self.content_size.height - 1:
            return [(f"  {self._more}", "dim")]
        return super().line(y, width)
