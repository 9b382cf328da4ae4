"""Levels of a product with their prices and seats; one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from mission_control_tui.widgets.level_picker import LevelChoice, LevelPicker
from mission_control_tui.widgets.rows import Column, Row


class PriceList(LevelPicker):
    """`( ) Standard Mail (POPX)   3.00   2 of 5 free`; the note of a level is its price."""

    def __init__(
        self,
        levels: Sequence[LevelChoice],
        chosen: str | None = None,
        *,
        price: str,
        id: str | None = None,
    ) -> None:
        super().__init__(levels, chosen, id=id)
        self.columns = (
            Column("Level"),
            Column(price, width=11, right=True),
            Column("Seats", width=16),
        )

    def row_at(self, index: int) -> Row | None:
        level = self._levels[index]
        dot = "(•) " if level.id == self.chosen else "( ) "
        seats = level.seats
        owned = seats is not None and seats.owned > 0
        free = f"{seats.free} of {seats.owned} free" if seats is not None and owned else "none yet"
        style = "dim" if not owned else "" if seats is not None and seats.free else "red"
        return Row(level.id, (dot + level.label, level.note, (free, style)))

    def _fit_columns(self) -> None:
        """Prices and seats have their widths."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, width) + self.head
