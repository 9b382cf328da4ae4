"""What was understood of a file, for whoever looks before it is imported: a wrong encoding or column is seen here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mission_control_tui.model.onboarding.files.read import ImportFile
from mission_control_tui.model.people.values import text_of

FIRST = 5
"""Rows that are shown whatever is in them."""


@dataclass(frozen=True, slots=True)
class RowPreview:
    """A row as it was understood: its fields by name, as text, without its password."""

    row: int
    fields: Mapping[str, str]


def preview_rows(file: ImportFile) -> Iterator[RowPreview]:
    """Yield the first rows, and every row with other letters than ASCII."""
    for number, row in enumerate(file.rows):
        fields = {name: text_of(value) for name, value in row.fields.items()}
        if row.aliases:
            fields["aliases"] = ", ".join(row.aliases)
        fields |= row.gives
        if fields and (number < FIRST or not all(map(str.isascii, fields.values()))):
            yield RowPreview(row.row, fields)
