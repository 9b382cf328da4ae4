"""Levels of a service as a radio list, with free seats and, where they are sold, prices beside each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.widgets.cells import fit, width_of
from mission_control_tui.widgets.lines import Painted, Part
from mission_control_tui.widgets.rows import GAP, Column, FieldLines, Row
from mission_control_tui.widgets.seat_bar import ROOM, SeatCounts, seat_parts


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """A level that can be chosen; `seats` is None where it does not need any, `note` says for example its price."""

    id: str
    label: str
    seats: SeatCounts | None = None
    note: str = ""


MARKS = 2
"""Cells of cursor and mark before a row."""


def seat_columns(levels: Sequence[LevelChoice]) -> tuple[Column, Column]:
    """Return columns of label and seats, the latter as wide as its numbers need."""
    bars = [seat_parts(level.seats) for level in levels if level.seats]
    return Column(), Column(
        width=max([ROOM, *(sum(len(text) for text, _style in bar) for bar in bars)])
    )


class LevelPicker(FieldLines):
    """`(•) PC & Web Access  ██░░ 2 of 5 free`. Space or Enter chooses the level under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("open", "mark", action="choose"),
        Binding("up", "up", "Up", show=False),
        Binding("down", "down", "Down", show=False),
    ]

    DEFAULT_CSS = """
    LevelPicker { height: auto; }
    """

    chosen: Painted[str | None] = Painted(None)
    """The id of the chosen level, None before one was chosen."""

    @dataclass
    class Chosen(Message):
        """A level was chosen."""

        picker: LevelPicker
        level: LevelChoice

    def __init__(
        self,
        levels: Sequence[LevelChoice],
        chosen: str | None = None,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(columns=seat_columns(levels), id=id)
        self._levels = tuple(levels)
        self.chosen = chosen
        self.cursor = next((i for i, level in enumerate(levels) if level.id == chosen), 0)

    @property
    def count(self) -> int:
        return len(self._levels)

    key_labels: ClassVar[Mapping[str, str]] = {"open": "Choose"}

    def row_at(self, index: int) -> Row | None:
        level = self._levels[index]
        label = ("(•) " if level.id == self.chosen else "( ) ") + level.label
        note = f"  {level.note}" if level.note else ""
        room = self.content_size.width - MARKS - GAP - self.columns[-1].width - width_of(note)
        if width_of(label) > room > 0:
            label = fit(label, room)
        parts: tuple[Part, ...] = ((label, ""), (note, "dim"))
        return Row(level.id, (parts, seat_parts(level.seats) if level.seats else ""))

    @property
    def under_cursor(self) -> LevelChoice | None:
        return self._levels[self.cursor] if self._levels else None

    def set_levels(self, levels: Sequence[LevelChoice]) -> None:
        """Show other levels or seat numbers; the cursor and the choice stay."""
        taller = len(levels) != len(self._levels)
        self._levels = tuple(levels)
        self._fit_columns()
        self.rows_changed()
        if taller:
            self.refresh(layout=True)

    def _fit_columns(self) -> None:
        self.columns = seat_columns(self._levels)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._levels), 1)

    def action_choose(self) -> None:
        level = self.under_cursor
        if level is not None:
            self.chosen = level.id
            self.post_message(self.Chosen(self, level))

    def remember(self) -> object:
        return self.chosen

    def recall(self, memory: object) -> None:
        if any(level.id == memory for level in self._levels):
            self.chosen = str(memory)


class PriceList(LevelPicker):
    """`( ) Standard Mail (POPX)   3.00   3/5 used, 2 free`; the note of a level is its price."""

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
            Column("Seats", width=24),
        )

    def row_at(self, index: int) -> Row | None:
        level = self._levels[index]
        dot = "(•) " if level.id == self.chosen else "( ) "
        seats = level.seats
        owned = seats is not None and seats.owned > 0
        free = "none yet"
        if seats is not None and owned:
            free = f"{seats.used + seats.queued}/{seats.owned} used, {seats.free} free"
        style = "dim" if not owned else "" if seats is not None and seats.free else "red"
        return Row(level.id, (dot + level.label, level.note, (free, style)))

    def _fit_columns(self) -> None:
        """Prices and seats have their widths."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, width) + self.head
