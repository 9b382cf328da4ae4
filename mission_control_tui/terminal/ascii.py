"""ASCII in place of line drawing and lights, for terminals without UTF-8."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from mission_control_tui.widgets.cells import width_of

_ASCII = str.maketrans(
    "·×»•…►▼█▒░─│┌┐└┘√–—‘’“”\xa0",  # noqa: RUF001 - these are the signs to replace
    ".x~*~+-#=.-|++++v--''\"\" ",
)


class AsciiFilter(LineFilter):
    """Draws with ASCII alone, cell for cell: known glyphs as their nearest sign, letters as a question mark."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(to_ascii(segment.text), segment.style)
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """`text` in as many cells of ASCII."""
    text = text.translate(_ASCII)
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * width_of(char) for char in text)
