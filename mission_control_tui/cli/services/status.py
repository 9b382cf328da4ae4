"""`status`: the lights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import results, waiting
from mission_control_tui.cli.common.lists import COUNT
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import OFFSET, exports, reads, waits
from mission_control_tui.cli.common.output import line, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import names_subject, one_subject
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.states import Light
from mission_control_tui.model.views import AssignmentView

if TYPE_CHECKING:
    from mission_control_tui.model.requests.connector_pauses import Pause
    from mission_control_tui.model.services.subjects import SubjectKey
    from mission_control_tui.model.store.scope import AccountScope, Reach

SHOWN = 200
"""Services of all accounts that people are shown at a time."""

_MOST_URGENT_FIRST = (Light.RED, Light.ORANGE, Light.GREEN, Light.GREY)


@click.command()
@argument("user", required=False)
@option(
    "--light",
    type=click.Choice([str(light) for light in Light]),
    help="Only services with this light.",
)
@option(
    "--limit",
    type=COUNT,
    metavar="N",
    help=f"At most so many, or all; without it {SHOWN} with --all-accounts, exported all.",
)
@OFFSET
@names_subject
@waits
@exports
@reads(
    "mission-control status --light red",
    "mission-control status ada@acme.example --wait 60",
    "mission-control status --all-accounts --light red --csv",
)
def status(
    session: Session,
    user: str | None,
    light: str | None,
    limit: int | None,
    offset: int,
    domain: str | None,
    of_account: bool,
) -> None:
    """Show the lights of all services, or of one user's, domain's or the account's own; of all accounts too.

    Marks: * green, provisioned; ~ orange, on its way; X red, error; - grey, not provisioned.
    """
    who = one_subject(user, domain, of_account)
    if session.all_accounts or session.csv or limit is not None or offset:
        if session.wait is not None:
            raise UsageError("--wait waits for all services of one account, not for a part.")
        _list(session, who, light, limit, offset)
        return

    async def work(scope: AccountScope) -> tuple[Sequence[AssignmentView], Mapping[str, Pause]]:
        from mission_control_tui.model.requests.connector_pauses import paused_connectors
        from mission_control_tui.model.services import lights
        from mission_control_tui.model.services.kept_settings import with_not_kept

        look = partial(lights.status, scope, user=who)
        if session.wait is None:
            found = await look(light=Light(light) if light else None)
        else:
            found = await waiting.until_settled(session, scope, look, session.wait)
        views = await with_not_kept(scope.store, found)
        waits = any(view.light is Light.ORANGE for view in views)
        return views, await paused_connectors(scope) if waits else {}

    views, paused = session.query(work)
    shown = [view for view in views if light is None or view.light == light]
    if not session.printed({"services": [results.service(view) for view in shown]}):
        _print(shown, paused)
    results.judge(session, views)


def _list(
    session: Session,
    who: str | SubjectKey | None,
    light: str | None,
    limit: int | None,
    offset: int,
) -> None:
    exported = session.csv or session.json
    most = SHOWN if limit is None and session.all_accounts and not exported else limit
    wanted = Light(light) if light else None
    # One more than is shown tells whether there are more.
    asked = None if most is None else most + 1
    found = session.survey(_lights, user=who, light=wanted, limit=asked, offset=offset)
    headings = ("Light", "For", "Service", "Level", "Now")
    results.tell_survey(
        *(session, "services", found, headings, _row, results.service),
        nothing="No services.",
        limit=most,
        offset=offset,
    )


async def _lights(reach: Reach, /, **options: Any) -> Sequence[AssignmentView]:
    from mission_control_tui.model.services import lights
    from mission_control_tui.model.services.kept_settings import with_not_kept

    return await with_not_kept(reach.store, await lights.status(reach, **options))


def _row(view: AssignmentView) -> tuple[str, ...]:
    service = f"{view.service_id} {view.instance}".rstrip()
    lost = f"not kept: {', '.join(view.not_kept)}" if view.not_kept else ""
    now = ", ".join(filter(None, (view.step, results.usage_words(view), _kept(view), lost)))
    drift = " (drift)" if view.drift else ""
    return waiting.light_of(view), view.subject, service, view.level_id, now + drift


def _kept(view: AssignmentView) -> str:
    return f"kept until {view.kept_until:%Y-%m-%d}" if view.kept_until else ""


def _shown_by(connector: str) -> str:
    return as_called(f"Connector {connector}: mission-control connectors show {connector}")


def _print(views: Sequence[AssignmentView], paused: Mapping[str, Pause]) -> None:
    if not views:
        say("No services.")
        return
    table(["Light", "For", "Service", "Level", "Now"], [_row(view) for view in views])
    for view in views:
        if view.error_said:
            line("")
            line(f"{view.subject} {waiting.name_of(view)}: {view.error_said}")
            if view.error_remedy:
                line(f"  {view.error_remedy}")
            line(f"  {_shown_by(view.connector)}")
    waiting_for = {view.connector for view in views if view.light is Light.ORANGE}
    for name in sorted(waiting_for & paused.keys()):
        line("")
        for words in paused[name].lines:
            line(words)
        line(f"  {_shown_by(name)}")
    counts = Counter(view.light for view in views)
    say(
        ", ".join(f"{counts[light]} {light}" for light in _MOST_URGENT_FIRST if counts[light]) + "."
    )
