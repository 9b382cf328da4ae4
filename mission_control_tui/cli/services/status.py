"""`status`: the lights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results, waiting
from mission_control_tui.cli.common.options import reads, waits
from mission_control_tui.cli.common.output import line, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.states import Light
from mission_control_tui.model.views import AssignmentView

if TYPE_CHECKING:
    from mission_control_tui.model.store.scope import AccountScope

_MOST_URGENT_FIRST = (Light.RED, Light.ORANGE, Light.GREEN, Light.GREY)


@click.command()
@argument("user", required=False)
@option(
    "--light",
    type=click.Choice([str(light) for light in Light]),
    help="Only services with this light.",
)
@waits
@reads("mission-control status --light red", "mission-control status ada@acme.example --wait 60")
def status(session: Session, user: str | None, light: str | None) -> None:
    """Show the lights of all services, or of one user's.

    Marks: * green, provisioned; ~ orange, on its way; X red, error; - grey, not provisioned.
    """

    async def work(scope: AccountScope) -> tuple[AssignmentView, ...]:
        from mission_control_tui.model.services import lights

        look = partial(lights.status, scope, user=user)
        if session.wait is None:
            return await look(light=Light(light) if light else None)
        return await waiting.until_settled(session, scope, look, session.wait)

    views = session.query(work)
    shown = [view for view in views if light is None or view.light == light]
    if not session.printed({"services": [results.service(view) for view in shown]}):
        _print(shown)
    results.judge(session, views)


def _row(view: AssignmentView) -> tuple[str, ...]:
    service, now = f"{view.service_id} {view.instance}".rstrip(), view.step
    drift = " (drift)" if view.drift else ""
    return waiting.light_of(view), view.subject, service, view.level_id, now + drift


def _print(views: Sequence[AssignmentView]) -> None:
    if not views:
        say("No services.")
        return
    table(["Light", "User", "Service", "Level", "Now"], [_row(view) for view in views])
    for view in views:
        if view.error_said:
            line("")
            line(f"{view.subject} {waiting.name_of(view)}: {view.error_said}")
            if view.error_remedy:
                line(f"  {view.error_remedy}")
    counts = Counter(view.light for view in views)
    say(
        ", ".join(f"{counts[light]} {light}" for light in _MOST_URGENT_FIRST if counts[light]) + "."
    )
