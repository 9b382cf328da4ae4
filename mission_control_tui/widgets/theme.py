"""Themes and palettes: the terminal's own background and text, few colours, never two lights alike.

Every theme is native ANSI, so that no background is painted and no colour is blended. The `-16` themes use
only the sixteen ANSI colours; the others take the lights from the 256-colour cube, which
true-colour terminals show alike.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from textual.widget import Widget

STYLE_NAMES = (
    "strong", "dim", "key", "title", "bar", "cursor", "error", "grey", "red", "orange", "green", "real",
)  # fmt: skip
"""What a part of a row may be called; an empty name is the terminal's own text."""

_COMMON = {
    "strong": "bold", "dim": "dim", "key": "bold", "title": "bold", "bar": "reverse", "cursor": "reverse",
}  # fmt: skip
_STYLES: Mapping[str, Mapping[str, str]] = {
    "dark-16": {
        "error": "bold red", "grey": "", "red": "bold red", "orange": "yellow", "green": "green",
        "real": "bold red",
    },
    "light-16": {
        "error": "bold red", "grey": "", "red": "bold red", "orange": "black on yellow",
        "green": "green", "real": "bold red",
    },
    "dark": {
        "error": "color(203)", "grey": "", "red": "bold color(203)", "orange": "color(214)",
        "green": "color(77)", "real": "bold color(203)",
    },
    "light": {
        "error": "color(160)", "grey": "", "red": "bold color(160)", "orange": "color(130)",
        "green": "color(28)", "real": "bold color(160)",
    },
}  # fmt: skip

DEFAULT_THEME = "dark-16"


@dataclass(frozen=True, slots=True)
class Palette:
    """Rich styles by the names in `STYLE_NAMES`; an unknown or empty name is None, the terminal's own text."""

    styles: Mapping[str, Style]

    def __getitem__(self, name: str) -> Style | None:
        return self.styles.get(name)


def _palette(name: str) -> Palette:
    words = {**_COMMON, **_STYLES[name]}
    return Palette({key: Style.parse(text) for key, text in words.items() if text})


PALETTES: Mapping[str, Palette] = {name: _palette(name) for name in _STYLES}


def palette_of(widget: Widget) -> Palette:
    """Return the palette of the theme that the widget's application shows."""
    return PALETTES.get(widget.app.theme, PALETTES[DEFAULT_THEME])


def themes() -> list[Theme]:
    """Return the Textual themes to register, one for each palette."""
    return [
        replace(BUILTIN_THEMES["ansi-dark" if name.startswith("dark") else "ansi-light"], name=name)
        for name in _STYLES
    ]


def choose_theme(wanted: str = "auto", environ: Mapping[str, str] | None = None) -> str:
    """Return the theme for `wanted` (auto, dark, light or a theme's name) on the terminal of this environment.

    Auto is dark unless COLORFGBG names a light background; sixteen colours unless TERM or COLORTERM promise more.
    """
    environ = os.environ if environ is None else environ
    if wanted in ("dark-16", "light-16"):
        return wanted
    if wanted in ("dark", "light"):
        tone = wanted
    else:
        background = environ.get("COLORFGBG", "").rpartition(";")[2]
        tone = "light" if background in ("7", "15") else "dark"
    many = "256color" in environ.get("TERM", "") or environ.get("COLORTERM", "") in (
        "truecolor",
        "24bit",
    )
    return tone if many else f"{tone}-16"
