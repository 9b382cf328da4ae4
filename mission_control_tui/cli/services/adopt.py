"""`adopt`: bringing in what a back end has already, by a file that is looked through between two steps."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import waiting
from mission_control_tui.cli.common.options import destroys, reads, spans
from mission_control_tui.cli.common.output import line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import ImportIncomplete
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.provisioning.adoption import ScanResult
    from mission_control_tui.provisioning.adoption_load import LoadedRow, LoadResult

SHOWN = 20
"""Rows of a kind that are told one by one; JSON has all of them."""


@click.group()
def adopt() -> None:
    """What back ends have already: scan it, then load what is to be brought in."""


@adopt.command()
@argument("connector")
@option("--service", metavar="SERVICE", help="Only one service, by name or id.")
@spans
@reads(
    "mission-control adopt scan mail --all-accounts > mailboxes.csv",
    "mission-control adopt scan dns --service domain-registration",
)
def scan(session: Session, connector: str, service: str | None) -> None:
    """List what the back end of CONNECTOR has, as a CSV to be edited and loaded; nothing is written anywhere.

    Each row says whose the object is by its mark (ours, orphan, foreign, unmarked), whose it may be here, the level
    that fits its limits, what it keeps, and what taking it over would still change. Of one account only what is
    called by its domains is listed; with --all-accounts everything. An object is never guessed into an account that
    lacks its domain.
    """

    async def work(store: Store) -> ScanResult:
        from mission_control_tui.model.store.scope import AllAccounts
        from mission_control_tui.provisioning.adoption import scan as look
        from mission_control_tui.provisioning.backends import Backends

        reach = (
            AllAccounts(store, session.caller)
            if session.all_accounts
            else await session.scope(store)
        )
        backends = Backends(session.settings, store.installation)
        try:
            return await look(reach, backends, connector, session.settings, service=service)
        finally:
            await backends.close()

    found = session.run(work)
    if not session.printed(
        {
            "rows": [_document(row) for row in found.rows],
            "elsewhere": found.elsewhere,
            "others": found.others,
        }
    ):
        from mission_control_tui.model.onboarding.files.adoption_rows import write_rows

        click.echo(write_rows(found.rows), nl=False)
        counts = ", ".join(f"{count} {whose}" for whose, count in sorted(found.counts.items()))
        say(
            f"{len(found.rows)} listed{': ' * bool(counts)}{counts}. Look through it, then load it: adopt load FILE"
        )
        if found.elsewhere:
            say(
                f"{found.elsewhere} more are not called by domains of this account: --all-accounts lists them."
            )
        if found.others:
            say(f"{found.others} more are groups or other things that are not brought in.")


@adopt.command()
@argument("file", type=click.Path(path_type=Path), metavar="FILE")
@option(
    "--encoding", default="", metavar="NAME", help="Of the text, as windows-1250; else guessed."
)
@spans
@destroys(
    "mission-control adopt load mailboxes.csv --all-accounts",
    "mission-control adopt load mailboxes.csv --all-accounts --yes --ticket T-310",
)
def load(session: Session, file: Path, encoding: str) -> None:
    """Bring in the rows of FILE ("-" is standard input) whose Action is adopt or change; first without --yes, to look.

    Every object is looked at again. Without --yes the plan is shown, row by row and summed up, and nothing is written.
    With it users who are not here are created without a password, domains that no account has become the account's,
    and each service gets the name that the object has; no password is sent, then or later, until somebody resets it.
    A row with the Action adopt is refused where anything but the object's mark would change. The same file again
    leaves alone what is in.
    """
    from mission_control_tui.model.onboarding.files.adoption_rows import read_rows
    from mission_control_tui.model.onboarding.files.read import contents, streamed

    data = streamed(sys.stdin.buffer) if str(file) == "-" else contents(file)
    rows = read_rows(data, encoding=encoding)
    write = session.assume_yes and not session.dry_run

    async def work(store: Store) -> LoadResult:
        from mission_control_tui.model.store.account_rows import account_codes
        from mission_control_tui.provisioning.adoption_load import Loading
        from mission_control_tui.provisioning.backends import Backends

        session.caller.require_write()
        account = ""
        if not session.all_accounts:
            account_id = await session.account_id(store)
            async with store.read() as reading:
                account = (await account_codes(reading, [account_id]))[account_id]
        backends = Backends(session.settings, store.installation)
        try:
            loading = Loading(store, session.caller, backends, session.settings, account)
            result = await loading.run(rows, write=write)
        finally:
            await backends.close()
        if result.written and result.requests:
            await waiting.wake(session, store)
        return result

    result = session.run(work)
    if not session.printed(_loaded(result)):
        _print(result)
    refused = result.counts.get("refused", 0)
    if refused:
        were = "were" if result.written else "would be"
        raise ImportIncomplete(
            f"{refused} of {len(result.rows)} rows {were} refused.",
            problems=result.problems,
            hint="Correct them and load the file again: what is in already is left alone.",
        )


def _document(row: AdoptionRow) -> dict[str, object]:
    from dataclasses import asdict

    stated = asdict(row)
    del stated["row"], stated["problems"]
    return {**stated, "paid_until": row.paid_until and row.paid_until.isoformat()}


def _loaded(result: LoadResult) -> dict[str, object]:
    return {
        "applied": result.written,
        "counts": dict(result.counts),
        "changes": dict(result.changes),
        "rows": [_row(row) for row in result.rows],
        "warnings": result.warnings,
        "requests": result.requests,
    }


def _row(loaded: LoadedRow) -> dict[str, Any]:
    return {
        "row": loaded.row.row,
        "name": loaded.row.name,
        "account": loaded.row.account,
        "subject": loaded.row.subject,
        "verdict": loaded.verdict,
        "keeps": loaded.keeps,
        "differs": [
            {"what": change.what, "before": change.before, "after": change.after}
            for change in loaded.differences
        ],
        "problems": loaded.problems,
    }


def _print(result: LoadResult) -> None:
    would = "" if result.written else "would be "
    shown: dict[str, int] = {}
    for loaded in result.rows:
        shown[loaded.verdict] = shown.get(loaded.verdict, 0) + 1
        if loaded.verdict in ("left", "unchanged") or shown[loaded.verdict] > SHOWN:
            continue
        row = loaded.row
        kept = f", keeps {', '.join(loaded.keeps)}" if loaded.keeps else ""
        words = {
            "adopted": f"{would}brought in as it is{kept}",
            "changed": f"{would}brought in and changed",
        }
        verdict = words.get(loaded.verdict, f"{would}{loaded.verdict}")
        line(value_text(f"{row.name} -> {row.account} {row.subject} {row.level}: {verdict}"))
        for change in loaded.differences:
            line(f"    {change.what}: {value_text(change.before)} -> {value_text(change.after)}")
    for verdict, count in shown.items():
        if count > SHOWN and verdict not in ("left", "unchanged"):
            line(f"... and {count - SHOWN} more that {would or 'were '}{verdict}")
    counts = _counted(result.counts, would)
    line(f"{counts}.")
    if result.changes:
        line("Changed: " + ", ".join(f"{count} x {what}" for what, count in result.changes.items()))
    for warning in result.warnings:
        say(f"Note: {value_text(warning)}")
    if not result.written:
        say("Nothing was written. To bring it in, load the same file with --yes.")


def _counted(counts: Mapping[str, int], would: str) -> str:
    words = {
        "adopted": f"{would}brought in as they are",
        "changed": f"{would}brought in and changed",
        "unchanged": "in already",
        "left": "left",
        "refused": f"{would}refused",
    }
    return ", ".join(f"{counts.get(key, 0)} {said}" for key, said in words.items())
