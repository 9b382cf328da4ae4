"""Reading a file of users: what each row states, with every problem at its row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.onboarding.files.detect import (
    DELIMITERS,
    Record,
    TextFile,
    open_text,
)
from mission_control_tui.model.onboarding.files.formats import Format, FormatColumn, Use
from mission_control_tui.model.onboarding.files.layout import Layout, column_letter, layout_of
from mission_control_tui.model.people.fields import FIELD_BY_NAME, UserDetails, Value
from mission_control_tui.model.people.names import display_name_for
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import free

Progress = Callable[[int, int], None]
"""Called now and then with the rows read and about how many there are."""

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes; a hundred times what 100,000 users need."""

_ROWS_BETWEEN_PROGRESS = 1000
_ENCODING_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


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

    def details(self) -> UserDetails:
        """Return the stated fields, all others empty; not validated yet."""
        return UserDetails(**self.fields)  # type: ignore[arg-type]


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
        for index, column in self.layout.columns:
            if name in (column.field, column.use.value):
                return self.layout.heading(index)
        return FIELD_BY_NAME[name].label if name in FIELD_BY_NAME else name


def read_users(
    data: bytes | Path, *, source: str = "", progress: Progress | None = None
) -> ImportFile:
    """Read the users of a file in any of the formats; `source` names it in messages.

    Raises UsageError when the file cannot be opened, and InvalidInput when nothing of it can be read: no text, no
    known headings, quotes that do not match. Problems of single rows stay with their rows.
    """
    if isinstance(data, Path):
        source = source or str(data)
        data = contents(data)
    text = open_text(data)
    expected = max(data.count(b"\n") or data.count(b"\r"), 1)
    records = _reported(text.records(), expected, progress)
    heading = next((record for record in records if not _is_blank(record.cells)), None)
    if heading is None:
        raise InvalidInput("This file has only empty rows.", hint="it needs a row of headings")
    reader = _Reader(layout_of(heading.cells))
    rows = [reader.row(record) for record in records if not _is_blank(record.cells)]
    return ImportFile(
        source=source or "the file",
        format=reader.layout.format,
        encoding=_ENCODING_NAMES.get(text.encoding, "UTF-16"),
        delimiter=DELIMITERS[text.delimiter],
        layout=reader.layout,
        rows=rows,
        notices=tuple(_notices(text, reader, rows)),
        ignored_columns=reader.ignored_columns(),
    )


class _Reader:
    """Turns records into rows by one layout, and remembers what concerns the file as a whole."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
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
        fields: dict[str, Value] = {}
        problems = self._surplus(record.row, cells)
        password: str | None = None
        for index, column in self._used:
            cell = padded[index]
            if not cell or cell.isspace() or cell in column.says_nothing:
                continue
            if column.use is Use.PASSWORD:
                password = cell
            elif column.use is Use.REFUSED:
                problems.append(self._problem(record.row, index, column.reason))
            elif column.field not in fields:
                try:
                    fields[column.field] = _value(column, free(cell.strip()))
                except InvalidInput as error:
                    problems += [
                        self._problem(record.row, index, problem.what, problem.hint)
                        for problem in error.problems
                    ]
        for index, says_nothing in self._says_nothing.items():
            if padded[index].strip() not in ("", *says_nothing):
                self.unused_with_data.add(index)
        derived = self._derive(fields)
        problems += self._repeated(record.row, fields)
        return ImportRow(
            record.row,
            record.line,
            MappingProxyType(fields),
            tuple(problems),
            derived,
            password,
            cells,
        )

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


def _value(column: FormatColumn, cell: str) -> Value:
    if column.words is None:
        return parse_value(FIELD_BY_NAME[column.field], cell)
    flag = column.words.get(cell.casefold())
    if flag is None:
        what = f'"{harmless(cell[:40])}" is not known here'
        problem = Problem(column.field, what, "one of: " + ", ".join(column.words))
        raise InvalidInput("This value is not known.", problems=[problem])
    return flag


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


def _notices(text: TextFile, reader: _Reader, rows: Sequence[ImportRow]) -> Iterable[str]:
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
    """The bytes of an operator's file. Raises UsageError when it cannot be opened, InvalidInput when too large."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            size = SIZE_LIMIT // (1024 * 1024)
            raise InvalidInput(f"{path} is larger than {size} MiB.", hint="split the file")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", hint="give the path of a CSV file"
        ) from error
