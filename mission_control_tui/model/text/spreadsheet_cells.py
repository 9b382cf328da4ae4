"""Cells of spreadsheets: those that one would evaluate are protected when written and freed when read, and those that
one has damaged are told from what people mean."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

# An apostrophe goes before these (OWASP: CSV injection); any apostrophes before them count, so that freeing is exact.
_PROTECTED = re.compile(r"'*[=+\-@\t\r]")

_ERROR_NUMBER = re.compile(r"(?:Err|Fehler|Erreur|Error|Errore|Erro|Fout):\d{3}", re.IGNORECASE)
_TOO_NARROW = re.compile(r"#{3,}")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?E[+-]\d{2,3}", re.IGNORECASE)
_OBJECT = re.compile(r"(?:System|Microsoft)\.[\w.]+(?:\[[^\]]*\]|`\d.*)?(?:\[\])?")
_MONTH = (
    r"(?:jan|ene|gen|janv|feb|fév|févr|fev|mar|mär|mrz|mrt|maa|mars|apr|abr|avr|avril|may|mai|mei|mag|mayo|maio|"
    r"jun|juin|giu|jul|juil|lug|aug|ago|août|sep|sept|set|oct|okt|ott|out|nov|dec|dez|déc|dic)"
)
_DAY_OF_MONTH = re.compile(
    rf"(?:\d{{1,2}}(?:-|\. ?){_MONTH}\.?(?:[- ]\d{{2}}|[- ]\d{{4}})?|{_MONTH}\.?-\d{{1,4}})",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:19|20)\d\d"
    r"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:19|20)\d\d"
    r"|(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.0+)?)?)?"
)
_WITH_FRACTION = re.compile(r"\d+[.,]0+")
_MADE_A_DATE = "was made a date by a spreadsheet"


@cache
def _errors() -> frozenset[str]:
    """The errors of Excel, LibreOffice, Numbers and Google Sheets, in the languages of those who use them most."""
    listed = files(__package__).joinpath("spreadsheet_errors.txt")
    return frozenset(listed.read_text(encoding="utf-8").split())


def protect(cell: str) -> str:
    """`cell` with an apostrophe before it where a spreadsheet would evaluate it; free() undoes exactly that."""
    return "'" + cell if _PROTECTED.match(cell) else cell


def free(cell: str) -> str:
    """`cell` without the one apostrophe that protect() (or any exporter that does the same) put before it."""
    return cell[1:] if cell.startswith("'") and _PROTECTED.match(cell) else cell


def damage(cell: str) -> str:
    """Return what a spreadsheet or a script made of the cell instead of keeping its value, or ""."""
    text = cell.strip()
    if text.startswith("#") and (text.upper() in _errors() or _TOO_NARROW.fullmatch(text)):
        return "holds a spreadsheet's error instead of a value"
    if _ERROR_NUMBER.fullmatch(text):
        return "holds a spreadsheet's error instead of a value"
    if _SCIENTIFIC.fullmatch(text):
        return "was a number that a spreadsheet has shortened"
    if _OBJECT.fullmatch(text):
        return "holds the type of a value instead of the value"
    return ""


def date_damage(cell: str) -> str:
    """Return that a spreadsheet made a date of what was none, as 12-Apr of 4-12, or ""."""
    text = cell.strip()
    return _MADE_A_DATE if _DAY_OF_MONTH.fullmatch(text) or _DATE.fullmatch(text) else ""


def phone_damage(cell: str) -> str:
    """As `damage`, of a telephone number: nor a date, a fraction, a formula, or text without any digit."""
    text = free(cell.strip())
    if found := damage(text):
        return found
    if found := date_damage(text):
        return found
    if _WITH_FRACTION.fullmatch(text):
        return "was made a fraction by a spreadsheet"
    if text.startswith("="):
        return "holds a spreadsheet's formula instead of a value"
    if text.startswith("'"):
        return "has the apostrophe by which a spreadsheet keeps a number as text"
    return "" if any(map(str.isdigit, text)) else "has no digit"
