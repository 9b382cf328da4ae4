"""A frame in fewer bytes: exactly the same cells, without what a terminal need not be told.

Textual gives every piece of a line its style and a reset of its own, and draws blank ends of lines cell by cell.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_HARMLESS = r"(?:[12]|[39][0-7]|38;5;\d+|38;2;\d+;\d+;\d+|39|49)"
_DEFAULT = re.compile(r"\x1b\[[34]9(?:;[34]9)*m([^\x1b]*)\x1b\[0m")
"""The terminal's own colours, asked for where they are in force: every styled piece ends with a reset."""

_INVISIBLE = re.compile(rf"\x1b\[{_HARMLESS}(?:;{_HARMLESS})*m( +)\x1b\[0m")
"""Blanks that are bold, dim or of a colour of text."""

_LINE_BREAK = re.compile(r"\n(?=\x1b\[\d+;\d+H)")
_STYLE = re.compile(r"\x1b\[[\d;]*m")
_BLANK_END = re.compile(
    r"(\x1b\[\d+;(\d+)H)((?:[^\x1b\n]|\x1b\[[\d;]*m)*?)( {4,})(?=\x1b\[\d+;\d+H|\Z)"
)
ERASE_LINE = "\x1b[K"


def thinner(frame: str, columns: int) -> str:
    """What shows the same as `frame` on a terminal of `columns`, whatever it showed before."""
    if "\x1b[" not in frame:
        return frame
    frame = _LINE_BREAK.sub("", frame)
    frame = _DEFAULT.sub(r"\1", frame)
    frame = _INVISIBLE.sub(r"\1", frame)

    def erased(row: re.Match[str]) -> str:
        move, column, start, blanks = row.groups()
        width = int(column) - 1 + cell_len(_STYLE.sub("", start)) + len(blanks)
        reaches_the_edge = width == columns
        return f"{move}{start}{ERASE_LINE}" if reaches_the_edge else row[0]

    return _BLANK_END.sub(erased, frame) if "    " in frame else frame
