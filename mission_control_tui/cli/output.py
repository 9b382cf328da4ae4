"""How results leave: data on stdout, narration on stderr, every foreign character made harmless.

JSON is ASCII with escapes, so no control character of a name can reach a terminal; text widths are those of `wcwidth`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import click

from mission_control_tui.model.text import harmless

LIGHT_MARKS = {"grey": "-", "red": "X", "orange": "~", "green": "*"}


def plain(value: object) -> Any:
    """`value` as JSON types: dataclasses become objects, enums their values, times ISO 8601 in UTC."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.repr
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(plain(value), indent=2))


def say(text: str) -> None:
    """Narration: one line on stderr."""
    click.echo(harmless(text), err=True)


def line(text: str) -> None:
    """Data: one line on stdout."""
    click.echo(harmless(text))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns on stdout, aligned by what a terminal shows; the last column is never padded."""
    from wcwidth import wcswidth

    cells = [[harmless(str("" if cell is None else cell)) for cell in row] for row in rows]
    widths = [
        max([wcswidth(heading), *(max(wcswidth(row[column]), 0) for row in cells)])
        for column, heading in enumerate(headings)
    ]
    for row in [list(headings), *cells]:
        padded = [
            cell + " " * (widths[column] - max(wcswidth(cell), 0))
            for column, cell in enumerate(row)
        ]
        click.echo("  ".join(padded).rstrip())


def is_interactive() -> bool:
    """Whether a person watches: progress is worth showing."""
    return sys.stderr.isatty()
