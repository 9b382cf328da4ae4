"""`audit`: who changed what, when, for which ticket; filtered, exported, or written as a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Unpack

import click

from mission_control_tui.cli.common.options import reads, spans
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session

if TYPE_CHECKING:
    from mission_control_tui.model.history.audit_log import AuditFilter
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import AuditView

PAGE = 500
_AGO = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
EXACT = ("csv", "script")
"""Forms that programs read: they have ids where people read names."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class MomentParam(click.ParamType[datetime]):
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
            return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: give 2026-03-01, 2026-03-01T09:30 (UTC) or 7d", param)


@click.command()
@option("--user", metavar="UPN", help="Of this user, also one in the recycling bin.")
@option("--operator", metavar="NAME", help="By this operator.")
@option("--service", metavar="SERVICE", help="Of this service.")
@option("--action", metavar="WORDS", help="Whose action begins so, as in provision.")
@option("--since", type=MomentParam(), metavar="WHEN", help="2026-03-01, or 7d ago.")
@option("--until", type=MomentParam(), metavar="WHEN", help="Before this time.")
@option("--ticket", metavar="REF", help="For this ticket.")
@option("--request", type=int, metavar="N", help="Of this request.")
@option("--bulk", type=int, metavar="N", help="Of this bulk.")
@option("--session", metavar="ID", help="Of this run of a console.")
@option("--limit", type=click.IntRange(min=1), metavar="N", help="200 unless exported, then all.")
@option("--csv", "form", flag_value="csv", help="CSV that no spreadsheet evaluates.")
@option("--text", "form", flag_value="text", help="Plain text for a ticket, oldest first.")
@option("--script", "form", flag_value="script", help="Commands that do it again, oldest first.")
@spans
@reads(
    "mission-control audit --since 7d --csv",
    "mission-control audit --ticket T-100 --script",
    "mission-control audit --all-accounts --operator anna --since 7d",
)
def audit(
    session: Session, /, limit: int | None, form: str | None, **filters: Unpack[AuditFilter]
) -> None:
    """Who changed what, newest first; in all accounts too."""
    from mission_control_tui.model.history.audit_log import entries

    session.require_one_format(form and f"--{form}")
    wanted = limit if limit is not None or form is not None or session.json else 200

    async def work(store: Store) -> list[AuditView]:
        from mission_control_tui.model.store.scope import AllAccounts, Reach

        scope: Reach = (
            AllAccounts(store, session.caller)
            if session.all_accounts
            else await session.scope(store)
        )
        rows: list[AuditView] = []
        # One more than is shown: whether there are more is said.
        while wanted is None or len(rows) <= wanted:
            size = PAGE if wanted is None else min(wanted + 1 - len(rows), PAGE)
            last = rows[-1].id if rows else None
            page = await entries(scope, limit=size, before_id=last, **filters)
            rows += page
            if len(page) < size:
                break
        if form not in EXACT and not session.json:
            from mission_control_tui.model.catalogue.in_force import current
            from mission_control_tui.model.history.audit_names import named

            catalogue = (await current(store)).catalogue
            rows = [named(row, catalogue) for row in rows]
        return rows

    asked = session.run(work)
    found, more = asked[:wanted], wanted is not None and len(asked) > wanted
    if session.printed({"entries": found, "more": more}):
        return
    click.echo(_shown(found, form, of_all=session.all_accounts), nl=False)
    if not found and form is None:
        say("No such change.")
    elif more:
        say(f"The newest {wanted}; more with --limit N, or all with --csv.")


def _shown(found: Sequence[AuditView], form: str | None, *, of_all: bool) -> str:
    from mission_control_tui.model.history.audit_export import as_csv, as_script, as_text

    if form == "csv":
        return as_csv(found)
    if form == "script":
        return as_script(found[::-1])
    return as_text(found[::-1] if form == "text" else found, of_all=of_all)
