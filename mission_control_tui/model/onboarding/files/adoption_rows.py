"""The file between a scan of a back end and its loading: one row for each object, written, edited and read again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.cells import CORRECT
from mission_control_tui.model.onboarding.files.columns import heading_key
from mission_control_tui.model.onboarding.files.detect import Record
from mission_control_tui.model.onboarding.files.workbook import open_rows
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import damage, free, protect

_BETWEEN = re.compile(r"[\s,;|]+")
_SETTING = re.compile(r"\s*[;|]\s*")


class Whose(StrEnum):
    """Whose an object at a back end is, by its mark."""

    OURS = "ours"
    """A service that is known here."""
    ORPHAN = "orphan"
    """It carries our mark, and no service here knows it."""
    FOREIGN = "foreign"
    UNMARKED = "unmarked"


class RowAction(StrEnum):
    """What is to become of an object."""

    ADOPT = "adopt"
    """Brought in as it is: nothing but its mark changes."""
    CHANGE = "change"
    """Brought in, and changed to what the row says."""
    LEAVE = "leave"
    REMOVE = "remove"
    """An orphan that is removed: by `adopt remove`, a load leaves it."""


@dataclass(frozen=True, slots=True)
class AdoptionRow:
    """One object of a back end and what it is to be here. `row` is its number in the file, 0 before it is in one.

    `subject` is a user's UPN or a domain, `paid_until` the last day of a domain that is sold here, None for one that is
    registered elsewhere. `keeps`, `differences` and `problem` are for people.
    """

    connector: str
    service: str
    name: str
    action: RowAction = RowAction.LEAVE
    account: str = ""
    subject: str = ""
    display_name: str = ""
    aliases: tuple[str, ...] = ()
    level: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    instance: str = ""
    paid_until: date | None = None
    external_id: str = ""
    whose: str = ""
    state: str = ""
    keeps: str = ""
    differences: str = ""
    problem: str = ""
    row: int = 0
    problems: tuple[Problem, ...] = ()

    def at(self, heading: str, what: str, hint: str = "") -> Problem:
        """Return a problem of one cell of this row."""
        return Problem(f"row {self.row}, {heading}" if heading else f"row {self.row}", what, hint)


_TEXTS = {
    "Action": "action",
    "Account": "account",
    "User or Domain": "subject",
    "Display Name": "display_name",
    "Aliases": "aliases",
    "Level": "level",
    "Settings": "settings",
    "Instance": "instance",
    "Paid Until": "paid_until",
    "Connector": "connector",
    "Service": "service",
    "Native Name": "name",
    "External Id": "external_id",
    "Whose": "whose",
    "State": "state",
    "Keeps": "keeps",
    "Differences": "differences",
    "Problem": "problem",
}
"""The headings with the fields of a row: first what may be edited, then what the back end says."""
NEEDED = ("Action", "Account", "User or Domain", "Level", "Connector", "Service", "Native Name")
"""Headings without which a file cannot be loaded."""


def write_rows(rows: Iterable[AdoptionRow]) -> str:
    """Return the rows as a CSV that no spreadsheet evaluates."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_TEXTS)
    for row in rows:
        writer.writerow([protect(_cell(getattr(row, name))) for name in _TEXTS.values()])
    return text.getvalue()


def settings_text(settings: Mapping[str, object]) -> str:
    """Return settings as their cell holds them: "quota=7000; pop=yes"."""
    return "; ".join(f"{key}={_cell(value)}" for key, value in settings.items())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return settings_text(value)
    if isinstance(value, (list, tuple)):
        return " ".join(_cell(item) for item in value)
    return harmless(str(value))


def read_rows(data: bytes, *, encoding: str = "") -> tuple[AdoptionRow, ...]:
    """Return the rows of a CSV or a workbook, each with the problems of its cells.

    Raises InvalidInput where the file lacks a heading, and for what is no such file.
    """
    text = open_rows(data, encoding)
    records = (record for record in text.records() if any(map(str.strip, record.cells)))
    first = next(records, None)
    if first is None:
        raise InvalidInput("This file has only empty rows.", hint="Write one by `adopt scan`.")
    known = {heading_key(heading): heading for heading in _TEXTS}
    found = [known.get(heading_key(cell), "") for cell in first.cells]
    missing = [heading for heading in NEEDED if heading not in found]
    if missing:
        raise InvalidInput(
            f"The first row has no heading {', '.join(missing)}.",
            hint="Load what `mission-control adopt scan` wrote, with its first row.",
        )
    return tuple(_each_once(_row(record, found) for record in records))


def _each_once(rows: Iterable[AdoptionRow]) -> Iterator[AdoptionRow]:
    first: dict[tuple[str, str, str], int] = {}
    for row in rows:
        number = first.setdefault((row.connector, row.service, row.name), row.row)
        if number != row.row:
            again = row.at("Native Name", f"stands in row {number} already", "keep one of them")
            yield replace(row, problems=(*row.problems, again))
        else:
            yield row


def _row(record: Record, headings: Sequence[str]) -> AdoptionRow:
    cells = [free(cell.strip()) for cell in record.cells]
    cells += [""] * (len(headings) - len(cells))
    stated = {heading: cell for heading, cell in zip(headings, cells, strict=False) if heading}
    problems = [
        Problem(f"row {record.row}, {heading}", said, CORRECT)
        for heading, cell in stated.items()
        if (said := damage(cell))
    ]
    if any(cells[len(headings) :]):
        problems.append(Problem(f"row {record.row}", "has cells beyond the last heading"))

    def refuse(heading: str, what: str, hint: str) -> None:
        problems.append(Problem(f"row {record.row}, {heading}", what, hint))

    action = stated["Action"].casefold() or RowAction.LEAVE
    if action not in set(RowAction):
        refuse(
            "Action",
            f"{harmless(action)} is no action",
            "write adopt, change, leave or, of an orphan, remove",
        )
        action = RowAction.LEAVE
    for heading in ("Connector", "Service", "Native Name"):
        if not stated[heading]:
            refuse(heading, "is missing", "keep what the scan wrote")
    settings: dict[str, object] = {}
    for part in filter(None, _SETTING.split(stated.get("Settings", ""))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            refuse(
                "Settings", f"{harmless(part)} is no setting", "write quota=2048; several with ;"
            )
        else:
            settings[name.strip()] = value.strip()
    paid_until = stated.get("Paid Until", "").partition(" ")[0].partition("T")[0]
    until: date | None = None
    if paid_until:
        try:
            until = date.fromisoformat(paid_until)
        except ValueError:
            refuse("Paid Until", f"{harmless(paid_until)} is no date", "write it as 2027-01-31")
    return AdoptionRow(
        connector=stated["Connector"],
        service=stated["Service"],
        name=stated["Native Name"],
        action=RowAction(action),
        account=stated["Account"],
        subject=stated["User or Domain"],
        display_name=stated.get("Display Name", ""),
        aliases=tuple(filter(None, _BETWEEN.split(stated.get("Aliases", "")))),
        level=stated["Level"],
        settings=settings,
        instance=stated.get("Instance", ""),
        paid_until=until,
        external_id=stated.get("External Id", ""),
        whose=stated.get("Whose", ""),
        state=stated.get("State", ""),
        row=record.row,
        problems=tuple(problems),
    )
