"""What single cells state: values, passwords and lists of addresses, and cells that are damaged."""

from __future__ import annotations

import re

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.columns import FormatColumn
from mission_control_tui.model.people.fields import FIELD_BY_NAME, FieldKind, Value
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import (
    damage,
    date_damage,
    free,
    phone_damage,
)

CORRECT = "write the value itself, or leave the cell empty"
_BETWEEN = re.compile(r"[\s,;|+]+")
_ADDRESS_KIND = re.compile(r"smtp:", re.IGNORECASE)


def damage_in(cell: str, field: str) -> str:
    """Return what happened to a cell of this field (or of another column, with ""), or ""."""
    kind = FIELD_BY_NAME[field].kind if field in FIELD_BY_NAME else None
    if kind is FieldKind.PHONE:
        return phone_damage(cell)
    return damage(cell) or (date_damage(cell) if kind is FieldKind.TEXT else "")


def value_in(column: FormatColumn, field: str, cell: str) -> Value:
    """Return what the cell states for `field`. Raises InvalidInput with one Problem."""
    cell = free(cell.strip())
    if column.words is None:
        return parse_value(FIELD_BY_NAME[field], cell)
    flag = column.words.get(cell.casefold())
    if flag is None:
        what = f'"{harmless(cell[:40])}" is not known here'
        problem = Problem(field, what, "one of: " + ", ".join(column.words))
        raise InvalidInput("This value is not known.", problems=[problem])
    return flag


def addresses_in(cell: str) -> list[str]:
    """Return the addresses in a cell, as "a@acme.example; b@acme.example" or "smtp:a@acme.example+smtp:b@..."."""
    return [_ADDRESS_KIND.sub("", part, count=1) for part in _BETWEEN.split(cell.strip()) if part]


def quoted_cells(raw: str, delimiter: str) -> list[bool]:
    """Tell of each cell of a row, as it stands in the file, whether it is in quotes."""
    found: list[bool] = []
    at = 0
    while True:
        quoted = raw.startswith('"', at)
        if quoted:
            at = _after_quotes(raw, at + 1)
        found.append(quoted)
        next_cell = raw.find(delimiter, at)
        if next_cell < 0:
            return found
        at = next_cell + 1


def _after_quotes(raw: str, at: int) -> int:
    while True:
        quote = raw.find('"', at)
        if quote < 0:
            return len(raw)
        if not raw.startswith('"', quote + 1):
            return quote + 1
        at = quote + 2
