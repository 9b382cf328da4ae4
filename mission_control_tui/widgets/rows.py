"""Rows with a cursor: what lists, quadrants, level pickers and logs have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar, TypeAlias, TypeVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset
from textual.message import Message

from mission_control_tui.keys import keymap
from mission_control_tui.widgets.cells import ELLIPSIS, fit, width_of
from mission_control_tui.widgets.lines import LineWidget, Part, fit_parts

Cell: TypeAlias = str | Part | tuple[Part, ...]
"""Plain text, text with a style name, or several of these."""

T = TypeVar("T")

MARKER = ">"
MARK = "*"
GAP = 2

FRAME = 0.05
"""Seconds until what changed is drawn and can be seen."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a key that stays the same when the row changes, and one cell for each column."""

    key: Hashable
    cells: tuple[Cell, ...]
    data: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A column `width` cells wide; those of 0 have what the others leave, each its `share` of it."""

    title: str = ""
    width: int = 0
    right: bool = False
    share: int = 1


def cell_parts(cell: Cell) -> tuple[Part, ...]:
    """Return a cell as parts, whichever way it was written."""
    if isinstance(cell, str):
        return ((cell, ""),)
    if len(cell) == 2 and isinstance(cell[0], str):
        return (cell,)
    return cell


def lay_out(cells: Sequence[Cell], columns: Sequence[Column], width: int) -> list[Part]:
    """`cells` under `columns` in `width` cells; columns that do not fit any more are left out."""
    fixed = sum(column.width for column in columns) + GAP * (len(columns) - 1)
    shares = sum(column.share for column in columns if not column.width)
    unit, extra = divmod(max(width - fixed, 0), shares) if shares else (0, 0)
    parts: list[Part] = []
    left = width
    for cell, column in zip(cells, columns, strict=False):
        if column.width:
            wide = column.width
        else:
            wide = unit * column.share + min(extra, column.share)
            extra -= min(extra, column.share)
        wide = min(wide, left)
        if wide <= 0:
            continue
        pieces = cell_parts(cell)
        if len(pieces) == 1:
            text, style = pieces[0]
            parts.append((fit(text, wide, right=column.right), style))
        elif sum(width_of(text) for text, _style in pieces) > wide:
            parts += [*fit_parts(pieces, wide - 1), (ELLIPSIS, pieces[-1][1])]
        else:
            parts.extend(fit_parts(pieces, wide))
        left -= wide
        gap = min(GAP, left)
        if gap:
            parts.append((" " * gap, ""))
            left -= gap
    return parts


class CursorLines(LineWidget, can_focus=True):
    """Rows below each other with a cursor that is a `>`: moving it repaints two cells.

    A subclass says how many rows there are (`count`) and what they are (`row_at`).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("up", "down", "pageup", "pagedown", "home", "end"),
        *keymap.bindings("open", "mark"),
    ]

    DEFAULT_CSS = """
    CursorLines { height: 1fr; }
    """

    @dataclass
    class Opened(Message):
        """Enter on a row."""

        rows: CursorLines
        row: Row

    @dataclass
    class Filled(Message):
        """There are rows now where there were none, or the other way round."""

        rows: CursorLines

    _had_rows: bool | None = None

    @dataclass
    class Moved(Message):
        """The cursor is on another row; only the newest of these is delivered."""

        rows: CursorLines
        row: Row | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, CursorLines.Moved) and message.rows is self.rows

    @dataclass
    class Marked(Message):
        """Marks were set or taken away."""

        rows: CursorLines

    @dataclass
    class Edge(Message):
        """The cursor was asked to go above the first row (-1) or below the last (1)."""

        rows: CursorLines
        direction: int

    def __init__(
        self,
        *,
        columns: Sequence[Column] = (Column(),),
        marking: bool = False,
        cursor_when_blurred: bool = False,
        empty: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.marking = marking
        self.cursor_when_blurred = cursor_when_blurred
        self.empty = empty
        self.cursor = 0
        self.top = 0
        self.marks: set[Hashable] = set()
        self.last_mark: Hashable | None = None
        self.replaced_at = 0.0
        """When another row came under the cursor that nobody went to, on the clock of events."""
        self.then: Callable[[Row], object] | None = None
        """What the screen does with a row that was opened, where whoever made the list says so."""

    # What a subclass tells

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        return 0

    def row_at(self, index: int) -> Row | None:
        """Return the row at `index`, or None while it is not known."""
        return None

    @property
    def mark_hint(self) -> bool:
        """Tell whether the key hints tell of Space."""
        return self.marking

    @property
    def head(self) -> int:
        """Rows of the widget above the first row."""
        return 1 if any(column.title for column in self.columns) else 0

    def head_line(self, y: int, width: int) -> Iterable[Part]:
        titles = [(column.title, "dim") for column in self.columns]
        return [("  ", ""), *lay_out(titles, self.columns, width - 2)]

    # What is shown

    @property
    def room(self) -> int:
        """Rows that fit below the head."""
        return max(self.content_size.height - self.head, 1)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.cursor) if self.cursor < self.count else None

    def current_data(self, kind: type[T]) -> T | None:
        """Return the data of the row under the cursor, where it is of this kind."""
        row = self.current
        return row.data if row is not None and isinstance(row.data, kind) else None

    def row_parts(self, row: Row, width: int) -> Iterable[Part]:
        """Return a row without its marker."""
        return lay_out(row.cells, self.columns, width)

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y < self.head:
            return self.head_line(y, width)
        index = self.top + y - self.head
        if index >= self.count:
            return [("  " + self.empty, "dim")] if self.empty and index == 0 else ()
        shows = index == self.cursor and (self.has_focus or self.cursor_when_blurred)
        row = self.row_at(index)
        if row is None:
            return [(MARKER if shows else " ", "strong"), (" …", "dim")]
        mark = MARK if row.key in self.marks else " "
        return [
            (MARKER if shows else " ", "strong"),
            (mark, "strong" if mark == MARK else ""),
            *self.row_parts(row, width - 2),
        ]

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on row `index`, or on the nearest one that there is."""
        index = max(0, min(index, self.count - 1))
        before, top = self.cursor, self.top
        self.cursor = index
        self._reveal()
        if self.top != top:
            self.view_moved()
            self.repaint()
        elif before != index:
            self.repaint(before - top + self.head, index - top + self.head)
        if before != index:
            self.post_message(self.Moved(self, self.current))

    def cursor_cell(self) -> Offset:
        y = self.cursor - self.top + self.head
        return Offset(self.drawn_cursor(y) or 0, y)

    def view_moved(self) -> None:
        """Called when other rows came into view."""

    def _reveal(self) -> None:
        room = self.room
        last_top = max(self.count - room, 0)
        half = max(room // 2, 1)
        if self.cursor < self.top:
            self.top = max(0, self.cursor - half + 1)
        elif self.cursor >= self.top + room:
            self.top = self.cursor - room + half
        self.top = max(0, min(self.top, last_top))

    def rows_changed(self) -> None:
        """Call when the rows changed under the cursor; keeps the cursor among them."""
        self.cursor = max(0, min(self.cursor, self.count - 1))
        self._reveal()
        self.repaint()
        if self._had_rows is not bool(self.count):
            self._had_rows = bool(self.count)
            self.post_message(self.Filled(self))

    def on_resize(self, event: events.Resize) -> None:
        top = self.top
        self._reveal()
        if self.top != top:
            self.repaint()
        self.view_moved()

    def look_for_replaced(self, before: Row | None) -> None:
        """Note it when the row under the cursor is another than `before`, though nobody moved the cursor."""
        after = self.current
        if before is not None and (after is None or after.key != before.key):
            self.replaced_at = monotonic() + FRAME

    def action_up(self) -> None:
        if self.cursor == 0:
            self.beyond(-1)
        else:
            self.move_to(self.cursor - 1)

    def action_down(self) -> None:
        if self.cursor >= self.count - 1:
            self.beyond(1)
        else:
            self.move_to(self.cursor + 1)

    def beyond(self, direction: int) -> None:
        """Somebody asked to go above the first row (-1) or below the last (1)."""
        self.post_message(self.Edge(self, direction))

    @property
    def jump(self) -> int:
        """Rows that a page key moves: what the operator chose, else as many as are in view."""
        return getattr(self.app, "page_jump", 0) or self.room

    def action_pageup(self) -> None:
        self.move_to(self.cursor - self.jump)

    def action_pagedown(self) -> None:
        self.move_to(self.cursor + self.jump)

    def action_home(self) -> None:
        self.move_to(0)

    def action_end(self) -> None:
        self.move_to(self.count - 1)

    def action_open(self) -> None:
        if (row := self.current) is not None:
            self.post_message(self.Opened(self, row))

    def action_mark(self) -> None:
        """Mark or unmark the row and go on to the next; without marks, Space opens."""
        row = self.current
        if row is None:
            return
        if not self.marking:
            self.action_open()
            return
        self.marks.symmetric_difference_update({row.key})
        self.last_mark = row.key if row.key in self.marks else None
        self.post_message(self.Marked(self))
        self.repaint(self.cursor - self.top + self.head)
        if self.cursor < self.count - 1:
            self.move_to(self.cursor + 1)

    # Memory

    def remember(self) -> object:
        return {"key": self.current.key if self.current else None, "at": self.cursor}

    def recall(self, memory: object) -> None:
        if isinstance(memory, dict):
            self.seek(memory.get("key"), int(memory.get("at", 0)))

    def seek(self, key: Hashable, fallback: int = 0) -> None:
        """Put the cursor on the row with `key`, or on row `fallback` when there is none."""
        for index in range(self.count):
            row = self.row_at(index)
            if row is not None and row.key == key:
                self.move_to(index)
                return
        self.move_to(fallback)


class HeldRows(CursorLines):
    """Rows that are all handed over at once; until then a placeholder, unless there are none from the start."""

    _rows: Sequence[Row] | None = None

    @property
    def count(self) -> int:
        return len(self._rows or ())

    @property
    def known(self) -> bool:
        return self._rows is not None

    def row_at(self, index: int) -> Row | None:
        return self._rows[index] if self._rows is not None else None

    def forget(self) -> None:
        """Forget the rows: those that come next are others, and the cursor goes to the first of them."""
        self._rows, self.cursor = None, 0

    def hold(self, rows: Sequence[Row]) -> None:
        """Show `rows`, the cursor staying on the same one."""
        before = self.current
        self._rows = tuple(rows)
        for index, row in enumerate(self._rows):
            if before is not None and row.key == before.key:
                self.cursor = index
                break
        self.rows_changed()
        self.look_for_replaced(before)

    def line(self, y: int, width: int) -> Iterable[Part]:
        if self._rows is None and y >= self.head:
            return [("  …", "dim")] if y == self.head else ()
        return super().line(y, width)


class FieldLines(CursorLines):
    """Rows among the fields of a form: beyond their ends stand the fields before and after."""

    def beyond(self, direction: int) -> None:
        if direction > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()
