"""The words of a statement, shared by its text and its PDF."""

from __future__ import annotations

from mission_control_tui.model.billing.statements import Statement
from mission_control_tui.model.money import Money
from mission_control_tui.model.text.clean import harmless

WIDTH = 78


_AMOUNT = 14


def title(one: Statement) -> str:
    """Return what the statement is of: "Statement 2026-11, Acme Pty Ltd (acme)"."""
    return f"Statement {one.period}, {harmless(one.account_name)} ({one.account_code})"


def remarks(one: Statement) -> list[str]:
    """Return what is to be known about the statement, a sentence each."""
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


def text_lines(one: Statement) -> list[str]:
    """Return the statement for people, in at most `WIDTH` signs a line where the labels are not longer."""
    room = WIDTH - 3 * (_AMOUNT + 1)
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
            _sum(f"Net ({each.net.currency})", each.net),
            _sum(one.tax_label, each.tax),
            _sum("Total", each.total),
        ]
    return [*lines, "", *remarks(one)]


def quantity_words(quantity: int, not_billed: int, unit: str) -> str:
    """ "5 x 9.00", or "4 x 9.00 (1 not billed)"."""
    free = f" ({not_billed} not billed)" if not_billed else ""
    return f"{quantity - not_billed} x {unit}{free}"


def _sum(label: str, amount: Money) -> str:
    said = amount.format()
    return f"{label}{said:>{max(WIDTH - len(label), len(said) + 1)}}"
