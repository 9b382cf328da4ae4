"""Rows of an Excel workbook: its first visible sheet, as cells of text. openpyxl, the extra `[xlsx]`, loads only here.

A workbook is a zip archive of XML: what it states to be its size is bounded before anything of it is unpacked, and more
than it states is never unpacked.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from mission_control_tui.model.errors import InvalidInput, UsageError
from mission_control_tui.model.input_files import MEBIBYTE
from mission_control_tui.model.onboarding.files.detect import Record, TextFile, open_text

SIGNATURE = b"PK\x03\x04"
UNPACKED_LIMIT = 512 * MEBIBYTE
_PARTS_LIMIT = 10_000
_COLUMNS = 500
_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class WorkbookFile:
    """A workbook as read_users reads a file; the refused rows of one are written as CSV."""

    data: bytes = field(repr=False)
    encoding: str = "workbook"
    delimiter: str = ","

    def records(self) -> Iterator[Record]:
        """Yield the rows of the first visible sheet in order, blank ones too. Raises InvalidInput and UsageError."""
        _check_size(self.data)
        try:
            import openpyxl
        except ImportError as error:
            raise UsageError(
                "This is an Excel workbook, and what reads those is not installed.",
                hint="Save it as CSV UTF-8, or install it: "
                f"{sys.executable} -m pip install 'mission-control-tui[xlsx]'",
            ) from error
        try:
            book = openpyxl.load_workbook(
                io.BytesIO(self.data), read_only=True, data_only=True, keep_links=False
            )
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            if not sheets:
                raise InvalidInput("This workbook has no sheet of rows.")
            yield from _records(sheets[0])
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput(
                f"This workbook cannot be read ({type(error).__name__}).",
                hint='Open it in a spreadsheet and save it as "CSV UTF-8 (comma delimited)".',
            ) from error


def open_rows(data: bytes, encoding: str = "") -> TextFile | WorkbookFile:
    """Return a file of rows, a workbook or a text; `encoding` is that of the text, where it is known."""
    return WorkbookFile(data) if data.startswith(SIGNATURE) else open_text(data, encoding)


def _records(sheet: Any) -> Iterator[Record]:
    sheet.reset_dimensions()  # which files state wrongly
    for number, row in enumerate(sheet.iter_rows(max_col=_COLUMNS, values_only=True), 1):
        if number > _ROWS:
            return
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield Record(number, number, tuple(cells))


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidInput(
            "This is a damaged workbook, or no workbook.", hint="Save it as CSV UTF-8."
        ) from error
    if len(parts) > _PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        raise InvalidInput(
            f"This workbook is larger than {UNPACKED_LIMIT // MEBIBYTE} MiB when it is unpacked.",
            hint="Split it, or save it as CSV UTF-8.",
        )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        whole = value.time() == time()
        return (value.date() if whole else value.replace(microsecond=0)).isoformat(
            **({} if whole else {"sep": " "})
        )
    return value.isoformat() if isinstance(value, date | time) else str(value)
