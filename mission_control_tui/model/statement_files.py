"""A statement as lines of text, as CSV, and written to a file by the ending of its name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from mission_control_tui.model.errors import InvalidInput, Problem, UsageError
from mission_control_tui.model.private_files import path_named
from mission_control_tui.model.statements import Statement
from mission_control_tui.model.text import harmless, safe_cell

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
WIDTH = 78
_AMOUNT = 14


def title(one: Statement) -> str:
    """What the statement is of: "Statement 2026-11, Acme Pty Ltd (acme)"."""
    return f"Statement {one.period}, {harmless(one.account_name)} ({one.account_code})"


def remarks(one: Statement) -> list[str]:
    """What is to be known about the statement, a sentence each."""
    said = []
    if one.closed_at is None and one.is_over:
        said.append("The month is over and not closed: it may still change. Read-only closes none.")
    elif one.closed_at is None:
        said.append(f"The month ({one.time_zone}) is not over: this is what it comes to so far.")
    else:
        said.append(f"Closed on {one.closed_at:%Y-%m-%d %H:%M} UTC; it does not change any more.")
    if one.awaiting_approval:
        count = one.awaiting_approval
        orders = "1 order that waits" if count == 1 else f"{count} orders that wait"
        said.append(f"Not in it: {orders} for approval.")
    if one.test_seats:
        seats = "1 seat" if one.test_seats == 1 else f"{one.test_seats} seats"
        named = ", ".join(map(harmless, one.test_users))
        said.append(f"Not billed: {seats} held by test users ({named}).")
    if one.prices_are_examples:
        said.append("Prices are examples.")
    return said


def text_lines(one: Statement, width: int = WIDTH) -> list[str]:
    """The statement for people, in at most `width` signs a line where the labels are not longer."""
    room = max(width - 3 * (_AMOUNT + 1), 10)
    lines = [title(one), ""]
    if not one.lines:
        lines += ["Nothing was charged.", ""]
    for line in one.lines:
        lines.append(f"{line.day}  {harmless(line.label)}")
        left = quantity_words(line.quantity, line.not_billed, line.unit.format(code=False))
        lines.append(
            f"  {left}"[:room].ljust(room)
            + "".join(
                f" {amount.format(code=False):>{_AMOUNT}}"
                for amount in (line.net, line.tax, line.total)
            )
        )
    for each in one.sums:
        lines += [
            "",
            *_sum(f"Net ({each.net.currency})", each.net.format(), width),
            *_sum(one.tax_label, each.tax.format(), width),
            *_sum("Total", each.total.format(), width),
        ]
    return [*lines, "", *remarks(one)]


def quantity_words(quantity: int, not_billed: int, unit: str) -> str:
    """ "5 x 9.00", or "4 x 9.00 (1 not billed)"."""
    free = f" ({not_billed} not billed)" if not_billed else ""
    return f"{quantity - not_billed} x {unit}{free}"


def _sum(label: str, amount: str, width: int) -> Iterable[str]:
    return (f"{label}{amount:>{max(width - len(label), len(amount) + 1)}}",)


def as_csv(one: Statement) -> str:
    """The lines, one a row, then a row of kind "total" for each currency; no spreadsheet evaluates a cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for line in one.lines:
        amounts = (line.unit, line.net, line.tax, line.total)
        writer.writerow(
            [
                one.period,
                one.account_code,
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
    for each in one.sums:
        totals = (each.net, each.tax, each.total)
        writer.writerow(
            [one.period, one.account_code, "total", "", "", "", "", "", each.net.currency, ""]
            + [amount.format(code=False).replace(",", "") for amount in totals]
        )
    return out.getvalue()


def content(one: Statement, form: str) -> bytes:
    """The statement in one of `FORMATS`."""
    if form == "pdf":
        from mission_control_tui.model.statement_pdf import as_pdf

        return as_pdf(one)
    if form == "csv":
        return as_csv(one).encode()
    return ("\n".join(text_lines(one)) + "\n").encode()


def write(one: Statement, path: Path, form: str | None = None) -> Path:
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
    return put(path, content(one, chosen))


def put(path: Path, data: bytes) -> Path:
    """Write a new private file; returns its whole path. Raises UsageError where there is one, or it cannot be made."""
    whole = path_named(str(path)).absolute()
    try:
        whole.touch(mode=0o600, exist_ok=False)
        whole.write_bytes(data)
    except FileExistsError:
        raise UsageError(
            f"{whole} is there already.", hint="Name another file, or move that one away."
        ) from None
    except OSError as error:
        raise UsageError(f"{whole} cannot be written: {error.strerror}.") from error
    return whole


def file_name(one: Statement, form: str) -> str:
    """What its file is called: statement-acme-2026-11.pdf."""
    ending = next(ending for ending, known in ENDINGS.items() if known == form)
    return f"statement-{one.account_code}-{one.period}{ending}"
