"""`account usage` and `account domains`: how what was bought is used, and where each domain is."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import example, limited, reads
from mission_control_tui.cli.common.output import LIGHT_MARKS, line, print_json, say, table
from mission_control_tui.cli.common.session import Session, pass_session
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.text.clean import harmless, safe_cell

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.seat_usage import Usage


@click.command()
@click.option("--csv", "as_csv", is_flag=True, help="The levels as CSV.")
@click.option("--idle", is_flag=True, help="Who holds seats without using them, with --csv too.")
@limited(200, "At most so many idle seats.", most=None)
@reads
@example("mission-control account usage", "mission-control account usage --idle --csv")
@pass_session
def usage(session: Session, as_csv: bool, idle: bool, limit: int) -> None:
    """Seats of each level: owned, used, free; of disabled users, suspended, never provisioned; what they cost a month.

    IDLE is the part of the cost for seats that nobody holds or disabled users hold. Costs are without tax.
    """
    from mission_control_tui.model.accounts import seat_usage as model

    if session.json and as_csv:
        raise UsageError("--json and --csv contradict each other.", hint="Give one of them.")

    found = session.query(model.usage, limit=limit)
    if session.json:
        print_json({"usage": _as_json(found)})
    elif as_csv:
        rows = _idle_rows(found) if idle else _level_rows(found)
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        click.echo(out.getvalue(), nl=False)
    else:
        _print(found, idle=idle)


def _as_json(found: Usage) -> dict[str, object]:
    import dataclasses

    levels = [
        {
            **{one.name: getattr(level.seats, one.name) for one in dataclasses.fields(level.seats)},
            "free": level.seats.free,
            "disabled": level.disabled,
            "suspended": level.suspended,
            "never_provisioned": level.never_provisioned,
            "test": level.test,
            "monthly": level.monthly,
            "idle": level.idle,
        }
        for level in found.levels
    ]
    return {
        "levels": levels,
        "monthly": found.monthly,
        "idle": found.idle,
        "idle_seats": found.idle_seats,
        "more_idle_seats": found.more_idle_seats,
    }


def _level_rows(found: Usage) -> list[list[object]]:
    rows: list[list[object]] = [
        [
            *("service", "level", "name", "owned", "used", "queued", "free"),
            *("disabled", "suspended", "never provisioned", "test", "currency", "monthly", "idle"),
        ]
    ]
    for one in found.levels:
        seats = one.seats
        rows.append(
            [
                *(seats.service_id, seats.level_id, safe_cell(harmless(seats.level))),
                *(seats.owned, seats.used, seats.queued, seats.free),
                *(
                    one.disabled,
                    one.suspended,
                    one.never_provisioned,
                    one.test,
                    one.monthly.currency,
                ),
                *(cost.format(code=False).replace(",", "") for cost in (one.monthly, one.idle)),
            ]
        )
    return rows


def _idle_rows(found: Usage) -> list[list[object]]:
    rows: list[list[object]] = [["user", "name", "service", "level", "why"]]
    for one in found.idle_seats:
        names = (safe_cell(harmless(text)) for text in (one.upn, one.display_name))
        rows.append([*names, one.service_id, one.level_id, ", ".join(one.why)])
    return rows


def _print(found: Usage, *, idle: bool) -> None:
    if not found.levels:
        say("Nothing was bought yet. What there is to buy: mission-control catalogue show")
        return
    table(
        (
            *(
                "LEVEL",
                "OWNED",
                "USED",
                "QUEUED",
                "FREE",
                "DISABLED",
                "SUSPENDED",
                "NEVER PROVISIONED",
            ),
            *("A MONTH", "IDLE"),
        ),
        [
            (
                f"{one.seats.service_id} {one.seats.level_id}",
                *(one.seats.owned, one.seats.used, one.seats.queued, one.seats.free),
                *(
                    one.disabled,
                    one.suspended,
                    one.never_provisioned,
                    str(one.monthly),
                    str(one.idle),
                ),
            )
            for one in found.levels
        ],
    )
    line("")
    line(f"A month {found.monthly}, of it idle {found.idle} (without tax)")
    count = len(found.idle_seats) + found.more_idle_seats
    if idle and found.idle_seats:
        line("")
        table(
            ("USER", "SERVICE", "LEVEL", "WHY"),
            [
                (one.upn, one.service_id, one.level_id, ", ".join(one.why))
                for one in found.idle_seats
            ],
        )
        if found.more_idle_seats:
            say(f"And {found.more_idle_seats} more: --limit {count}")
    elif count:
        say(
            f"{count} held seats are not used; who holds them: mission-control account usage --idle"
        )


@click.command()
@reads
@example("mission-control account domains")
@pass_session
def domains(session: Session) -> None:
    """The account's domains: state, when the term ends, users with addresses in it, the light of its services."""
    from mission_control_tui.model.accounts.domain_overview import account_domains

    found = session.query(account_domains)
    if session.json:
        print_json({"domains": found})
        return
    table(
        ("DOMAIN", "STATE", "TERM ENDS", "USERS", "SERVICES"),
        [
            (
                one.name,
                f"{one.state} (order {one.order_id})" if one.order_id else one.state,
                one.ends_on or "",
                one.users,
                ", ".join(
                    f"{LIGHT_MARKS[each.light]} {each.service}: {each.word}"
                    for each in one.services
                ),
            )
            for one in found
        ],
    )
