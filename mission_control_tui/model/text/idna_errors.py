"""Why something is not a domain name (IDNA 2008, RFC 5890 to 5893), in plain words that name the character."""

from __future__ import annotations

import re

from mission_control_tui.model.text.characters import in_words
from mission_control_tui.model.text.clean import harmless

_CODEPOINT = re.compile(r"U\+([0-9A-F]{4,6})")
_WORDS = (
    ("too long", "a part between dots has at most 63 characters, the whole 253"),
    (
        "hyphens in 3rd",
        "a part between dots may not have hyphens as its third and fourth character",
    ),
    ("start or end with a hyphen", "a part between dots may not begin or end with a hyphen"),
    ("empty label", "something has to stand between two dots"),
    ("empty domain", "nothing was given"),
    ("right-to-left", "a part that is written from right to left may not have other letters in it"),
    ("combining character", "a part between dots may not begin with an accent of its own"),
)


def why_not(error: Exception) -> str:
    """Return what an error of the package idna means: which character is refused, or which rule of names is broken."""
    said = str(error)
    if found := _CODEPOINT.search(said):
        return f"it cannot have {in_words(chr(int(found[1], 16)))}"
    plain = said.casefold()
    return next((words for sign, words in _WORDS if sign in plain), harmless(said))
