"""Plain text over several lines, broken at spaces; what it says is data and never markup."""

from __future__ import annotations

from collections.abc import Iterable

from textual.geometry import Size

from mission_control_tui.widgets.cells import wrap
from mission_control_tui.widgets.lines import LineWidget, Part


class TextLines(LineWidget):
    """Text in one style; as high as its lines, or as its CSS says."""

    DEFAULT_CSS = """
    TextLines { height: auto; }
    """

    def __init__(
        self, text: str = "", style: str = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.text = text
        self._style = style
        self._wrapped: tuple[int, list[str]] = (-1, [])

    def set(self, text: str, style: str | None = None) -> None:
        """Say something else; the layout changes only when the number of lines does."""
        style = self._style if style is None else style
        if (text, style) == (self.text, self._style):
            return
        lines = len(self._lines(self.content_size.width))
        self.text, self._style = text, style
        self._wrapped = (-1, [])
        if len(self._lines(self.content_size.width)) != lines:
            self.refresh(layout=True)
        else:
            self.repaint()

    def tell(self, *lines: str, style: str | None = None) -> None:
        """Say these lines, empty ones left out; the widget takes no room while there are none."""
        text = "\n".join(filter(None, lines))
        self.set(text, style)
        self.display = bool(text)

    def _lines(self, width: int) -> list[str]:
        if self._wrapped[0] != width:
            self._wrapped = (width, wrap(self.text, width))
        return self._wrapped[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def line(self, y: int, width: int) -> Iterable[Part]:
        lines = self._lines(width)
        return [(lines[y], self._style)] if y < len(lines) else ()
