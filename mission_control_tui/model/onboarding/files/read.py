"""Reading a file of users: what each row states, with every problem at its row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.input_files import (
    MEBIBYTE,
    FileTooLarge,
    NoRegularFile,
    read_file,
    read_stream,
)
from mission_control_tui.model.onboarding.files.cells import (
    CORRECT,
    addresses_in,
    damage_in,
    quoted_cells,
    value_in,
)
from mission_control_tui.model.onboarding.files.columns import (
    Format,
    FormatColumn,
    Use,
    heading_key,
)
from mission_control_tui.model.onboarding.files.detect import (
    DELIMITERS,
    Record,
    TextFile,
)
from mission_control_tui.model.onboarding.files.layout import Layout, column_letter, layout_of
from mission_control_tui.model.onboarding.files.workbook import WorkbookFile, open_rows
from mission_control_tui.model.people.fields import FIELD_BY_NAME, UserDetails, Value
from mission_control_tui.model.people.names import display_name_for
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import free

Progress = Callable[[int, int], None]
"""Called now and then with the rows read and about how many there are."""

SIZE_LIMIT = 256 * MEBIBYTE
"""Bytes; a hundred times what 100,000 users need."""

_ROWS_BETWEEN_PROGRESS = 1000
_ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "workbook": "an Excel workbook",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One user of a file.

    `row` is the number that a spreadsheet shows, `line` the one of a text editor. `fields` holds only what the row
    states, by field name: an empty cell states nothing, so it leaves a user as it is. `derived` names the fields that
    were worked out from others. `cells` are as in the file (less the protection of our own files) and may hold a
    password: they are not shown in a repr.
    """

    row: int
    line: int
    fields: Mapping[str, Value]
    problems: tuple[Problem, ...] = ()
    derived: frozenset[str] = frozenset()
    password: str | None = field(default=None, repr=False)
    cells: tuple[str, ...] = field(default=(), repr=False)
    aliases: tuple[str, ...] = ()
    gives: Mapping[str, str] = field(default_factory=dict)
    """What the columns Service, Level, Services and Settings hold, by these words in lower case."""
    warnings: tuple[Problem, ...] = ()
    damaged: Mapping[str, Problem] = field(default_factory=dict)
    """The problems, by field, of cells that a spreadsheet damaged: no news where the user has that value already."""
    secret: bool = field(default=False, repr=False)
    """Whether the cells may hold a password."""

    def details(self) -> UserDetails:
        """Return the stated fields, all others empty; not validated yet."""
        return UserDetails(**self.fields)  # type: ignore[arg-type]


_SAID_IN = {"level": "services", "service": "services"}
"""The column of several services says what those of one are for."""


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file that was read. `notices` are sentences for the operator about the file as a whole."""

    source: str
    format: Format
    encoding: str
    delimiter: str
    layout: Layout
    rows: Sequence[ImportRow]
    notices: tuple[str, ...]
    ignored_columns: tuple[str, ...]

    def located(self, row: ImportRow, problem: Problem) -> Problem:
        """`problem`, whose `where` is a field's name, at its row and column: "row 7, User Name"."""
        return replace(problem, where=f"row {row.row}, {self._heading_of(problem.where)}")

    def _heading_of(self, name: str) -> str:
        for wanted in (name, _SAID_IN.get(name, name)):
            for index, column in self.layout.columns:
                if wanted in (column.field, column.use.value):
                    return self.layout.heading(index)
        return FIELD_BY_NAME[name].label if name in FIELD_BY_NAME else name


def read_users(
    data: bytes | Path,
    *,
    source: str = "",
    progress: Progress | None = None,
    encoding: str = "",
    mapping: Mapping[str, str] | None = None,
) -> ImportFile:
    """Read the users of a file in any of the formats; `source` names it in messages.

    `encoding` is that of the text, where it is known; `mapping` says what headings stand for, as for layout_of.
    Raises UsageError when the file cannot be opened, and InvalidInput when nothing of it can be read: no text, no
    known headings, quotes that do not match. Problems of single rows stay with their rows.
    """
    if isinstance(data, Path):
        source = source or str(data)
        data = contents(data)
    text = open_rows(data, encoding)
    expected = max(data.count(b"\n") or data.count(b"\r"), 1)
    records = _reported(text.records(), expected, progress)
    heading = next((record for record in records if not _is_blank(record.cells)), None)
    if heading is None:
        raise InvalidInput("This file has only empty rows.", hint="It needs a row of headings.")
    reader = _Reader(layout_of(heading.cells, mapping), text.delimiter)
    rows = [reader.row(record) for record in records if not _is_blank(record.cells)]
    return ImportFile(
        source=source or "the file",
        format=reader.layout.format,
        encoding=_ENCODING_NAMES.get(text.encoding, text.encoding.upper()),
        delimiter=DELIMITERS[text.delimiter],
        layout=reader.layout,
        rows=rows,
        notices=tuple(_notices(text, reader, rows)),
        ignored_columns=reader.ignored_columns(),
    )


