"""Rows of the Account screen: lines of a statement, usage of seats, seats that nobody uses, domains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mission_control_tui.model.accounts.domain_overview import AccountDomain
from mission_control_tui.model.accounts.overview import AccountDetails
from mission_control_tui.model.accounts.seat_usage import IdleSeat, LevelUsage
from mission_control_tui.model.billing.statements import Statement
from mission_control_tui.model.states import Light
from mission_control_tui.model.text.counting import counted
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.rows import Cell, Column, Row

LINE_COLUMNS = (
    Column("Date", width=10),
    Column("What"),
    Column("Seats", width=14, right=True),
    Column("Total", width=11, right=True),
)
LEVEL_COLUMNS = (
    Column("Level"),
    Column("Owned", width=5, right=True),
    Column("Free", width=4, right=True),
    Column("Dis.", width=4, right=True),
    Column("Susp.", width=5, right=True),
    Column("Never", width=5, right=True),
    Column("A month", width=10, right=True),
    Column("Idle", width=9, right=True),
)
IDLE_COLUMNS = (
    Column("Who does not use a seat"),
    Column("Level"),
    Column("Why", width=26),
)
DOMAIN_COLUMNS = (
    Column("Domain"),
    Column("State", width=22),
    Column("Term ends", width=10),
    Column("Users", width=7, right=True),
)


def statement_rows(found: Statement) -> list[Row]:
    """Return one row a line; seats of test users are said beside the count."""
    rows = []
    for number, line in enumerate(found.lines):
        free = f"{line.quantity - line.not_billed} of {line.quantity} billed"
        seats = free if line.not_billed else str(line.quantity)
        total = line.total.format(code=False)
        rows.append(Row((number, line.order_id), (line.day, line.label, seats, total), line))
    return rows


def level_rows(levels: Sequence[LevelUsage]) -> list[Row]:
    """Return one row a level: owned, free, of disabled users, suspended, never provisioned, cost, idle part of it."""
    rows = []
    for level in levels:
        seats = level.seats
        counts = (level.disabled, level.suspended, level.never_provisioned)
        cells: tuple[Cell, ...] = (
            seats.level.removeprefix(f"{seats.service} - "),
            str(seats.owned),
            str(seats.free),
            *(str(count) if count else ("-", "dim") for count in counts),
            level.monthly.format(code=False),
            level.idle.format(code=False) if level.idle else ("-", "dim"),
        )
        rows.append(Row((seats.service_id, seats.level_id), cells, level))
    return rows


def idle_rows(found: Iterable[IdleSeat]) -> list[Row]:
    """Return one row a seat that is held and not used."""
    return [
        Row(
            (seat.user_id, seat.service_id, seat.level_id),
            (seat.upn, seat.level.removeprefix(f"{seat.service} - "), ", ".join(seat.why)),
            seat,
        )
        for seat in found
    ]


def domain_rows(found: Iterable[AccountDomain]) -> list[Row]:
    """Return one row a domain: its state behind its light."""
    rows = []
    for domain in found:
        light = Light.ORANGE if domain.order_id else domain.light
        said = f"{domain.state} (drift)" if domain.drift else str(domain.state)
        state: Cell = light_parts(light, said) if light else ((domain.state, "dim"),)
        cells = (domain.name, state, str(domain.ends_on or ""), f"{domain.users:,}")
        rows.append(Row((domain.name, domain.order_id), cells, domain))
    return rows


def notes(details: AccountDetails) -> dict[str, str]:
    """Return what stands beside the titles of the panels, so that most questions need no opening."""
    first = details.contacts[0] if details.contacts else None
    called = " ".join(filter(None, (first.name, first.phone or first.email))) if first else ""
    more = f", and {len(details.contacts) - 1} more" if len(details.contacts) > 1 else ""
    waiting = details.orders_awaiting_approval
    owned = sum(seat.owned for seat in details.seats)
    held = sum(seat.used + seat.queued for seat in details.seats)
    limit = details.approval_above
    month = ", ".join(map(str, details.this_month))
    return {
        "customer": details.account.customer_number or "no number",
        "contacts": f"{called}{more}" if first else "none yet",
        "orders": f"{details.orders}",
        "approval": (f"orders above {limit} wait" if limit is not None else "no limit")
        + (f"; {waiting} waiting" if waiting else ""),
        "statement": f"ordered this month: {month}",
        "usage": f"{held} of {counted(owned, 'seat')} held" if owned else "nothing bought yet",
        "domains": domain_note(details),
    }


def domain_note(details: AccountDetails) -> str:
    """Return how many domains there are, and which of them ends first where that is soon."""
    count = f"{len(details.domains)}"
    if not details.expiring:
        return count
    first = details.expiring[0]
    more = f", and {len(details.expiring) - 1} more" if len(details.expiring) > 1 else ""
    return f"{count}; {first.name} {'ended' if first.days < 0 else 'ends'} {first.ends_on}{more}"
