"""Rows of the Account screen: orders, lines of a statement, usage of seats, domains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mission_control_tui.model.accounts.domain_overview import AccountDomain
from mission_control_tui.model.accounts.seat_usage import IdleSeat, LevelUsage
from mission_control_tui.model.billing.statements import Statement
from mission_control_tui.model.states import Light
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
    """One row a line; seats of test users are said beside the count."""
    rows = []
    for number, one in enumerate(found.lines):
        free = f"{one.quantity - one.not_billed} of {one.quantity} billed"
        seats = free if one.not_billed else str(one.quantity)
        total = one.total.format(code=False)
        rows.append(Row((number, one.order_id), (one.day, one.label, seats, total), one))
    return rows


def level_rows(levels: Sequence[LevelUsage]) -> list[Row]:
    """One row a level: owned, free, of disabled users, suspended, never provisioned, cost, idle part of it."""
    rows = []
    for one in levels:
        seats = one.seats
        counts = (one.disabled, one.suspended, one.never_provisioned)
        rows.append(
            Row(
                (seats.service_id, seats.level_id),
                (
                    seats.level.removeprefix(f"{seats.service} - "),
                    str(seats.owned),
                    str(seats.free),
                    *(str(count) if count else ("-", "dim") for count in counts),
                    one.monthly.format(code=False),
                    one.idle.format(code=False) if one.idle else ("-", "dim"),
                ),
                one,
            )
        )
    return rows


def idle_rows(found: Iterable[IdleSeat]) -> list[Row]:
    """One row a seat that is held and not used."""
    return [
        Row(
            (one.user_id, one.service_id, one.level_id),
            (one.upn, one.level.removeprefix(f"{one.service} - "), ", ".join(one.why)),
            one,
        )
        for one in found
    ]


def domain_rows(found: Iterable[AccountDomain]) -> list[Row]:
    """One row a domain: its state behind its light."""
    rows = []
    for one in found:
        light = one.light
        if one.order_id:
            light = Light.ORANGE
        state: Cell = light_parts(light, one.state) if light else ((one.state, "dim"),)
        ends = f"{one.ends_on}" if one.ends_on else ""
        rows.append(Row((one.name, one.order_id), (one.name, state, ends, f"{one.users:,}"), one))
    return rows
