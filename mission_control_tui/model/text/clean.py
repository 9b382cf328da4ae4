"""Text from outside is data: folding for search and comparison, and making it harmless to show."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_HARMFUL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_KEPT_FORMAT = frozenset({"\u200c", "\u200d"})  # joiners that Persian and Indic names need
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def fold(text: str) -> str:
    """Lower case without accents, spaces collapsed: what search and uniqueness compare."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _SPACES.sub(" ", bare.casefold()).strip()


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
