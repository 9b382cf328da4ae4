"""Folding: the one form of text in which names are found, whatever they are typed with.

Case, accents, the kind of an apostrophe, a dash or a blank, and signs that cannot be seen make no difference; a letter
with a stroke or a hook is the letter, a ligature its two letters.
"""

from __future__ import annotations

import re
import unicodedata

FOLDING = 2
"""The version of what is stored folded; a database that has another one is folded anew, see `search/renewal.py`."""

_APOSTROPHES = (
    "'`\xb4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u055a\u05f3\u07f4\u07f5\u2018\u2019\u201a\u201b"
    "\u2032\u2035\u2039\u203a\ua78b\ua78c\uff07\uff40"
)
_QUOTES = '"\xab\xbb\u05f4\u201c\u201d\u201e\u201f\u2033\u2036\uff02'
_DASHES = "\u02d7\u2043\u2212"  # those that Unicode does not count among the dashes
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_UNSEEN = "\u0640\u034f"
_LETTERS = {
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys(_QUOTES, '"'),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_BLANKS, " "),
    **dict.fromkeys(_UNSEEN, ""),
    # Letters that have no base of their own in Unicode, as passports write them.
    "æ": "ae",
    "œ": "oe",
    "ð": "d",
    "þ": "th",
    "ŋ": "n",
    "ĸ": "k",
    "ə": "a",
    "ɐ": "a",
    # One letter with several code points, by the keyboard that typed it.
    "\u06cc": "\u064a",
    "\u0649": "\u064a",
    "\u06a9": "\u0643",
    "\u0629": "\u0647",
    "\u06c1": "\u0647",
    "\u06be": "\u0647",
    "\u0491": "\u0433",
}
_WITH = re.compile(r"LATIN SMALL LETTER (?:DOTLESS )?([A-Z])(?: WITH .+| BAR)?")
_CATEGORIES = {"Pd": "-", "Zs": " ", "Zl": " ", "Zp": " ", "Cf": ""}
_NOT_WORD = re.compile(r"[\W_]+")


class _Folded(dict[int, str]):
    """Each character's folded form, made when it is met first."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _folded(chr(code))
        return folded


_TABLE = _Folded()


def fold(text: str) -> str:
    """Return the form that search and comparison use: lower case, bare letters, one space between words."""
    return " ".join(text.translate(_TABLE).split())


def pieces(folded: str) -> list[str]:
    """Return the runs of letters, digits and their marks in folded text; a vowel sign is part of its word."""
    if folded.isascii():
        return [piece for piece in _NOT_WORD.split(folded) if piece]
    return "".join(char if _is_of_word(char) else " " for char in folded).split()


def name_key(name: str) -> str:
    """Return what names that are stored with their key are unique by: lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.casefold().split())


def _is_of_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _folded(char: str) -> str:
    if (known := _LETTERS.get(char)) is not None:
        return known
    if (known := _CATEGORIES.get(unicodedata.category(char))) is not None:
        return known
    lower = unicodedata.normalize("NFKD", char).casefold()
    return "".join(
        _bare(part)
        for part in unicodedata.normalize("NFKD", lower)
        if not unicodedata.combining(part)
    )


def _bare(char: str) -> str:
    if char.isascii() and char != "`":
        return char
    if (known := _LETTERS.get(char)) is not None:
        return known
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    letter = _WITH.fullmatch(unicodedata.name(char, ""))
    return letter[1].lower() if letter else char
