"""`audit`: who changed what, when, for which ticket; filtered, and exported as CSV or JSON."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.options import example, reads
from mission_control_tui.cli.output import line, plain, print_json, say, shown, when
from mission_control_tui.cli.session import Session, pass_session
from mission_control_tui.model.errors import UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.database import Store
    from mission_control_tui.model.views import AuditView

PAGE = 500
_AGO = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COLUMNS = (
    *("id", "at", "operator", "source", "ticket", "action", "target"),
    *("user_id", "request_id", "before", "after"),
)


class Moment(click.ParamType[datetime]):
    """A point in time: 2026-03-01, 2026-03-01T09:30, or 30m, 24h, 7d, 2w ago."""

    name = "when"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        ago = _AGO.fullmatch(value.strip())
        try:
            if ago:
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            given = datetime.fromisoformat(value.strip())
            return given if given.tzinfo else given.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: give 2026-03-01, 2026-03-01T09:30 (UTC) or 7d", param)


@click.command()
@click.option("--user", metavar="UPN", help="Of this user, also one in the recycling bin.")
@click.option("--operator", metavar="NAME", help="By this operator.")
@click.option("--action", metavar="WORDS", help="Whose action begins so, as in provision.")
@click.option("--since", type=Moment(), metavar="WHEN", help="2026-03-01, or 7d ago.")
@click.option("--until", type=Moment(), metavar="WHEN", help="Before this time.")
@click.option("--ticket", metavar="REF", help="For this ticket.")
@click.option("--request", type=int, metavar="N", help="Of this request.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="200 unless exported, then all."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV that no spreadsheet evaluates.")
@reads
@example("mission-control audit --since 7d --csv")
@pass_session
def audit(
    session: Session,
    user: str | None,
    operator: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    ticket: str | None,
    request: int | None,
    limit: int | None,
    as_csv: bool,
) -> None:
    """Who changed what, newest first."""
    from mission_control_tui.model.audit import entries

    if as_csv and session.json:
        raise UsageError("The audit is printed as CSV or as JSON, not both.")
    wanted = limit if limit is not None or as_csv or session.json else 200

    async def pages(store: Store) -> AsyncIterator[tuple[AuditView, ...]]:
        account_id = await session.account_id(store)
        last: int | None = None
        left = wanted
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            found = await entries(
                store,
                session.caller,
                account_id,
                user=user,
                operator=operator,
                action=action,
                since=since,
                until=until,
                ticket=ticket,
                request=request,
                limit=size,
                before_id=last,
            )
            if found:
                yield found
            if len(found) < size:
                return
            last = found[-1].id
            left = None if left is None else left - size

    async def work(store: Store) -> list[AuditView]:
        rows: list[AuditView] = []
        async for page in pages(store):
            rows += page
        return rows

    found = session.run(work)
    if session.json:
        print_json({"entries": found})
    elif as_csv:
        _print_csv(found)
    else:
        for one in found:
            _print(one)
        if not found:
            say("No such change.")
        elif len(found) == wanted:
            say(f"The newest {wanted}; more with --limit N, or all with --csv.")


def _print(one: AuditView) -> None:
    ticket = f"  [{one.ticket}]" if one.ticket else ""
    line(f"{when(one.at)}  {one.operator}  {one.action}  {one.target}{ticket}")
    for key in dict.fromkeys([*one.before, *one.after]):
        label = key.replace("_", " ")
        if key not in one.before:
            line(f"    {label}: {shown(one.after[key])}")
        elif key not in one.after:
            line(f"    {label}: was {shown(one.before[key])}")
        elif one.before[key] != one.after[key]:
            line(f"    {label}: {shown(one.before[key])} -> {shown(one.after[key])}")


def _print_csv(found: Iterable[AuditView]) -> None:
    import csv
    import io
    import json

    from mission_control_tui.model.imports.cells import protect
    from mission_control_tui.model.text import harmless

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in found:
        values = plain(one)
        cells = (
            json.dumps(value) if isinstance(value, dict) else str("" if value is None else value)
            for value in (values[column] for column in _COLUMNS)
        )
        writer.writerow([protect(harmless(cell)) for cell in cells])
    click.echo(text.getvalue(), nl=False)
