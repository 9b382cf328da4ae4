"""`users history`: what was done to one user, by whom, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.lists import EVERYTHING, Cut, cut, limited, say_cut
from mission_control_tui.cli.common.options import AS_CSV, reads
from mission_control_tui.cli.common.output import line, say, when
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.services.requests import request, what
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AuditView, RequestView


@click.command()
@argument("user")
@limited(50, "At most so many changes, the newest.")
@AS_CSV
@reads("mission-control users history ada@acme.example")
def history(session: Session, user: str, limit: int) -> None:
    """Show what was changed of a user, oldest first: when, by whom, before -> after, and its request."""

    session.require_one_format()

    async def work(scope: AccountScope) -> tuple[Cut[AuditView], dict[int, RequestView]]:
        from mission_control_tui.model.history.audit_log import entries
        from mission_control_tui.model.requests.queries import list_requests

        kept = cut(await entries(scope, user=user, limit=limit + 1), limit)
        asked = await list_requests(scope, user=user, limit=min(10 * limit, EVERYTHING))
        if not (session.json or session.csv):
            from mission_control_tui.model.catalogue.in_force import current
            from mission_control_tui.model.history.audit_names import named

            catalogue = (await current(scope.store)).catalogue
            kept = Cut([named(entry, catalogue) for entry in kept.rows], kept.more)
        return kept, {request.id: request for request in asked}

    kept, asked = session.query(work)
    changed = kept.rows[::-1]
    requests = [request(view) for _, view in sorted(asked.items())]
    if session.printed({"changes": changed, "requests": requests, "more": kept.more}):
        return
    if kept.more:
        say_cut(len(changed))
    if session.csv:
        from mission_control_tui.model.history.audit_export import as_csv

        click.echo(as_csv(changed), nl=False)
        return
    if not changed:
        say("Nothing was changed yet.")
    for entry in changed:
        ticket = f"  {entry.ticket}" if entry.ticket else ""
        line(f"{when(entry.at)}  {entry.operator}  {entry.action}: {entry.target}{ticket}")
        for name in dict.fromkeys([*entry.before, *entry.after]):
            before, after = entry.before.get(name), entry.after.get(name)
            if after or before:
                was = f"{value_text(before)} -> " if name in entry.before else ""
                line(f"  {name.replace('_', ' ')}: {was}{value_text(after)}")
        if entry.request_id is not None and (view := asked.get(entry.request_id)) is not None:
            line(f"  request {view.id} ({what(view)}): {view.state}")
