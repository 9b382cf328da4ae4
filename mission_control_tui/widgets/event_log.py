"""Events as lines: newest last, following the end until one scrolls up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mission_control_tui.widgets.rows import Column, HeldRows, Row

KEPT = 1000


class EventLog(HeldRows):
    """Rows that are added over time; the oldest are dropped beyond a thousand."""

    def __init__(self, *, columns: Sequence[Column] = (Column(),), id: str | None = None) -> None:
        super().__init__(columns=columns, empty="Nothing yet", id=id)
        self._rows: list[Row] = []

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows; a row whose key is there already replaces it."""
        follows = self.cursor >= self.count - 1
        places = {row.key: index for index, row in enumerate(self._rows)}
        for row in rows:
            if row.key in places:
                self._rows[places[row.key]] = row
            else:
                places[row.key] = len(self._rows)
                self._rows.append(row)
        dropped = max(len(self._rows) - KEPT, 0)
        del self._rows[:dropped]
        self.cursor = self.count - 1 if follows else max(self.cursor - dropped, 0)
        self.top = max(self.top - dropped, 0)
        self.rows_changed()

    def clear(self) -> None:
        self._rows.clear()
        self.rows_changed()