@dataclass(slots=True)
class _Stated:
    """What one row states, while its cells are read."""

    fields: dict[str, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    password: str | None = field(default=None, repr=False)
    aliases: list[str] = field(default_factory=list)
    gives: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, Problem] = field(default_factory=dict)


class _Reader:
    """Turns records into rows by one layout, and remembers what concerns the file as a whole."""

    def __init__(self, layout: Layout, delimiter: str) -> None:
        self.layout = layout
        self._delimiter = delimiter
        self._has_passwords = any(column.use is Use.PASSWORD for _, column in layout.columns)
        keys = [heading_key(heading) for heading in layout.headings]
        self._kinds_at = {
            index: keys.index(heading_key(column.kind_heading))
            for index, column in layout.columns
            if column.kinds is not None and heading_key(column.kind_heading) in keys
        }
        self.unused_with_data: set[int] = set()
        self._width = len(layout.headings)
        self._used = [pair for pair in layout.columns if pair[1].use is not Use.UNUSED]
        self._says_nothing = {
            index: column.says_nothing
            for index, column in layout.columns
            if column.use is Use.UNUSED
        } | dict.fromkeys(layout.unknown, ())
        self._row_of_upn: dict[str, int] = {}

    def row(self, record: Record) -> ImportRow:
        cells = tuple(map(free, record.cells)) if self.layout.has_reasons else record.cells
        padded = cells + ("",) * (self._width - len(cells))
        # Cells that are not where they belong are not read: one of them may be a password.
        misplaced = self._one_text(record.row, cells) or self._surplus(record.row, cells)
        if misplaced:
            return ImportRow(
                record.row, record.line, {}, tuple(misplaced), cells=cells, secret=True
            )
        stated = _Stated()
        for index, column in self._used:
            cell = padded[index]
            if not cell or cell.isspace() or cell.strip() in column.says_nothing:
                continue
            self._state(stated, record, index, column, cell)
        for index, says_nothing in self._says_nothing.items():
            if padded[index].strip() not in ("", *says_nothing):
                self.unused_with_data.add(index)
        derived = self._derive(stated.fields)
        return ImportRow(
            record.row,
            record.line,
            MappingProxyType(stated.fields),
            (*stated.problems, *self._repeated(record.row, stated.fields)),
            derived,
            stated.password,
            cells,
            tuple(dict.fromkeys(stated.aliases)),
            MappingProxyType(stated.gives),
            tuple(stated.warnings),
            MappingProxyType(stated.damaged),
            self._has_passwords,
        )

    def _state(
        self, stated: _Stated, record: Record, index: int, column: FormatColumn, cell: str
    ) -> None:
        """Read one cell that holds something."""
        name = self._field_of(record, index, column)
        if found := damage_in(cell, name):
            problem = self._problem(record.row, index, found, CORRECT)
            stated.problems.append(problem)
            if _is_text(name) and name not in stated.fields:
                stated.fields[name] = free(cell.strip())
                stated.damaged[name] = problem
        elif column.use is Use.PASSWORD:
            if stated.password is None:
                stated.password = self._password(stated, record, index, cell)
        elif column.use is Use.REFUSED:
            stated.problems.append(self._problem(record.row, index, column.reason))
        elif column.use is Use.ALIASES:
            stated.aliases += addresses_in(cell)
        elif column.use is Use.SERVICES:
            stated.gives[name] = free(cell.strip())
        elif not name:
            self.unused_with_data.add(index)
        elif name not in stated.fields:
            try:
                stated.fields[name] = value_in(column, name, cell)
            except InvalidInput as error:
                stated.problems += [
                    self._problem(record.row, index, problem.what, problem.hint)
                    for problem in error.problems
                ]

    def _field_of(self, record: Record, index: int, column: FormatColumn) -> str:
        """Return the field that a column states, which another cell of the row may decide."""
        if column.kinds is None or index not in self._kinds_at:
            return column.field
        at = self._kinds_at[index]
        kind = record.cells[at].strip().casefold() if at < len(record.cells) else ""
        return column.kinds.get(kind, "" if kind else column.field)

    def _password(self, stated: _Stated, record: Record, index: int, cell: str) -> str:
        """Blanks belong to a password within quotes; around a cell they are somebody's slip."""
        bare = cell.strip()
        if bare == cell or not record.raw or quoted_cells(record.raw, self._delimiter)[index]:
            return cell
        what = "blanks around the password were cut off"
        hint = "put it into quotes to keep them"
        stated.warnings.append(self._problem(record.row, index, what, hint))
        return bare

    def _one_text(self, row: int, cells: Sequence[str]) -> list[Problem]:
        first, *others = [*cells[1 if self.layout.has_reasons else 0 :], ""]
        if any(map(str.strip, others)) or not any(char in first for char in DELIMITERS):
            return []
        hint = "take off the quotes around the whole row"
        return [Problem(f"row {row}", "is one quoted text instead of cells", hint)]

    def ignored_columns(self) -> tuple[str, ...]:
        """Return the headings whose cells go nowhere: unknown ones, and all others that hold something."""
        unknown = {index for index in self.layout.unknown if self.layout.headings[index].strip()}
        indexes = unknown | self.unused_with_data
        return tuple(self.layout.heading(index) for index in sorted(indexes))

    def _derive(self, fields: dict[str, Value]) -> frozenset[str]:
        if not self.layout.format.names_make_display_name or "display_name" in fields:
            return frozenset()
        names = (str(fields.get(name, "")) for name in ("first_names", "last_name"))
        if not (made := display_name_for(*names)):
            return frozenset()
        fields["display_name"] = made
        return frozenset({"display_name"})

    def _surplus(self, row: int, cells: Sequence[str]) -> list[Problem]:
        surplus = [index for index in range(self._width, len(cells)) if cells[index].strip()]
        if not surplus:
            return []
        columns = ", ".join(column_letter(index) for index in surplus)
        hint = "a delimiter inside a cell needs quotes around the cell"
        return [Problem(f"row {row}, column {columns}", "has cells beyond the last heading", hint)]

    def _repeated(self, row: int, fields: Mapping[str, Value]) -> list[Problem]:
        upn = str(fields.get("upn", ""))
        first = self._row_of_upn.setdefault(upn.casefold(), row) if upn else row
        if first == row:
            return []
        hint = "keep one of the two rows"
        where = next(index for index, column in self._used if column.field == "upn")
        return [self._problem(row, where, f"{harmless(upn)} stands in row {first} already", hint)]

    def _problem(self, row: int, index: int, what: str, hint: str = "") -> Problem:
        return Problem(f"row {row}, {self.layout.heading(index)}", what, hint)


