"""Text as terminal cells: harmless, cut and padded so that every terminal and Textual agree on its width."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from unicodedata import category

from rich.cells import cell_len

from mission_control_tui.model.text.clean import harmless

ELLIPSIS = "…"
_REGIONAL_A = 0x1F1E6
_DROPPED = frozenset(
    "\ufe0e\ufe0f\u200c\u200d\u20e3\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
)

_PLAIN = re.compile(
    "[ -~\xa0-\xac\xae-\u024f\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u221a\u2500-\u259f\u25ba\u25bc]*"
)
"""What everybody agrees takes one cell: Latin letters and this program's own signs."""


def is_plain(text: str) -> bool:
    """Tell whether every character surely takes one cell, so that nobody need be asked."""
    return text.isascii() or _PLAIN.fullmatch(text) is not None


@lru_cache(4096)
def shown(text: str) -> str:
    """`text` on one line, without what terminals disagree on: joiners, variation selectors, flags, skin colours.

    Marks stay with their base, vowel signs too: whatever cells a terminal gives them, frames are drawn around them.
    """
    text = harmless(text)
    if is_plain(text):
        return text
    # Tables of widths take a tenth of the time to the first frame to read, and few screens need them.
    from wcwidth import wcswidth, wcwidth

    if cell_len(text) == wcswidth(text) and not _DROPPED.intersection(text):
        return text
    kept: list[str] = []
    for char in text:
        if char in _DROPPED:
            continue
        if _REGIONAL_A <= ord(char) < _REGIONAL_A + 26:
            char = chr(ord(char) - _REGIONAL_A + ord("A"))
        width = wcwidth(char)
        kept.append(char if width == cell_len(char) else "?" * max(width, 1))
    result = "".join(kept)
    unmarked = "".join(char for char in result if not category(char).startswith("M"))
    if cell_len(unmarked) == wcswidth(unmarked):
        return result
    return "".join(char if wcwidth(char) == 1 else "?" * max(wcwidth(char), 0) for char in kept)


def sign(char: str) -> str:
    """Return one character that can be shown: a stand-in for what is harmful or that terminals disagree on."""
    if char.isascii() and char.isprintable():
        return char
    char = harmless(char)
    from wcwidth import wcwidth

    if (
        char in _DROPPED
        or wcwidth(char) != cell_len(char)
        or _REGIONAL_A <= ord(char) < _REGIONAL_A + 26
    ):
        return "\ufffd"
    return char


def width_of(text: str) -> int:
    """Return cells that `text` takes once shown."""
    return cell_len(shown(text))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` shown in exactly `width` cells: cut with an ellipsis or padded, on the left if `right`."""
    if width <= 0:
        return ""
    text = shown(text)
    room = width - cell_len(text)
    if room >= 0:
        return " " * room + text if right else text + " " * room
    cut = crop(text, width - 1)
    return cut + ELLIPSIS + " " * (width - 1 - cell_len(cut))


def crop(text: str, width: int) -> str:
    """Return the longest start of the already shown `text` that takes at most `width` cells."""
    if is_plain(text):
        return text[:width]
    from wcwidth import wcwidth

    used = 0
    for index, char in enumerate(text):
        used += max(wcwidth(char), 0)
        if used > width:
            return text[:index]
    return text


def wrap(text: str, width: int) -> list[str]:
    """`text` broken at spaces into lines of at most `width` cells; newlines are kept."""
    width = max(width, 1)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in shown(paragraph).split(" "):
            joined = f"{line} {word}" if line else word
            if cell_len(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            while cell_len(word) > width:
                head = crop(word, width) or word[:1]
                lines.append(head)
                word = word[len(head) :]
            line = word
        lines.append(line)
    return lines


def age(since: datetime, now: datetime | None = None) -> str:
    """Return how long ago: "5 s", "12 min", "3 h", "8 days"."""
    seconds = max(((now or datetime.now(UTC)) - since).total_seconds(), 0)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"
