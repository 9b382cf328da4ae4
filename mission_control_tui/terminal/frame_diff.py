"""Frames in fewer bytes: exactly the same cells, without what the terminal shows already.

Textual gives every piece of a line its style and a reset of its own, draws whole rows where one cell changed, and
paints a screen that opens three or four times over. Here is a picture of the terminal, cell by cell; of each frame
only the difference is written.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len

Cell = tuple[str, str] | None
"""Style and character, with the marks on it; the right half of a wide character is empty; None is unknown."""

_MOVE = re.compile(r"\n?\x1b\[(\d+);(\d+)H")
_PIECE = re.compile(r"\x1b\[([\d;]*)m|([^\x1b]+)")
_CONTROL = re.compile(r"\x1b(?!\[[\d;]*m)|[\x00-\x1a\x1c-\x1f\x7f]")
_PARAMETER = re.compile(r"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+")
_UNSEEN_ON_A_BLANK = re.compile(r"[12]|[39][0-7]|38;.+")
_ERASE_LINE = "\x1b[K"
_BLANK = ("", " ")
_WORTH_A_MOVE = 6
"""As many cells that stay are written again rather than jumped over."""


def draws_cells(data: str) -> bool:
    """Tell whether `data` moves the cursor to draw there."""
    return _MOVE.search(data) is not None


class FrameDiff:
    """Remembers what the terminal shows."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell]] = {}
        self._columns = 0

    def forget(self) -> None:
        """Call when the terminal may show something else than what was written. Callable from any thread."""
        self._rows = {}

    def diff(self, frame: str, columns: int) -> str:
        """What shows the same as `frame` on a terminal of `columns`; what draws no cells is returned as it is."""
        start, *pieces = _MOVE.split(frame)
        if not pieces:
            return frame
        if columns != self._columns:
            self._columns = columns
            self._rows = {}
        rows = self._rows
        written = [start]
        drawn: tuple[int, list[Cell], list[Cell]] | None = None
        for y, x, text in zip(
            map(int, pieces[::3]), map(int, pieces[1::3]), pieces[2::3], strict=True
        ):
            cells = None if _CONTROL.search(text) else _cells(text)
            whole = cells and x - 1 + len(cells) <= columns
            if drawn and (not whole or y != drawn[0]):
                written += _differences(*drawn)
                drawn = None
            if cells and whole:
                row = rows.setdefault(y, [None] * columns)
                drawn = drawn or (y, row[:], row)
                _put(row, x - 1, cells)
                continue
            if text:
                rows.pop(y, None)
            written.append(f"\x1b[{y};{x}H{text}")
        if drawn:
            written += _differences(*drawn)
        return "".join(written)


def _cells(text: str) -> list[Cell] | None:
    """`text` cell by cell; None where it cannot be said which character takes which."""
    cells: list[Cell] = []
    style = ""
    for piece in _PIECE.finditer(text):
        codes, drawn = piece.groups()
        if codes is not None:
            style = _style(codes)
            continue
        on_blank = _style_of_blank(style)
        if drawn.isascii():
            cells += [(on_blank, char) if char == " " else (style, char) for char in drawn]
            continue
        widths = [cell_len(char) for char in drawn]
        if sum(widths) != cell_len(drawn):
            return None
        for char, width in zip(drawn, widths, strict=True):
            if width:
                cells.append((on_blank if char == " " else style, char))
                if width == 2:
                    cells.append((style, ""))
            elif not _put_on_base(cells, char):
                return None
    return cells


def _put_on_base(cells: list[Cell], mark: str) -> bool:
    """Add a mark to the character before it; False where there is none."""
    for at in range(len(cells) - 1, max(len(cells) - 3, -1), -1):
        cell = cells[at]
        if cell is not None and cell[1]:
            cells[at] = (cell[0], cell[1] + mark)
            return True
    return False


@lru_cache(1024)
def _style(codes: str) -> str:
    """The codes without a reset, and without the terminal's own colours: they are in force before every piece."""
    return ";".join(code for code in _PARAMETER.findall(codes) if code not in ("0", "39", "49"))


