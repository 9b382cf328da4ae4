"""`--look`: the back ends' own plan of what a command would wish, change by change, and summed up over many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING

from mission_control_tui.cli.common import planned
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import NotAllLookedAt, Problem, WouldFail
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.provisioning.drift import SurveyGap
    from mission_control_tui.provisioning.looks import LookReport, Seen

SHOWN = 20
"""Services whose changes are shown as text; JSON has all."""


def look(
    session: Session, trying: Callable[[AccountScope], Awaitable[Collection[str]]]
) -> LookReport:
    """Try a change, and ask the back ends about all that it would wish; tell it. Raises WouldFail, NotAllLookedAt.

    `trying` makes its dry runs in the scope that it gets and returns the services that it is about, whether they change
    or not.
    """

    async def work(scope: AccountScope) -> LookReport:
        from mission_control_tui.model.requests.look_targets import LookTargets
        from mission_control_tui.provisioning.backends import Backends
        from mission_control_tui.provisioning.looks import look_at

        targets = LookTargets()
        about = await trying(targets.scope(scope))
        await targets.add_present(scope, about)
        backends = Backends(session.settings, scope.store.installation)
        try:
            return await look_at(backends, targets.found.values())
        finally:
            await backends.close()

    report = session.query(work)
    if not session.printed(_document(report)):
        _print(report)
    _judge(report)
    return report


def _document(report: LookReport) -> dict[str, object]:
    return {
        "applied": False,
        "looked": len(report.seen),
        "agreeing": report.agreeing,
        "summary": planned.counts(report.counts),
        "services": [
            {
                **attributes(one.target.told, "subject", "instance", "connector"),
                "service": one.target.told.service_id,
                "login": one.target.told.backend_name,
                "adopt": one.target.adopt,
                **planned.changes(one.planned),
                "refused": _refused(one) if one.reason else None,
            }
            for one in report.seen
        ],
        "not_looked_at": gaps(report.not_looked_at),
    }


def _refused(one: Seen) -> dict[str, object]:
    return {"reason": one.reason, "remedy": as_called(one.remedy)}


def gaps(found: Iterable[SurveyGap]) -> list[dict[str, object]]:
    """Return as JSON what was not looked at."""
    return [{**attributes(gap), "remedy": as_called(gap.remedy)} for gap in found]


def _print(report: LookReport) -> None:
    many = len(report.seen) > 1
    if many:
        line(
            f"{len(report.seen)} looked at: {len(report.refused)} would be refused, {report.agreeing} agree already."
        )
        planned.print_counts(report.counts)
    shown = sorted(report.seen, key=_urgency)
    for one in shown[:SHOWN]:
        if many and not one.reason and not one.planned.count:
            continue
        _print_one(one)
    if len(shown) > SHOWN:
        say(f"And {len(shown) - SHOWN} more (all with --json).")
    tell_gaps(report.not_looked_at)
    if not (report.seen or report.not_looked_at):
        line("Nothing to look at: no service is asked for.")
    say("Only looked: nothing was changed, here or at a back end.")


def tell_gaps(gaps: Iterable[SurveyGap]) -> None:
    """Tell which connectors were not asked, why, and what to do."""
    for missed in gaps:
        count = f"{counted(missed.services, 'service')} not looked at: " if missed.services else ""
        say(f"{missed.connector}: {count}{value_text(missed.said)}")
        if missed.remedy:
            say(f"  {value_text(missed.remedy)}")


def _urgency(one: Seen) -> int:
    """Return what comes first: what is refused, then what takes something away, what agrees last."""
    if one.reason:
        return 0
    if any(change.takes_away for change in one.planned.changes):
        return 1
    return 2 if one.planned.count else 3


def _print_one(one: Seen) -> None:
    told = one.target.told
    instance = f" {told.instance}" if told.instance else ""
    line(f"{told.subject} {told.service}{instance} ({told.backend_name} at {told.connector})")
    if one.reason:
        line(f"    would be refused: {value_text(one.reason)}")
        if one.remedy:
            line(f"    {value_text(as_called(one.remedy))}")
    elif not one.planned.count:
        line("    agrees already")
    else:
        for words in one.planned.lines:
            line(f"    {words}")


def _judge(report: LookReport) -> None:
    if report.refused:
        count = len(report.refused)
        raise WouldFail(
            f"{counted(count, 'service')} would be refused by the back end.",
            problems=[Problem(one.target.told.subject, one.reason) for one in report.refused],
            hint=report.refused[0].remedy,
        )
    if report.not_looked_at:
        raise NotAllLookedAt(
            "Some services could not be looked at.",
            problems=[Problem(missed.connector, missed.said) for missed in report.not_looked_at],
            hint="A look asks from this machine; `mission-control connectors check` says what is reached from it.",
        )
