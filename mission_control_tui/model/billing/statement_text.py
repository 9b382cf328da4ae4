"""The words of a statement, shared by its text and its PDF."""

from __future__ import annotations

from mission_control_tui.model.billing.statements import Statement
from mission_control_tui.model.money import Money
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted

WIDTH = 78


_AMOUNT = 14


def title(statement: Statement) -> str:
    """Return what the statement is of: "Statement 2026-11, Acme Pty Ltd (acme)"."""
    account = f"{harmless(statement.account_name)} ({statement.account_code})"
    return f"Statement {statement.period}, {account}"


def remarks(statement: Statement) -> list[str]:
    """Return what is to be known about the statement, a sentence each."""
    said = []
    if statement.closed_at is None and statement.is_over:
        said.append("The month is over and not closed: it may still change. Read-only closes none.")
    elif statement.closed_at is None:
        said.append(
            f"The month ({statement.time_zone}) is not over: this is what it comes to so far."
        )
    else:
        said.append(
            f"Closed on {statement.closed_at:%Y-%m-%d %H:%M} UTC; it does not change any more."
        )
    if statement.awaiting_approval:
        count = statement.awaiting_approval
        orders = counted(count, "order that waits", "orders that wait")
        said.append(f"Not in it: {orders} for approval.")
    if statement.test_seats:
        seats = counted(statement.test_seats, "seat")
        named = ", ".join(map(harmless, statement.test_users))
        said.append(f"Not billed: {seats} held by test users ({named}).")
    if statement.prices_are_examples:
        said.append("Prices are examples.")
    return said


def text_lines(statement: Statement) -> list[str]:
    """Return the statement for people, in at most `WIDTH` signs a line where the labels are not longer."""
    room = WIDTH - 3 * (_AMOUNT + 1)
    lines = [title(statement), ""]
    if not statement.lines:
        lines += ["Nothing was charged.", ""]
    for line in statement.lines:
        lines.append(f"{line.day}  {harmless(line.label)}")
        left = quantity_words(line.quantity, line.not_billed, line.unit.format(code=False))
        lines.append(
            f"  {left}"[:room].ljust(room)
            + "".join(
                f" {amount.format(code=False):>{_AMOUNT}}"
                for amount in (line.net, line.tax, line.total)
            )
        )
    for sums in statement.sums:
        lines += [
            "",
            _sum(f"Net ({sums.net.currency})", sums.net),
            _sum(statement.tax_label, sums.tax),
            _sum("Total", sums.total),
        ]
    return [*lines, "", *remarks(statement)]


def quantity_words(quantity: int, not_billed: int, unit: str) -> str:
    """ "5 x 9.00", or "4 x 9.00 (1 not billed)"."""
    free = f" ({not_billed} not billed)" if not_billed else ""
    return f"{quantity - not_billed} x {unit}{free}"


def _sum(label: str, amount: Money) -> str:
    said = amount.format()
    return f"{label}{said:>{max(WIDTH - len(label), len(said) + 1)}}"
