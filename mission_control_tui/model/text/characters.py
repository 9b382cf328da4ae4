"""Characters that no field may hold, and how to name them, since they cannot be seen."""

from __future__ import annotations

import re
import unicodedata

_CONTROL_NAMES = {
    0x00: "NULL",
    0x07: "BELL",
    0x08: "BACKSPACE",
    0x09: "TAB",
    0x0A: "LINE FEED",
    0x0B: "VERTICAL TAB",
    0x0C: "FORM FEED",
    0x0D: "CARRIAGE RETURN",
    0x1B: "ESCAPE",
    0x7F: "DELETE",
    0x85: "NEXT LINE",
    0x9B: "CONTROL SEQUENCE INTRODUCER",
}
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # names in Persian and Indic scripts need them
IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""Lower-case letters and digits, with single hyphens between."""
_LINE_ENDS = re.compile(r"\r\n?")


def name_of(char: str) -> str:
    """ "ESCAPE (U+001B)": a character in words, safe to show."""
    code = ord(char)
    name = _CONTROL_NAMES.get(code) or unicodedata.name(char, "character")
    return f"{name} (U+{code:04X})"


def in_words(char: str) -> str:
    """Return a character for people: itself where it can be seen, else its name."""
    if char == " ":
        return "a space"
    return char if char.isprintable() and not char.isspace() else name_of(char)


def refused_in(text: str, *, lines: bool = False) -> str:
    """Return the first control, invisible or private character of `text`, or ""; `lines` allows LF and TAB."""
    if text.isascii() and text.isprintable():
        return ""
    for char in text:
        if unicodedata.category(char) in _REFUSED_CATEGORIES and not (
            char in _JOINERS or (lines and char in "\n\t")
        ):
            return char
    return ""


def tidy(text: str, *, lines: bool = False) -> str:
    """`text` without spaces around it, composed (NFC), and where it may have `lines`, with LF between them."""
    if lines and "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)
