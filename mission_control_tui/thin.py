"""Frames in fewer bytes: exactly the same cells, without what a terminal need not be told, or was told before.

Textual gives every piece of a line its style and a reset of its own, draws blank ends of lines cell by cell, and
paints a screen that opens three or four times over.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_HARMLESS = r"(?:[12]|[39][0-7]|38;5;\d+|38;2;\d+;\d+;\d+|39|49)"
_DEFAULT = re.compile(r"\x1b\[[34]9(?:;[34]9)*m([^\x1b]*)\x1b\[0m")
"""The terminal's own colours, asked for where they are in force: every styled piece ends with a reset."""

_INVISIBLE = re.compile(rf"\x1b\[{_HARMLESS}(?:;{_HARMLESS})*m( +)\x1b\[0m")
"""Blanks that are bold, dim or of a colour of text."""

_MOVE = re.compile(r"\n?\x1b\[(\d+);(\d+)H")
_STYLE = re.compile(r"\x1b\[[\d;]*m")
_BLANK_END = re.compile(r" {4,}\Z")
_ERASE_LINE = "\x1b[K"


class Thinner:
    """Makes frames thinner, and remembers the whole rows that the terminal shows."""

    def __init__(self) -> None:
        self._rows: dict[int, str] = {}

    def forget(self) -> None:
        """Call when the terminal may show something else than what was written. Callable from any thread."""
        self._rows = {}

    def thin(self, frame: str, columns: int) -> str:
        """What shows the same as `frame` on a terminal of `columns`; what draws no cells is returned as it is."""
        frame = _INVISIBLE.sub(r"\1", _DEFAULT.sub(r"\1", frame))
        start, *pieces = _MOVE.split(frame)
        rows = self._rows
        written = [start]
        for y, x, text, width in _joined(pieces):
            whole = x == 1 and width == columns
            if whole and rows.get(y) == text:
                continue
            if whole:
                rows[y] = text
            elif width:
                rows.pop(y, None)
            if x - 1 + width == columns:
                text = _BLANK_END.sub(_ERASE_LINE, text)
            written.append(f"\x1b[{y};{x}H{text}")
        return "".join(written)


def _joined(pieces: list[str]) -> list[tuple[int, int, str, int]]:
    """Row, column, text and width of what is drawn; what stands side by side as one."""
    found: list[tuple[int, int, str, int]] = []
    for row, column, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        y, x, width = int(row), int(column), cell_len(_STYLE.sub("", text))
        if found and width and found[-1][0] == y and found[-1][1] + found[-1][3] == x:
            _, x, before, already = found.pop()
            text, width = before + text, already + width
        found.append((y, x, text, width))
    return found
