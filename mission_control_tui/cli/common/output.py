"""How results leave: data on stdout, narration on stderr, every foreign character made harmless.

JSON is ASCII with escapes, so no control character of a name can reach a terminal; text widths are those of `wcwidth`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from enum import Enum
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.differences import differences

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Plan

LIGHT_MARKS = {"grey": "-", "red": "X", "orange": "~", "green": "*"}


def lights(found: Iterable[tuple[str, str]]) -> str:
    """Return the lights of a user's services, (service id, light), as text."""
    return ", ".join(f"{LIGHT_MARKS[light]} {light} {service}" for service, light in found)


def plain(value: object) -> Any:
    """Return `value` as JSON types: dataclasses become objects, enums their values, times ISO 8601 in UTC."""
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


def attributes(value: Any, *names: str, **called: str) -> dict[str, object]:
    """Return the named attributes of a value by their names, then those that are `called` otherwise.

    Without either all fields of a dataclass.
    """
    if not names and not called:
        names = tuple(field.name for field in dataclasses.fields(value))
    wanted = {name: name for name in names} | called
    return {name: getattr(value, attribute) for name, attribute in wanted.items()}


def print_json(value: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(plain(value), indent=2))


def say(text: str) -> None:
    """Print narration: one line on stderr, its commands as this call would make them."""
    click.echo(harmless(as_called(text)), err=True)


def line(text: str) -> None:
    """Print data: one line on stdout."""
    click.echo(harmless(text))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns on stdout, aligned by what a terminal shows; numbers stand to the right.

    The last column is never padded; where stdout is a terminal, it is cut to the terminal's width.
    """
    given = [list(row) for row in rows]
    cells = [[harmless(str("" if cell is None else cell)) for cell in row] for row in given]
    widths = [
        max([width(heading), *(width(row[column]) for row in cells)])
        for column, heading in enumerate(headings)
    ]
    right = [
        bool(given) and all(type(row[column]) is int for row in given)
        for column in range(len(headings))
    ]
    limit = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in [list(headings), *cells]:
        padded = [_pad(cell, widths[column], right[column]) for column, cell in enumerate(row[:-1])]
        last = _pad(row[-1], widths[-1], right[-1]) if row else ""
        click.echo(cut("  ".join([*padded, last]).rstrip(), limit))


def section(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print the rows as a table below an empty line, where there are any."""
    if rows:
        line("")
        table(headings, rows)


def print_csv(rows: Iterable[Sequence[object]], line_end: str = "\r\n") -> None:
    """Print the rows as CSV on stdout."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    click.echo(text.getvalue(), nl=False)


def width(text: str) -> int:
    """Return how many cells of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def cut(text: str, limit: int) -> str:
    """Return `text` in at most `limit` cells, its end replaced by "..."; 0 is no limit."""
    if not limit or width(text) <= limit:
        return text
    kept = text
    while kept and width(kept) > limit - 3:
        kept = kept[:-1]
    return kept + "..."


def wrapped(first: str, text: str, indent: int) -> None:
    """Print `first` and `text` on one line; on a terminal on as many as its width asks for, indented."""
    if not sys.stdout.isatty():
        line(first + text)
        return
    import textwrap

    columns = max(shutil.get_terminal_size().columns, indent + 20)
    for part in textwrap.wrap(
        harmless(text),
        columns,
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,  # a path that is cut in two cannot be copied
    ):
        line(part)


def _pad(cell: str, wanted: int, right: bool) -> str:
    blanks = " " * (wanted - width(cell))
    return blanks + cell if right else cell + blanks


def print_plan(plan: Plan) -> None:
    """Print what a change does on stdout: things with before -> after, seats, money; warnings go to stderr."""
    kinds = max((width(row.kind) for row in plan.lines), default=0)
    for row in plan.lines:
        line(f"{row.verb:<9}  {row.kind:<{kinds}}  {row.name}")
        stated = {
            key: value
            for key, value in row.after.items()
            if key in row.before or value not in ("", None, [], {})
        }
        for text in differences(row.before, stated):
            line(f"{'':<11}{text}")
    for seats in plan.seats:
        owned = _arrow(seats.owned_before, seats.owned_after)
        free = _arrow(seats.free_before, seats.free_after)
        line(f"{'seats':<9}  {seats.service} {seats.level}: owned {owned}, free {free}")
    for label, amount in (("net", plan.net), ("tax", plan.tax), ("total", plan.total)):
        if amount is not None:
            line(f"{label:<9}  {amount}")
    for warning in plan.warnings:
        say(f"Warning: {warning}")


def _arrow(before: int, after: int) -> str:
    return f"{after}" if before == after else f"{before} -> {after}"


def when(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Return a time for people, to the minute, in `zone` or UTC ("2026-03-01 09:30Z")."""
    if at is None:
        return ""
    return f"{at:%Y-%m-%d %H:%MZ}" if zone is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def is_interactive() -> bool:
    """Tell whether a person watches: progress is worth showing."""
    return sys.stderr.isatty()
