"""Text from outside is data: making it harmless to show, and to open in a spreadsheet."""

from __future__ import annotations

import unicodedata

_HARMFUL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_KEPT_FORMAT = frozenset({"\u200c", "\u200d"})  # joiners that Persian and Indic names need
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str, *, replacement: str = "\ufffd") -> str:
    """`text` on one line without control, bidirectional-override or other invisible format characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in _KEPT_FORMAT or unicodedata.category(char) not in _HARMFUL_CATEGORIES
        else (" " if char in "\n\r\t" else replacement)
        for char in text
    )


def safe_cell(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet evaluates as a formula (OWASP: CSV injection)."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
