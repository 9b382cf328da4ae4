"""`drift`: where back ends differ from what was provisioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.options import changes
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import DriftFound, NotAllLookedAt, Problem
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.provisioning.drift import Difference, DriftReport


@click.command()
@argument("user", required=False)
@option("--service", metavar="SERVICE", help="Only one service, by name or id.")
@option("--orphans", is_flag=True, help="Also list objects of ours that no service knows.")
@changes("mission-control drift", "mission-control drift ada@acme.example --orphans")
def drift(session: Session, **about: Any) -> None:
    """Look at every green service, or one user's, and show where its back end differs.

    Nothing is written there. What differs is flagged, unless read-only, and keeps its light; provision it again to put
    it right. Exit code 13 where anything differs or is an orphan, 14 where something could not be looked at and
    nothing else differs.
    """

    async def work(scope: AccountScope) -> DriftReport:
        from mission_control_tui.provisioning.backends import Backends
        from mission_control_tui.provisioning.drift import survey

        backends = Backends(session.settings, scope.store.installation)
        try:
            worker = session.settings.worker
            return await survey(scope, backends, worker, **about, dry_run=session.dry_run)
        finally:
            await backends.close()

    report = session.query(work)
    applied = not session.dry_run and session.caller.may_write
    if not session.printed(_document(report, applied=applied)):
        _print(report)
    _judge(report)


def _document(report: DriftReport, *, applied: bool) -> dict[str, object]:
    return {
        "applied": applied,
        "looked": report.looked,
        "drifted": [
            {
                **attributes(difference.assignment, "subject", service="service_id"),
                **attributes(difference.assignment, "instance", "connector", login="backend_name"),
                **attributes(difference.assignment, assignment="assignment_id"),
                "differs": [
                    attributes(change, "what", back_end_has="before", wished="after")
                    for change in difference.changes
                ],
                "reason": difference.reason or None,
                "remedy": difference.remedy or None,
            }
            for difference in report.differing
        ],
        "not_looked_at": report.not_looked_at,
        "orphans": report.orphans,
        "flags": {"set": report.found, "cleared": report.gone},
    }


def _print(report: DriftReport) -> None:
    for difference in report.differing:
        line(_title(difference))
        if difference.reason:
            line(f"    {value_text(difference.reason)}")
        for change in difference.changes:
            line(f"    {change.what}: {value_text(change.before)} -> {value_text(change.after)}")
    for stray in report.orphans:
        level = f", {stray.level}" if stray.level else ""
        line(f"orphan {value_text(stray.name)} at {stray.connector}: {stray.state}{level}")
    for missed in report.not_looked_at:
        count = f"{missed.services} service{'s' * (missed.services != 1)} not looked at: "
        say(f"{missed.connector}: {count * bool(missed.services)}{value_text(missed.said)}")
        if missed.remedy:
            say(f"  {value_text(missed.remedy)}")
    say(
        f"{report.looked} looked at, {len(report.differing)} differ; "
        f"flags: {report.found} set, {report.gone} cleared."
    )


def _title(difference: Difference) -> str:
    assigned = difference.assignment
    instance = f" {assigned.instance}" if assigned.instance else ""
    return f"{assigned.subject} {assigned.service}{instance} ({assigned.backend_name})"


def _judge(report: DriftReport) -> None:
    if report.differing or report.orphans:
        counts = [
            f"{count} {what}{'s' * (count != 1)}"
            for count, what in ((len(report.differing), "service"), (len(report.orphans), "orphan"))
            if count
        ]
        raise DriftFound(
            f"Found at the back ends: {' and '.join(counts)} that should not be so.",
            hint="Provision a service again to put it right; an orphan is removed by hand.",
        )
    if report.not_looked_at:
        raise NotAllLookedAt(
            "Some services could not be looked at; the others agree.",
            problems=[Problem(missed.connector, missed.said) for missed in report.not_looked_at],
            hint="`mission-control doctor` checks every connector.",
        )