def _is_text(name: str) -> bool:
    """Tell whether a field holds text that may be compared with what a user has."""
    return name != "upn" and name in FIELD_BY_NAME and FIELD_BY_NAME[name].max_length > 0


def _is_blank(cells: Sequence[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _reported(
    records: Iterable[Record], expected: int, progress: Progress | None
) -> Iterable[Record]:
    row = 0
    for record in records:
        row = record.row
        if progress is not None and row % _ROWS_BETWEEN_PROGRESS == 0:
            progress(row, max(expected, row))
        yield record
    if progress is not None:
        progress(row, row)


def _notices(
    text: TextFile | WorkbookFile, reader: _Reader, rows: Sequence[ImportRow]
) -> Iterable[str]:
    if not rows:
        yield "The file has headings but no users."
    if text.encoding == "cp1252":
        yield "Read as Windows-1252 (Western European); if names look wrong, save it as CSV UTF-8."
    for index, column in reader.layout.columns:
        if index in reader.unused_with_data and column.reason:
            yield column.reason + "."
    ignored = reader.ignored_columns()
    if ignored:
        yield f"Not imported: {', '.join(ignored)}."


def contents(path: Path) -> bytes:
    """The bytes of an operator's file. Raises UsageError where it cannot be read, InvalidInput (too large)."""
    try:
        return read_file(path, SIZE_LIMIT)
    except FileTooLarge as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", hint="Split it.") from error
    except NoRegularFile as error:
        hint = 'Name a file, or send it to standard input and name "-".'
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint=hint) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", hint="Give the path of a CSV file."
        ) from error


def streamed(stream: BinaryIO) -> bytes:
    """The bytes of standard input. Raises InvalidInput where there are too many."""
    return read_stream(stream, SIZE_LIMIT, called="Standard input")
