"""The matrix of lights: a name, glyph and letter for each service, and a cursor that is a row and a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.model.states import Light
from mission_control_tui.widgets.cells import fit
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.light import GLYPHS
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Row, cell_parts

NAME_LEAST = 26
AGE = 8
CELL = 4
"""Cells that a service takes: glyph, letter, two between."""

NOTHING = (GLYPHS[Light.GREY] + "-", Light.GREY.value)


class LightMatrix(LineList):
    """Rows whose first cell is the name, the second the age, and the others are services, as `codes` has them."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("left", "right")]

    help_text = (
        "Up and Down choose the user, Left and Right the service; Enter opens its panel. Space marks, v marks from the "
        "last mark to here, * all that is found; x acts on the marked ones. Letters: E error, Q queued, P "
        "provisioning, W waiting, G provisioned, S suspended, D differs, N not checked."
    )
    title = "Lights"

    @dataclass
    class Turned(Message):
        """Another service is under the cursor."""

        matrix: LightMatrix

    def __init__(
        self, *, find_box: FindBox | None = None, empty: str = "", id: str | None = None
    ) -> None:
        super().__init__(find_box=find_box, marking=True, empty=empty, id=id)
        self.codes: Sequence[str] = ()
        self.column = 0
        self.first = 0

    @property
    def head(self) -> int:
        return 1

    def set_columns(self, codes: Sequence[str]) -> None:
        """Show these services, by their codes."""
        if tuple(codes) != tuple(self.codes):
            self.codes = tuple(codes)
            self.turn_to(self.column)

    def _room_across(self, width: int) -> int:
        """Return how many services fit beside the name."""
        room = width - 2 - NAME_LEAST - AGE
        if len(self.codes) * CELL > room:
            room -= CELL
        return max(1, min(room // CELL, len(self.codes)))

    def _across(self, width: int) -> range:
        """Return the services that are in view."""
        fits = self._room_across(width)
        first = max(0, min(self.first, len(self.codes) - fits))
        if self.column < first:
            first = self.column
        elif self.column >= first + fits:
            first = self.column - fits + 1
        self.first = first
        return range(first, min(first + fits, len(self.codes)))

    def _name_width(self, width: int) -> int:
        fits = len(self._across(width))
        hidden = CELL if fits < len(self.codes) else 0
        return max(width - 2 - AGE - fits * CELL - hidden, 1)

    def head_line(self, y: int, width: int) -> Iterable[Part]:
        across = self._across(width)
        parts: list[Part] = [("  ", ""), (fit("Name", self._name_width(width)), "dim")]
        parts.append((fit("Age", AGE - 2, right=True) + "  ", "dim"))
        for index in across:
            parts += [(self.codes[index], "strong" if index == self.column else "dim"), ("  ", "")]
        hidden = len(self.codes) - len(across)
        if hidden:
            parts.append((f"+{hidden}", "dim"))
        return parts

    def row_parts(self, row: Row, width: int) -> Iterable[Part]:
        width += 2
        here = self.current
        shows = here is not None and here.key == row.key
        name = cell_parts(row.cells[0])
        flags = "".join(text for text, _style in name[1:])
        wide = self._name_width(width)
        parts: list[Part] = []
        if flags and wide > len(flags) + 8:
            parts += [(fit(name[0][0], wide - len(flags) - 1), ""), (f"{flags} ", "error")]
        else:
            parts.append((fit(name[0][0], wide - 1) + " ", ""))
        age = row.cells[1]
        parts.append((fit(age if isinstance(age, str) else "", AGE - 2, right=True) + "  ", "dim"))
        for index in self._across(width):
            cell = row.cells[index + 2] if index + 2 < len(row.cells) else NOTHING
            ((text, style),) = cell_parts(cell)
            cursor = shows and index == self.column and (self.has_focus or self.cursor_when_blurred)
            parts += [(text, f"{style}" if not cursor else "cursor"), ("  ", "")]
        return parts

    def turn_to(self, column: int) -> None:
        """Put the cursor on another service."""
        before = self.column
        self.column = max(0, min(column, len(self.codes) - 1))
        self.repaint()
        if self.column != before:
            self.post_message(self.Turned(self))

    def action_left(self) -> None:
        self.turn_to(self.column - 1)

    def action_right(self) -> None:
        self.turn_to(self.column + 1)

    def move_to(self, index: int) -> None:
        before = self.cursor
        super().move_to(index)
        self.repaint(before - self.top + self.head)

    def remember(self) -> object:
        place = super().remember()
        return {**place, "column": self.column} if isinstance(place, dict) else place

    def recall(self, memory: object) -> None:
        if isinstance(memory, dict):
            self.column = int(memory.get("column", 0))
        super().recall(memory)
