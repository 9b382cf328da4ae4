"""A statement as CSV, and in each of its forms written to a file by the ending of its name."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mission_control_tui.model.billing.statement_text import text_lines
from mission_control_tui.model.billing.statements import Statement
from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.store.private_files import make, path_named
from mission_control_tui.model.text.clean import harmless, safe_cell

FORMATS = ("text", "csv", "pdf")
ENDINGS = {".txt": "text", ".csv": "csv", ".pdf": "pdf"}
CSV_COLUMNS = (
    "month",
    "account",
    "kind",
    "order",
    "date",
    "what",
    "quantity",
    "not billed",
    "currency",
    "each",
    "net",
    "tax",
    "total",
)


def as_csv(statement: Statement) -> str:
    """Return the lines, one a row, then a row of kind "total" for each currency; no spreadsheet evaluates a cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for line in statement.lines:
        amounts = (line.unit, line.net, line.tax, line.total)
        writer.writerow(
            [
                statement.period,
                statement.account_code,
                line.kind.value,
                line.order_id or "",
                line.day,
                safe_cell(harmless(line.label)),
                line.quantity,
                line.not_billed,
                line.net.currency,
                *(amount.format(code=False).replace(",", "") for amount in amounts),
            ]
        )
    for sums in statement.sums:
        totals = (sums.net, sums.tax, sums.total)
        writer.writerow(
            [statement.period, statement.account_code, "total", *[""] * 5, sums.net.currency, ""]
            + [amount.format(code=False).replace(",", "") for amount in totals]
        )
    return out.getvalue()


def content(statement: Statement, form: str) -> bytes:
    """Return the statement in one of `FORMATS`."""
    if form == "pdf":
        from mission_control_tui.model.billing.statement_pdf import as_pdf

        return as_pdf(statement)
    if form == "csv":
        return as_csv(statement).encode()
    return ("\n".join(text_lines(statement)) + "\n").encode()


def write(statement: Statement, path: Path, form: str | None = None) -> Path:
    """Write the statement to `path` as its ending says (.txt, .csv, .pdf), or as `form`; returns the whole path.

    The file is private. Raises InvalidInput for another ending, UsageError where it is there already or cannot be made.
    """
    chosen = form or ENDINGS.get(path.suffix.casefold())
    if chosen is None:
        raise InvalidInput(
            "The statement cannot be written.",
            problems=[
                Problem(
                    "file", f"{path.name!r} has no known ending", "end it in .pdf, .csv or .txt"
                )
            ],
        )
    return put(path, content(statement, chosen))


def put(path: Path, data: bytes) -> Path:
    """Write a new private file; returns its whole path. Raises UsageError where there is one, or it cannot be made."""
    whole = path_named(str(path)).absolute()
    try:
        make(whole, data)
    except FileExistsError:
        raise UsageError(
            f"{whole} is there already.", hint="Name another file, or move that one away."
        ) from None
    except OSError as error:
        raise UsageError(f"{whole} cannot be written: {error.strerror}.") from error
    return whole


def file_name(statement: Statement, form: str) -> str:
    """Return what its file is called: statement-acme-2026-11.pdf."""
    ending = next(ending for ending, known in ENDINGS.items() if known == form)
    return f"statement-{statement.account_code}-{statement.period}{ending}"