@lru_cache(1024)
def _style_of_blank(style: str) -> str:
    """Return the style, or none where a blank does not show it."""
    parameters = _PARAMETER.findall(style)
    return "" if all(map(_UNSEEN_ON_A_BLANK.fullmatch, parameters)) else style


def _put(row: list[Cell], column: int, cells: list[Cell]) -> None:
    """Draw over the row; of a wide character that is half drawn over nobody knows what the other half shows."""
    end = column + len(cells)
    if column and (first := row[column]) is not None and first[1] == "":
        row[column - 1] = None
    if end < len(row) and (after := row[end]) is not None and after[1] == "":
        row[end] = None
    row[column:end] = cells


def _differences(y: int, before: list[Cell], row: list[Cell]) -> list[str]:
    """Return what to write, so that row `y` that shows `before` shows `row`."""
    if _has_marks(before) or _has_marks(row):
        return _marked(y, row) if row != before else []
    changed = [
        at for at, (old, new) in enumerate(zip(before, row, strict=True)) if new not in (old, None)
    ]
    blank_from = len(row)
    while blank_from and row[blank_from - 1] == _BLANK:
        blank_from -= 1
    spans: list[list[int]] = []
    for at in changed:
        while (cell := row[at]) is not None and not cell[1]:
            at -= 1
        if spans and at - spans[-1][1] <= _WORTH_A_MOVE and None not in row[spans[-1][1] : at]:
            spans[-1][1] = max(spans[-1][1], at + 1)
        else:
            spans.append([at, at + 1])
    found = []
    for start, end in spans:
        erases = end - max(start, blank_from) >= len(_ERASE_LINE)
        last = max(start, blank_from) if erases else end
        found.append(f"\x1b[{y};{start + 1}H{_drawn(row[start:last])}{_ERASE_LINE * erases}")
        if erases:
            break
    return found


def _has_marks(row: list[Cell]) -> bool:
    return any(cell is not None and len(cell[1]) > 1 for cell in row)


def _marked(y: int, row: list[Cell]) -> list[str]:
    """Return what to write of a row with marks: first all of it without them, then each marked text over it.

    Terminals disagree whether a vowel sign takes a cell. So nothing that follows hangs on how far a marked text moved
    the cursor, and whatever that drew too far is drawn over.
    """
    found = [
        f"\x1b[{y};{start + 1}H{_drawn([cell and (cell[0], cell[1][:1]) for cell in row[start:end]])}"
        for start, end in _stretches(row, [cell is not None for cell in row])
    ]
    dark = [cell is not None and cell[1] != " " for cell in row]
    # A single blank stands between the words of one text.
    inked = [
        dark[at]
        or (0 < at < len(row) - 1 and row[at] is not None and dark[at - 1] and dark[at + 1])
        for at in range(len(row))
    ]
    stretches = _stretches(row, inked)
    first = next((at for at, (start, end) in enumerate(stretches) if _has_marks(row[start:end])), 0)
    found += [
        f"\x1b[{y};{start + 1}H{_drawn(row[start:end])}"
        for start, end in (stretches[first:] if _has_marks(row) else [])
    ]
    return found


def _stretches(row: list[Cell], chosen: list[bool]) -> list[tuple[int, int]]:
    """Return where the chosen cells begin and end, each time several stand in a row."""
    edges = [
        at
        for at in range(len(row) + 1)
        if (at < len(row) and chosen[at]) != (at > 0 and chosen[at - 1])
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _drawn(cells: list[Cell]) -> str:
    """The cells as text, each style once: a blank takes that of what stands before it where that cannot be seen."""
    found: list[str] = []
    style = ""
    for cell in cells:
        if cell is None:
            continue
        wanted, char = cell
        if wanted != style and not (cell == _BLANK and not _style_of_blank(style)):
            if style:
                found.append("\x1b[0m")
            if wanted:
                found.append(f"\x1b[{wanted}m")
            style = wanted
        found.append(char)
    if style:
        found.append("\x1b[0m")
    return "".join(found)
