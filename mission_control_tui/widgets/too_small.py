"""What a terminal below 80x24 shows; everything under it is kept."""

from __future__ import annotations

from collections.abc import Iterable

from mission_control_tui.widgets.lines import LineWidget, Part

MIN_WIDTH, MIN_HEIGHT = 80, 24


class TooSmall(LineWidget):
    """Both sizes, in as few characters as there may be."""

    DEFAULT_CSS = """
    TooSmall { layer: above; dock: top; width: 100%; height: 100%; background: ansi_default; }
    """

    def line(self, y: int, width: int) -> Iterable[Part]:
        size = self.screen.size
        lines = (
            "Too small",
            f"{size.width}x{size.height} here",
            f"{MIN_WIDTH}x{MIN_HEIGHT} needed",
            "Nothing is lost",
        )
        return [(lines[y], "strong" if y == 0 else "")] if y < len(lines) else ()
