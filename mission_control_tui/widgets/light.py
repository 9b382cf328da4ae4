"""The light: glyph, word and colour, in a cell of its own, so that a change repaints nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from mission_control_tui.model.states import Light
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.lines import LineWidget, Part

GLYPHS = {Light.GREY: "·", Light.RED: "×", Light.ORANGE: "»", Light.GREEN: "•"}  # noqa: RUF001
"""Shapes that differ without colour and are in console fonts; ASCII mode shows them as . x ~ and *."""


def light_parts(light: Light, word: str = "", note: str = "") -> tuple[Part, ...]:
    """Return a light as parts of a row: the glyph and word in its colour, then a note such as step and age."""
    parts: list[Part] = [(f"{GLYPHS[light]} {word}" if word else GLYPHS[light], light.value)]
    if note:
        parts.append((f" {note}", ""))
    return tuple(parts)


class LightCell(LineWidget):
    """One light that changes on its own."""

    DEFAULT_CSS = """
    LightCell { width: 22; height: 1; }
    """

    def __init__(
        self,
        light: Light = Light.GREY,
        word: str = "",
        note: str = "",
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.light = light
        self.word = word
        self.note = note

    def set(self, light: Light, word: str, note: str = "") -> None:
        """Show another state; only the cells that differ are painted."""
        if (light, word, note) != (self.light, self.word, self.note):
            self.light, self.word, self.note = light, word, note
            self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        parts = light_parts(self.light, self.word, self.note)
        room = width - sum(width_of(text) for text, _style in parts)
        return parts if room >= 0 else light_parts(self.light, self.word)
