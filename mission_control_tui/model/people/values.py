"""The values of fields as text, for files, flags and lists, and back."""

from __future__ import annotations

from datetime import date

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.people.fields import FieldKind, UserField, Value
from mission_control_tui.model.text.clean import harmless

_FLAG_WORDS = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "on", "x"), True),
    **dict.fromkeys(("", "no", "n", "false", "f", "0", "off"), False),
    # As spreadsheets write them in other languages.
    **dict.fromkeys(("wahr", "ja", "vrai", "oui", "verdadero", "sí", "si", "vero", "sì"), True),
    **dict.fromkeys(("verdadeiro", "sim", "waar"), True),
    **dict.fromkeys(("falsch", "nein", "faux", "non", "falso", "não", "nao"), False),
    **dict.fromkeys(("onwaar", "nee"), False),
}
_NO_DATE = frozenset({"", "never", "none"})


def parse_value(field: UserField, text: str) -> Value:
    """Return what `text` states for `field`: flags are yes or no, dates ISO 8601 or never; other text stays as it is.

    Raises InvalidInput with one Problem, whose `where` is the field's name.
    """
    word = text.strip().casefold()
    if field.kind is FieldKind.FLAG:
        if word not in _FLAG_WORDS:
            raise _invalid(field, text, "is neither yes nor no", "write yes or no")
        return _FLAG_WORDS[word]
    if field.kind is not FieldKind.DATE:
        return text
    if word in _NO_DATE:
        return None
    try:
        return date.fromisoformat(word)
    except ValueError as error:
        hint = "write year-month-day as in 2030-12-31, or never"
        raise _invalid(field, text, "is not a date", hint) from error


def text_of(value: Value) -> str:
    """Return the text that parse_value reads back: yes, no, 2030-12-31; "" for None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else value.isoformat() if value else ""


def _invalid(field: UserField, text: str, what: str, hint: str) -> InvalidInput:
    shown = harmless(text.strip()[:40])
    problem = Problem(field.name, f'"{shown}" {what}', hint)
    return InvalidInput(f"{field.label} is not valid.", problems=[problem])
