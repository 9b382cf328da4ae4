"""`account usage` and `account domains`: how what was bought is used, and where each domain is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.accounts.buying import NOTHING_BOUGHT, seats_json
from mission_control_tui.cli.common import output
from mission_control_tui.cli.common.lists import limited, say_cut
from mission_control_tui.cli.common.options import OFFSET, exports, reads
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.results import tell_survey
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.text.clean import harmless, safe_cell
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.domain_overview import AccountDomain
    from mission_control_tui.model.accounts.seat_usage import IdleSeat, LevelUsage, Usage


@click.command()
@option("--idle", is_flag=True, help="Who holds seats without using them, with --csv too.")
@limited(200, "At most so many idle seats, or with --all-accounts so many accounts, or all.")
@OFFSET
@exports
@reads(
    "mission-control account usage",
    "mission-control account usage --idle --csv",
    "mission-control account usage --all-accounts --csv",
)
def usage(session: Session, idle: bool, limit: int, offset: int) -> None:
    """Seats of each level: owned, used, free; of disabled users, suspended, never provisioned; what they cost a month.

    With --all-accounts a row for each level of each account, or with --idle for each seat that is not used.

    IDLE is the part of the cost for seats that nobody holds or disabled users hold. Costs are without tax.
    """
    from mission_control_tui.model.accounts import seat_usage as model

    session.require_one_format()

    if session.all_accounts and idle:
        _all_idle(session, limit, offset)
        return
    if session.all_accounts:
        _all_accounts(session, limit, offset)
        return
    found = session.query(model.usage, limit=limit, offset=offset)
    if session.printed({"usage": _as_json(found)}):
        return
    if session.csv:
        output.print_csv(_idle_rows(found) if idle else _level_rows(found))
        if idle and found.more_idle_seats:
            say_cut(len(found.idle_seats))
    else:
        _print(found, idle=idle)


def _all_idle(session: Session, limit: int, offset: int) -> None:
    """Tell who holds seats without using them, in any account."""
    from mission_control_tui.model.accounts import seat_usage as model

    tell_survey(
        *(session, "idle_seats", session.survey(model.idle_seats, limit=limit + 1, offset=offset)),
        ("User", "Name", "Service", "Level", "Why"),
        lambda seat: _idle_cells(seat.item),
        lambda seat: output.attributes(seat.item),
        nothing="Every seat that somebody holds is used.",
        limit=limit,
        offset=offset,
    )


def _all_accounts(session: Session, limit: int, offset: int) -> None:
    """Tell of every account that bought something."""
    from dataclasses import replace

    from mission_control_tui.model.accounts import seat_usage as model

    found = session.survey(model.usage_of_all, limit=limit + 1, offset=offset)
    more = len(found.views) > limit
    found = replace(found, views=found.views[:limit])
    codes = found.codes or {}
    if session.json:
        documents = [
            {"account": codes[usage.account_id], "levels": [*map(_level_json, usage.levels)]}
            for usage in found.views
        ]
        output.print_json({"usage": documents, "more": more})
        return
    rows = [(codes[usage.account_id], level) for usage in found.views for level in usage.levels]
    if session.csv:
        output.print_csv(
            [["account", *_CSV_HEADINGS], *([code, *_level_cells(level)] for code, level in rows)]
        )
    elif not rows:
        output.say(NOTHING_BOUGHT)
    else:
        output.table(("ACCOUNT", *_HEADINGS), [(code, *_level_row(level)) for code, level in rows])
    if more:
        say_cut(limit)
        output.say(f"The next ones: --offset {offset + limit}")


def _as_json(found: Usage) -> dict[str, object]:
    return {**output.attributes(found), "levels": [*map(_level_json, found.levels)]}


def _level_json(level: LevelUsage) -> dict[str, object]:
    return {
        **seats_json(level.seats),
        **output.attributes(level, "disabled", "suspended", "never_provisioned", "test"),
        **output.attributes(level, "monthly", "idle"),
    }


_CSV_HEADINGS = (
    *("service", "level", "name", "owned", "used", "queued", "free"),
    *("disabled", "suspended", "never provisioned", "test", "currency", "monthly", "idle"),
)


def _level_rows(found: Usage) -> list[list[object]]:
    return [[*_CSV_HEADINGS], *map(_level_cells, found.levels)]


def _level_cells(level: LevelUsage) -> list[object]:
    seats = level.seats
    costs = (cost.format(code=False).replace(",", "") for cost in (level.monthly, level.idle))
    names = (seats.service_id, seats.level_id, safe_cell(harmless(seats.level)))
    return [*names, *_counts(level), level.monthly.currency, *costs]


def _counts(level: LevelUsage) -> tuple[int, ...]:
    seats = (level.seats.owned, level.seats.used, level.seats.queued, level.seats.free)
    return (*seats, level.disabled, level.suspended, level.never_provisioned, level.test)


def _idle_rows(found: Usage) -> list[list[object]]:
    cells: list[list[object]] = [
        [safe_cell(harmless(cell)) for cell in _idle_cells(seat)] for seat in found.idle_seats
    ]
    return [["user", "name", "service", "level", "why"], *cells]


def _idle_cells(seat: IdleSeat) -> tuple[str, ...]:
    why = ", ".join(seat.why)
    return seat.upn, seat.display_name, seat.service_id, seat.level_id, why


_HEADINGS = (
    *("LEVEL", "OWNED", "USED", "QUEUED", "FREE"),
    *("DISABLED", "SUSPENDED", "NEVER PROVISIONED", "A MONTH", "IDLE"),
)


def _level_row(level: LevelUsage) -> tuple[object, ...]:
    name = f"{level.seats.service_id} {level.seats.level_id}"
    return name, *_counts(level)[:-1], str(level.monthly), str(level.idle)


def _print(found: Usage, *, idle: bool) -> None:
    if not found.levels:
        output.say(NOTHING_BOUGHT)
        return
    output.table(_HEADINGS, [*map(_level_row, found.levels)])
    output.line("")
    output.line(f"A month {found.monthly}, of it idle {found.idle} (without tax)")
    count = len(found.idle_seats) + found.more_idle_seats
    if idle and found.idle_seats:
        output.line("")
        idle_seats = [
            (seat.upn, seat.service_id, seat.level_id, ", ".join(seat.why))
            for seat in found.idle_seats
        ]
        output.table(("USER", "SERVICE", "LEVEL", "WHY"), idle_seats)
        if found.more_idle_seats:
            output.say(f"And {found.more_idle_seats} more: --limit {count}")
    elif count:
        output.say(
            f"{counted(count, 'held seat is', 'held seats are')} not used;"
            " who holds them: mission-control account usage --idle"
        )


@click.command()
@limited(200)
@OFFSET
@exports
@reads("mission-control account domains", "mission-control account domains --all-accounts --csv")
def domains(session: Session, limit: int, offset: int) -> None:
    """The account's domains: state, when the term ends, users with addresses in it, the light of its services.

    Those of all accounts too.
    """
    from mission_control_tui.model.accounts.domain_overview import domains_of_all

    tell_survey(
        *(session, "domains", session.survey(domains_of_all, limit=limit + 1, offset=offset)),
        ("DOMAIN", "STATE", "TERM ENDS", "RENEWS", "USERS", "SERVICES"),
        lambda domain: _domain_row(domain.item),
        lambda domain: output.attributes(domain.item),
        nothing="No domains.",
        limit=limit,
        offset=offset,
    )


def _domain_row(domain: AccountDomain) -> tuple[object, ...]:
    state = f"{domain.state} (order {domain.order_id})" if domain.order_id else domain.state
    lights = (
        f"{output.LIGHT_MARKS[service.light]} {service.service}: {service.now}"
        for service in domain.services
    )
    renews = "" if domain.ends_on is None else "by itself" if domain.auto_renew else "by hand"
    return (
        *(domain.name, state, domain.ends_on or "", renews),
        *(domain.users, ", ".join(lights)),
    )
