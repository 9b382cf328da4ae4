"""From bytes to rows of cells: which encoding, which delimiter, and whether this is a text file at all."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.text.clean import harmless

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""The delimiters that are recognised, with their names."""

_SAVE_AS_CSV = 'Open it in a spreadsheet and save it as "CSV UTF-8 (comma delimited)".'
_SIGNATURES = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook, or another zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UTF8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?', re.IGNORECASE)
COMMENT = re.compile(r"#(?![,;\t\"\r\n]|$)")
"""How a line begins that is for people or for PowerShell (#TYPE); a "#" alone is the heading of a number's column."""
_VERSION_LINE = re.compile(r"version:v?[\d.]+[,;\t]*", re.IGNORECASE)
_NOTHING = re.compile(r"[\s,;\"']*")
_PROBLEMS_NAMED = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One row: `row` as a spreadsheet counts, `line` as a text editor does (cells may hold line ends), from 1."""

    row: int
    line: int
    cells: tuple[str, ...] = field(repr=False)
    raw: str = field(default="", repr=False)
    """As it stands in the file; "" of a workbook."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is known to decode: its Python encoding, its delimiter, and the lines that are not rows."""

    data: bytes = field(repr=False)
    encoding: str
    delimiter: str
    skipped_lines: int = 0  # those before the headings: Excel's "sep=;", comments, a version
    skipped_rows: int = 0  # those of them that a spreadsheet shows

    def records(self) -> Iterator[Record]:
        """Yield the rows in order, blank ones too.

        Raises InvalidInput at the end of the file, with every line whose quotes do not match.
        """
        problems: list[Problem] = []
        taken: list[str] = []
        reader = csv.reader(self._lines(taken), delimiter=self.delimiter, strict=True)
        row, line = self.skipped_rows, 1 + self.skipped_lines
        while True:
            row += 1
            taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                problems.append(_quoting_problem(line, error))
            else:
                yield Record(row, line, tuple(cells), "".join(taken))
            line = 1 + self.skipped_lines + reader.line_num
        if problems:
            raise InvalidInput(
                "The rows of this file cannot be told apart.",
                hint="Correct the quotes, or save it as CSV UTF-8 from a spreadsheet.",
                problems=problems[:_PROBLEMS_NAMED],
            )

    def _lines(self, taken: list[str]) -> Iterator[str]:
        lines = io.TextIOWrapper(io.BytesIO(self.data), encoding=self.encoding, newline="")
        for _ in range(self.skipped_lines):
            next(lines)
        for line in lines:
            taken.append(line)
            yield line


def open_text(data: bytes, stated: str = "") -> TextFile:
    """Recognise `data`: UTF-8 or UTF-16 with or without BOM, else Windows-1252; comma, semicolon or tab.

    `stated` is the encoding where it is known. Raises InvalidInput for workbooks and other binary files, and for text
    that would be misread; UsageError for an encoding that there is not.
    """
    encoding = _encoding_of(data, stated)
    skipped, hidden, delimiter = _before_headings(data, encoding)
    place = (skipped, skipped - hidden)
    if delimiter:
        return TextFile(data, encoding, delimiter, *place)
    widths = {
        delimiter: _heading_width(TextFile(data, encoding, delimiter, *place))
        for delimiter in DELIMITERS
    }
    return TextFile(data, encoding, max(widths, key=lambda delimiter: widths[delimiter]), *place)


def _before_headings(data: bytes, encoding: str) -> tuple[int, int, str]:
    """Return how many lines are no rows, how many of them no spreadsheet shows, and the delimiter that one states."""
    skipped, hidden, delimiter = 0, 0, ""
    for line in io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline=""):
        text = line.rstrip("\r\n").removeprefix("\ufeff")
        separator = _SEPARATOR_LINE.fullmatch(text)
        if separator and not skipped:
            hidden, delimiter = 1, separator[1]
        elif not (COMMENT.match(text) or _VERSION_LINE.fullmatch(text)):
            break
        skipped += 1
    return skipped, hidden, delimiter


def _encoding_of(data: bytes, stated: str = "") -> str:
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise InvalidInput(f"This is {kind}, not a CSV file.", hint=_SAVE_AS_CSV)
    if stated:
        return _stated_encoding(data, stated)
    marked = next((name for bom, name in _BOMS if data.startswith(bom)), "")
    encoding = marked or _encoding_by_nulls(data[:2]) or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if marked:
            raise _undecodable(data, encoding, error.start) from error
        if b"\0" in data:
            raise _not_text() from error
        return _single_byte_encoding(data, error.start)
    if "\0" in text:
        raise _not_text()
    if not text.strip("\ufeff \t\r\n"):
        raise InvalidInput("This file is empty.", hint="It needs a row of headings, then users.")
    return encoding


def _stated_encoding(data: bytes, stated: str) -> str:
    try:
        name = codecs.lookup(stated).name
        text = data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"The file is not in {stated}: line {line} has bytes that it does not know."
        raise InvalidInput(what, hint="Leave --encoding out, or name another.") from error
    except (LookupError, ValueError, TypeError) as error:
        what = f"There is no encoding {harmless(stated[:40])!r} for text."
        hint = "as in utf-8, windows-1252, windows-1250, iso-8859-2, utf-16"
        raise UsageError(what, hint=hint) from error
    if "\0" in text:
        raise _not_text()
    return "utf-8-sig" if name == "utf-8" else name


def _encoding_by_nulls(start: bytes) -> str:
    """UTF-16 without a BOM, told by its first character, which is ASCII because headings are."""
    if len(start) < 2 or bool(start[0]) == bool(start[1]):
        return ""
    return "utf-16-le" if start[0] else "utf-16-be"


def _not_text() -> InvalidInput:
    return InvalidInput("This is not a text file: it contains NULL bytes.", hint=_SAVE_AS_CSV)


def _single_byte_encoding(data: bytes, start: int) -> str:
    """Windows-1252, unless the file is rather UTF-8 with damaged places, of which `start` is the first."""
    rest, characters = _UTF8_CHARACTER.subn(b"", data)
    if characters >= len(_HIGH_BYTE.findall(rest)):
        raise _undecodable(data, "utf-8", start)
    try:
        data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _undecodable(data, "cp1252", error.start) from error
    return "cp1252"


def _undecodable(data: bytes, encoding: str, start: int) -> InvalidInput:
    names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "UTF-8 or Windows-1252"}
    name = names.get(encoding, "UTF-16")
    newline = "\n".encode({"utf-16": "utf-16-le"}.get(encoding, encoding).removesuffix("-sig"))
    line = data.count(newline, 0, start) + 1
    return InvalidInput(
        f"The characters of this file cannot be read: it looks like {name}, "
        f"but line {line} has bytes that are not.",
        hint=_SAVE_AS_CSV,
    )


def _heading_width(file: TextFile) -> int:
    """Return how many cells the first row that is not blank has with this delimiter; 0 when its quotes do not match."""
    try:
        for record in file.records():
            if not all(_NOTHING.fullmatch(cell) for cell in record.cells):
                return len(record.cells)
    except InvalidInput:
        return 0  # another delimiter may fit; the one chosen reports its own
    return 0


def _quoting_problem(line: int, error: csv.Error) -> Problem:
    message = str(error)
    if "unexpected end" in message:
        what = "a quoted cell that begins on this line or in its row is never closed"
    elif "field limit" in message:
        what = "a cell is too long; a quote before it may never be closed"
    else:
        what = "something follows the quote that closes a cell"
    return Problem(f"line {line}", what, 'a quote inside a quoted cell is written twice, as ""')
