"""`drift`: where back ends differ from what was provisioned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.looking import gaps, tell_gaps
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import changes, exports
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import tell_csv
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.subjects import names_subject, one_subject
from mission_control_tui.model.errors import DriftFound, NotAllLookedAt, Problem, UsageError
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.provisioning.drift import Difference, DriftReport


@click.command()
@argument("user", required=False)
@option("--service", metavar="SERVICE", help="Only one service, by name or id.")
@names_subject
@option("--orphans", is_flag=True, help="Also list objects of ours that no service knows.")
@exports
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

    session.require_one_format()
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
    whole = _together(reports.values())
    if session.csv:
        tell_csv(*_csv(reports, of_all=session.all_accounts))
        tell_gaps(whole.not_looked_at)
    elif not session.printed({"accounts": shown} if session.all_accounts else documents[""]):
        for code, report in reports.items():
            _print(report, code)
        if session.all_accounts and not _has_content(whole):
            say("Nothing was looked at: no account has a green service.")
    _judge(whole)


def _csv(
    reports: Mapping[str, DriftReport], *, of_all: bool
) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Return headings and rows: a line for each difference, and one for each orphan."""
    rows: list[Sequence[object]] = []
    for code, report in reports.items():
        account = (code,) if of_all else ()
        for difference in report.differing:
            one = difference.assignment
            about = (*account, one.subject, one.service_id, one.instance, one.connector)
            why = (difference.reason, as_called(difference.remedy))
            changes = difference.changes or (None,)
            rows += [
                (
                    *(*about, one.backend_name, change.words if change else ""),
                    *((_cell(change.before), _cell(change.after)) if change else ("", "")),
                    *why,
                )
                for change in changes
            ]
        # Orphans are of the installation, and of no account.
        rows += [
            (
                *("",) * (len(account) + 3),
                *(stray.connector, stray.name, "orphan", stray.state, "absent", "", ""),
            )
            for stray in report.orphans
        ]
    headings = ("Subject", "Service", "Instance", "Connector", "Login", "What", "Back end has")
    return (*("Account",) * of_all, *headings, "Wished", "Reason", "Remedy"), rows


def _cell(value: object) -> str:
    return "" if value is None else value_text(value)


def _has_content(report: DriftReport) -> bool:
    return bool(report.looked or report.not_looked_at or report.orphans)


def _together(reports: Iterable[DriftReport]) -> DriftReport:
    """Return the reports of several accounts as one."""
    from mission_control_tui.provisioning.drift import DriftReport

    whole = DriftReport(0, (), (), (), 0, 0)
    for report in reports:
        whole = replace(
            whole,
            looked=whole.looked + report.looked,
            differing=(*whole.differing, *report.differing),
            not_looked_at=(*whole.not_looked_at, *report.not_looked_at),
            orphans=(*whole.orphans, *report.orphans),
            found=whole.found + report.found,
            gone=whole.gone + report.gone,
        )
    return whole


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
                "remedy": as_called(difference.remedy) or None,
            }
            for difference in report.differing
        ],
        "not_looked_at": gaps(report.not_looked_at),
        "orphans": report.orphans,
        "flags": {"set": report.found, "cleared": report.gone},
    }


def _print(report: DriftReport, account: str) -> None:
    """Print what one account's services say; of all accounts `account` stands before each."""
    before = f"{account}  " if account else ""
    if account and not _has_content(report):
        return
    for difference in report.differing:
        line(before + _title(difference))
        if difference.reason:
            line(f"    {value_text(difference.reason)}")
        for change in difference.changes:
            line(f"    {change.words}: {value_text(change.before)} -> {value_text(change.after)}")
    for stray in report.orphans:
        level = f", {stray.level}" if stray.level else ""
        line(f"orphan {value_text(stray.name)} at {stray.connector}: {stray.state}{level}")
    tell_gaps(report.not_looked_at)
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
            counted(count, what)
            for count, what in ((len(report.differing), "service"), (len(report.orphans), "orphan"))
            if count
        ]
        raise DriftFound(
            f"Found at the back ends: {' and '.join(counts)} that should not be so.",
            hint="Provision a service again to put it right. An orphan: mission-control adopt remove CONNECTOR",
        )
    if report.not_looked_at:
        raise NotAllLookedAt(
            "Some services could not be looked at; the others agree.",
            problems=[Problem(missed.connector, missed.said) for missed in report.not_looked_at],
            hint="`mission-control doctor` checks every connector.",
        )
