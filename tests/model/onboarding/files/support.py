"""Files as other systems and spreadsheets write them, for the tests of imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

SAMPLES = Path(__file__).parents[3] / "data" / "imports"

M365_HEADINGS = [
    *("User Name", "First Name", "Last Name", "Display Name", "Job Title", "Department"),
    *("Office Number", "Office Phone", "Mobile Phone", "Fax", "Address", "City"),
    *("State or Province", "ZIP or Postal Code", "Country or Region"),
]

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
DELIMITERS = (",", ";", "\t")


def csv_bytes(
    rows: Iterable[Sequence[str]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    line_end: str = "\r\n",
) -> bytes:
    """`rows` as a spreadsheet saves them."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return buffer.getvalue().encode(encoding)
