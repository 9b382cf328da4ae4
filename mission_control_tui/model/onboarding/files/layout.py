"""What the columns of one file hold, judged by its headings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.onboarding.files.columns import (
    Format,
    FormatColumn,
    Use,
    heading_key,
)
from mission_control_tui.model.onboarding.files.formats import FORMATS, OWN_CSV
from mission_control_tui.model.onboarding.files.headings import in_its_language
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import free

REASON_HEADING = "Reason"
"""The first column of a file of refused rows; not imported again."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file.

    `headings` are as in the file, up to the last that is not empty; `columns` are the known ones with their index,
    in the order in which they count; `unknown` are the indexes of the others. `has_reasons` says that the file is one
    of our own files of refused rows: its first column is Reason, and its cells are protected.
    """

    format: Format
    headings: tuple[str, ...]
    columns: tuple[tuple[int, FormatColumn], ...]
    unknown: tuple[int, ...]
    has_reasons: bool

    def heading(self, index: int) -> str:
        """Return the heading to show for a column, with its letter when it has none."""
        shown = harmless(self.headings[index].strip())
        return shown or f"column {column_letter(index)} (no heading)"


def layout_of(cells: Sequence[str], mapping: Mapping[str, str] | None = None) -> Layout:
    """Recognise the format by the headings in any case and order; one that names users is enough.

    `mapping` says of headings what they stand for, as in our own files; of "" that the column is left out.
    Raises InvalidInput when none fits, naming the headings that are expected, or when two columns state the same, and
    UsageError for a mapping of what there is not.
    """
    headings = list(cells)
    while headings and not heading_key(headings[-1]):
        headings.pop()
    has_reasons = bool(headings) and heading_key(headings[0]) == heading_key(REASON_HEADING)
    if has_reasons:
        headings = [free(heading) for heading in headings]
    keys = [heading_key(heading) for heading in headings]
    mapped, left_out = _mapped(headings, keys, mapping or {})
    kind = _recognise(["" if index in mapped else key for index, key in enumerate(keys)], mapped)
    columns = in_its_language(kind.columns, keys)
    stated = {(column.use, column.field) for column in mapped.values()}
    known = list(mapped.items())
    known += [
        (index, found)
        for index, key in enumerate(keys)
        if index not in mapped
        and index not in left_out
        and (found := columns.get(key)) is not None
        and (found.use is Use.UNUSED or (found.use, found.field) not in stated)
    ]
    places = {index for index, _ in known}
    unknown = [
        index
        for index in range(len(keys))
        if index not in places and not (index == 0 and has_reasons)
    ]
    known.sort(key=lambda pair: pair[1].rank)
    _refuse_duplicates(headings, known)
    return Layout(kind, tuple(headings), tuple(known), tuple(unknown), has_reasons)


def _mapped(
    headings: Sequence[str], keys: Sequence[str], mapping: Mapping[str, str]
) -> tuple[dict[int, FormatColumn], set[int]]:
    """Return the columns that are said to stand for something, and those that are left out."""
    mapped: dict[int, FormatColumn] = {}
    left_out: set[int] = set()
    for heading, stands_for in mapping.items():
        indexes = [index for index, key in enumerate(keys) if key == heading_key(heading)]
        if not indexes:
            there = ", ".join(harmless(name.strip()) for name in headings if name.strip())
            raise UsageError(
                f'There is no column "{harmless(heading)}" in this file.',
                hint=f"There are: {there}.",
            )
        if not stands_for.strip():
            left_out.update(indexes)
            continue
        target = OWN_CSV.columns.get(heading_key(stands_for))
        if target is None:
            names = dict.fromkeys(column.heading for column in _TARGETS)
            raise UsageError(
                f'"{harmless(stands_for)}" is nothing that a column can stand for.',
                hint=f"One of: {', '.join(names)}.",
            )
        mapped.update(dict.fromkeys(indexes, replace(target, rank=0)))
    return mapped, left_out


_TARGETS = [
    OWN_CSV.columns[heading_key(name)]
    for name in (
        *(field.label for field in FIELD_BY_NAME.values()),
        *("Password", "Aliases", "Service", "Level", "Services", "Settings"),
    )
]


def column_letter(index: int) -> str:
    """Return the letters by which spreadsheets call a column: A for 0, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _recognise(keys: Sequence[str], mapped: Mapping[int, FormatColumn]) -> Format:
    said = {column.field for column in mapped.values() if column.use is Use.FIELD}
    stated = {kind.name: _stated(kind, keys) | said for kind in FORMATS}
    fitting = [kind for kind in FORMATS if stated[kind.name].issuperset(kind.compulsory)]
    if fitting and mapped:
        return max(fitting, key=lambda kind: sum(key in kind.columns for key in keys))
    if fitting:
        return fitting[0]
    # Ours comes last here: it knows the other systems' headings too.
    candidates = sorted(FORMATS, key=lambda kind: kind is OWN_CSV)
    if naming := [kind for kind in candidates if "upn" in stated[kind.name]]:
        # Users who are there already need no more; what a new one lacks is told at its row.
        return max(naming, key=lambda kind: sum(key in kind.columns for key in keys))
    nearest = max(candidates, key=lambda kind: len(stated[kind.name]))
    missing = [
        nearest.heading_of(name) for name in nearest.compulsory if name not in stated[nearest.name]
    ]
    if stated[nearest.name]:
        columns = " and no ".join(f'column "{heading}"' for heading in missing)
        what = f"The headings look like {nearest.name}, but there is no {columns}."
    else:
        what = "The first row holds none of the headings that are known."
    raise InvalidInput(
        what,
        hint="The first row holds the headings, at least those of one system; or say what they stand for:"
        ' --map "Mail=UPN"',
        problems=[Problem(kind.name, ", ".join(kind.expected)) for kind in FORMATS],
    )


def _stated(kind: Format, keys: Sequence[str]) -> set[str]:
    known = (kind.columns[key] for key in keys if key in kind.columns)
    return {column.field for column in known if column.use is Use.FIELD}


def _refuse_duplicates(
    headings: Sequence[str], columns: Sequence[tuple[int, FormatColumn]]
) -> None:
    seen: dict[tuple[str, int], list[int]] = {}
    for index, column in columns:
        what = column.field or heading_key(column.heading)
        seen.setdefault((what, column.rank), []).append(index)
    problems = []
    for (what, _), indexes in seen.items():
        if len(indexes) > 1:
            first = harmless(headings[indexes[0]])
            label = FIELD_BY_NAME[what].label if what in FIELD_BY_NAME else first
            places = (f"{column_letter(index)} ({harmless(headings[index])})" for index in indexes)
            where = f"stands in columns {' and '.join(places)}"
            problems.append(Problem(label, where, "keep one of them"))
    if problems:
        raise InvalidInput("Several columns state the same.", problems=problems)
