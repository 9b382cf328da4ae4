"""`drift`: where back ends differ from what was provisioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.options import changes, spans
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import names_subject, one_subject
from mission_control_tui.model.errors import DriftFound, NotAllLookedAt, Problem, UsageError
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.provisioning.drift import Difference, DriftReport


@click.command()
@argument("user", required=False)
@option("--service", metavar="SERVICE", help="Only one service, by name or id.")
@names_subject
@option("--orphans", is_flag=True, help="Also list objects of ours that no service knows.")
@spans
@changes(
    "mission-control drift",
    "mission-control drift ada@acme.example --orphans",
    "mission-control drift --domain acme.example",
    "mission-control drift --all-accounts",
)
def drift(
    session: Session, user: str | None, domain: str | None, of_account: bool, **about: Any
) -> None:
    """Look at every green service, or one subject's, and show where its back end differs; of all accounts too.

    Nothing is written there. What differs is flagged, unless read-only, and keeps its light; provision it again to put
    it right. Exit code 13 where anything differs or is an orphan, 14 where something could not be looked at and
    nothing else differs.
    """

    about["user"] = one_subject(user, domain, of_account)
    if session.all_accounts and about["user"] is not None:
        raise UsageError("One subject is of one account.", hint="Name it: --account CODE.")

    async def work(store: Store) -> dict[str, DriftReport]:
        from mission_control_tui.model.accounts.editing import list_accounts
        from mission_control_tui.provisioning.backends import Backends
        from mission_control_tui.provisioning.drift import survey

        backends = Backends(session.settings, store.installation)
        scopes = (
            {"": await session.scope(store)}
            if not session.all_accounts
            else {
                account.code: session.scope_of(store, account.id)
                for account in await list_accounts(store, session.caller)
            }
        )
        reports = {}
        try:
            for code, scope in scopes.items():
                reports[code] = await survey(scope, backends, **about, dry_run=session.dry_run)
                about["orphans"] = False  # those of the installation, found with the first account
        finally:
            await backends.close()
        return reports

    reports = session.run(work)
    applied = not session.dry_run and session.caller.may_write
    documents = {code: _document(report, applied=applied) for code, report in reports.items()}
    shown = [{"account": code, **document} for code, document in documents.items()]
    if not session.printed({"accounts": shown} if session.all_accounts else documents[""]):
        for code, report in reports.items():
            _print(report, code)
    _judge(_together(list(reports.values())))


def _together(reports: Sequence[DriftReport]) -> DriftReport:
    """Return the reports of several accounts as one."""
    first = reports[0]
    for report in reports[1:]:
        first = replace(
            first,
            looked=first.looked + report.looked,
            differing=(*first.differing, *report.differing),
            not_looked_at=(*first.not_looked_at, *report.not_looked_at),
            orphans=(*first.orphans, *report.orphans),
            found=first.found + report.found,
            gone=first.gone + report.gone,
        )
    return first


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


def _print(report: DriftReport, account: str) -> None:
    """Print what one account's services say; of all accounts `account` stands before each."""
    before = f"{account}  " if account else ""
    if account and not (report.looked or report.not_looked_at or report.orphans):
        return
    for difference in report.differing:
        line(before + _title(difference))
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
        f"{before}{report.looked} looked at, {len(report.differing)} differ; "
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
