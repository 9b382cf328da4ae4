"""Writing the refused rows of a file, so that they can be corrected and imported as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.errors import Problem
from mission_control_tui.model.onboarding.files.detect import DELIMITERS
from mission_control_tui.model.onboarding.files.layout import REASON_HEADING
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.spreadsheet_cells import protect


@dataclass(frozen=True, slots=True)
class RefusedRows:
    """The text of a file of refused rows. `secret` says that it holds passwords: only its owner may read it (0600)."""

    text: str = field(repr=False)
    secret: bool

    def encoded(self) -> bytes:
        """UTF-8 with a BOM, without which Excel takes the file for its own code page."""
        return self.text.encode("utf-8-sig")


def bad_rows_csv(
    file: ImportFile, refused: Iterable[tuple[ImportRow, Sequence[Problem]]]
) -> RefusedRows:
    """Return the refused rows with a Reason before their original cells, in the delimiter of the original.

    Every cell is protected from being evaluated, which read_users undoes exactly when it finds the Reason.
    """
    delimiter = next(char for char, name in DELIMITERS.items() if name == file.delimiter)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    skipped = 1 if file.layout.has_reasons else 0
    writer.writerow([REASON_HEADING, *map(protect, file.layout.headings[skipped:])])
    secret = False
    for row, problems in refused:
        reason = "; ".join(_reason(row, problem) for problem in problems)
        writer.writerow([protect(reason), *map(protect, row.cells[skipped:])])
        secret = secret or row.secret
    return RefusedRows(buffer.getvalue(), secret)


def _reason(row: ImportRow, problem: Problem) -> str:
    """Return the problem without its row's number, which is another one in the new file."""
    where = problem.where.removeprefix(f"row {row.row}, ")
    return harmless(str(Problem(where, problem.what, problem.hint)))
