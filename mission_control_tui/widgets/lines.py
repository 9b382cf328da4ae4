"""The base of all widgets that draw themselves line by line and repaint only the cells that differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget

from mission_control_tui.widgets.cells import crop, shown, width_of
from mission_control_tui.widgets.theme import palette_of

Part: TypeAlias = tuple[str, str]
"""Text and the name of its style (see `theme.STYLE_NAMES`); an empty name is plain text."""


def fit_parts(parts: Iterable[Part], width: int) -> list[Part]:
    """`parts` made harmless and cut or padded to exactly `width` cells."""
    fitted: list[Part] = []
    room = width
    for text, style in parts:
        text = shown(text)
        taken = width_of(text)
        if taken > room:
            text = crop(text, room)
            taken = width_of(text)
        if text:
            fitted.append((text, style))
        room -= taken
        if room <= 0:
            break
    if room > 0:
        fitted.append((" " * room, ""))
    return fitted


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a widget, ready to draw; `Line.of` makes the parts harmless and fits them."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, parts: Iterable[Part], width: int) -> Line:
        return cls(tuple(fit_parts(parts, width)))

    def cells(self) -> list[Part]:
        """Return one entry a cell; the second cell of a wide character is empty, joined marks stay with their base."""
        cells: list[Part] = []
        for text, style in self.parts:
            if text.isascii():
                cells.extend((char, style) for char in text)
                continue
            for char in text:
                width = cell_len(char)
                if width == 0 and cells:
                    at = -1 if cells[-1][0] else -2
                    cells[at] = (cells[at][0] + char, style)
                else:
                    cells.append((char, style))
                    cells.extend([("", style)] * (width - 1))
        return cells


def changed_span(old: Line, new: Line) -> tuple[int, int] | None:
    """First and one-past-last column that differ between two lines of the same width, or None."""
    if old == new:
        return None
    before, after = old.cells(), new.cells()
    if len(before) != len(after):
        return 0, max(len(before), len(after))
    differing = [x for x, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    if not differing:
        return None
    start, end = differing[0], differing[-1] + 1
    while start > 0 and after[start][0] == "":
        start -= 1
    while end < len(after) and after[end][0] == "":
        end += 1
    return start, end


T = TypeVar("T")


class Painted(Generic[T]):
    """An attribute of a LineWidget that is shown: setting it repaints the cells that differ."""

    def __init__(self, initial: T) -> None:
        self._initial = initial

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_painted_{name}"

    def __get__(self, widget: Any, owner: type) -> T:
        return getattr(widget, self._name, self._initial)

    def __set__(self, widget: LineWidget, value: T) -> None:
        setattr(widget, self._name, value)
        widget.repaint()


class LineWidget(Widget):
    """A widget whose rows come from `line(y, width)`.

    Call `repaint()` after a change: it compares what is shown with what should be and marks only the cells
    that differ. Focus costs no more than that either.
    """

    ALLOW_SELECT = False
    ALLOW_MAXIMIZE = False

    DEFAULT_CSS = """
    LineWidget { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._drawn: dict[int, Line] = {}
        self._drawn_size = Size(0, 0)

    def line(self, y: int, width: int) -> Iterable[Part]:
        """Return the parts of row `y`, of which `width` cells are shown. Override this."""
        return ()

    def render_line(self, y: int) -> Strip:
        size = self.content_size
        if size != self._drawn_size:
            self._drawn.clear()
            self._drawn_size = size
        line = self._drawn[y] = Line.of(self.line(y, size.width), size.width)
        palette = palette_of(self)
        styles: dict[str, Style | None] = {}
        segments = []
        for text, name in line.parts:
            if name not in styles:
                styles[name] = palette[name]
            segments.append(Segment(text, styles[name]))
        return Strip(segments, size.width)

    def repaint(self, *rows: int) -> None:
        """Mark the cells of `rows` (all, without arguments) that no longer are what is shown."""
        size = self.content_size
        if not self.is_mounted:
            return
        if not size or size != self._drawn_size:
            self.refresh()
            return
        regions = []
        for y in rows or range(size.height):
            if not 0 <= y < size.height:
                continue
            old = self._drawn.get(y)
            if old is None:
                regions.append(Region(0, y, size.width, 1))
                continue
            span = changed_span(old, Line.of(self.line(y, size.width), size.width))
            if span is not None:
                regions.append(Region(span[0], y, span[1] - span[0], 1))
        if regions:
            self.refresh(*regions)

    def cursor_cell(self) -> Offset:
        """Return where the terminal's own cursor stands while this has the focus: on what is drawn as the cursor."""
        for y in range(self.content_size.height):
            if (x := self.drawn_cursor(y)) is not None:
                return Offset(x, y)
        return Offset(0, 0)

    def drawn_cursor(self, y: int) -> int | None:
        """Return the column where a cursor is drawn in row `y`; None where there is none."""
        x = 0
        for text, style in self._drawn[y].parts if y in self._drawn else ():
            if style == "cursor":
                return x
            x += width_of(text)
        return None

    def _on_focus(self, event: events.Focus) -> None:
        event.prevent_default()
        self.has_focus = True
        self.repaint()
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def _on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        self.repaint()
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))
