"""Reading a file of groups, contacts and shared mailboxes: what each row states, before the catalogue is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.cells import CORRECT
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.detect import Record
from mission_control_tui.model.onboarding.files.workbook import open_rows
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import damage, date_damage, free

_HEADINGS = {
    "kind": ("kind", "type", "group type", "object", "recipient type"),
    "name": ("name", "display name", "displayname", "group name", "title"),
    "address": (
        *("address", "email", "e mail", "mail", "email address", "primary smtp address"),
        *("primarysmtpaddress", "group email", "group primary email", "externalemailaddress"),
        *("external email address", "smtp address"),
    ),
}
_KNOWN = {heading: name for name, headings in _HEADINGS.items() for heading in headings}


@dataclass(frozen=True, slots=True)
class ObjectFileRow:
    """One object of a file. `others` has the cells of all further columns that hold something, by their headings."""

    row: int
    kind: str
    name: str
    address: str
    others: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def problem(self, where: str, what: str, hint: str = "") -> Problem:
        """Return a problem of this row."""
        return Problem(f"row {self.row}, {where}" if where else f"row {self.row}", what, hint)


def read_objects(data: bytes, *, encoding: str = "", kind: str = "") -> tuple[ObjectFileRow, ...]:
    """Return the objects of a CSV or a workbook; `kind` is that of rows that state none.

    Raises InvalidInput where the file has no headings for name and address, and for what is no such file.
    """
    text = open_rows(data, encoding)
    records = (record for record in text.records() if any(map(str.strip, record.cells)))
    first = next(records, None)
    if first is None:
        raise InvalidInput("This file has only empty rows.", hint="It needs a row of headings.")
    headings = [heading_key(cell) for cell in first.cells]
    columns = {
        _KNOWN[key]: index for index, key in reversed([*enumerate(headings)]) if key in _KNOWN
    }
    missing = [name for name in ("name", "address") if name not in columns]
    if "kind" not in columns and not kind:
        missing.append("kind")
    if missing:
        raise InvalidInput(
            f"The first row has no heading for {', '.join(missing)}.",
            hint="Kind, Name, Address, then fields and roles of members as `objects kinds` has them",
        )
    shown = [harmless(cell.strip()) for cell in first.cells]
    return tuple(_rows(records, columns, shown, kind))


def _rows(
    records: Iterator[Record], columns: Mapping[str, int], headings: Sequence[str], kind: str
) -> Iterator[ObjectFileRow]:
    for record in records:
        cells = [free(cell.strip()) for cell in record.cells]
        cells += [""] * (len(headings) - len(cells))
        problems = [
            Problem(f"row {record.row}, {headings[index]}", found, CORRECT)
            for index in range(len(headings))
            if (found := damage(cells[index]) or date_damage(cells[index]))
        ]
        if any(cells[len(headings) :]):
            problems.append(Problem(f"row {record.row}", "has cells beyond the last heading"))
        used = set(columns.values())
        yield ObjectFileRow(
            record.row,
            (cells[columns["kind"]] if "kind" in columns else "") or kind,
            cells[columns["name"]],
            cells[columns["address"]],
            {
                headings[index]: cells[index]
                for index in range(len(headings))
                if cells[index] and index not in used and headings[index]
            },
            tuple(problems),
        )
