"""`adopt`: bringing in what a back end has already, by a file that is looked through between two steps."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import waiting
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import destroys, reads, spans, waits
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import ImportIncomplete, InvalidInput, UsageError
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow
    from mission_control_tui.model.requests.orphans import OrphanRemovals
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView
    from mission_control_tui.provisioning.adoption import ScanResult
    from mission_control_tui.provisioning.adoption_load import LoadedRow, LoadResult
    from mission_control_tui.provisioning.orphans import SeenOrphan

SHOWN = 20
"""Rows of a kind that are told one by one; JSON has all of them."""


@click.group()
def adopt() -> None:
    """What back ends have already: scan it, then load what is to be brought in, remove what nobody knows."""


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
    lacks its domain. Of a composite all parts are listed: what they have by one name is one row, which names the parts
    that lack it.
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
            say(
                f"{found.others} more are of other connectors' services, or groups or other things not brought in."
            )


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


@adopt.command()
@argument("connector")
@argument("names", nargs=-1, metavar="[NAME]...")
@option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Those whose Action is remove in the edited file of a scan.",
)
@option("--service", metavar="SERVICE", help="Only of one service, by name or id.")
@waits
@destroys(
    "mission-control adopt remove mail --dry-run",
    "mission-control adopt remove mail old001 old002 --yes --ticket T-310",
    "mission-control adopt remove mail --from mailboxes.csv",
)
def remove(
    session: Session,
    connector: str,
    names: tuple[str, ...],
    file: Path | None,
    service: str | None,
) -> None:
    """Remove orphans at CONNECTOR with their data, all or by native name: objects of ours that no service knows.

    Each is looked at, and shown with what it keeps, before it is asked. The removals are requests of the account: they
    wait in observe mode, more of them than the limit of removals wait until they are allowed, and nothing but the very
    object that was listed is removed. To take an orphan over instead, write adopt as its Action and load the file.
    Orphans of a composite are removed at the connector of each part.
    """
    from mission_control_tui.model.requests.orphans import SLICE, remove_orphans

    session.caller.require_write()
    wanted = [*names, *(_removed_by(file, connector) if file is not None else ())]
    if file is not None and not wanted:
        raise UsageError(f"{file} has no row of {connector} whose Action is remove.")

    async def look(scope: AccountScope) -> tuple[SeenOrphan, ...]:
        from mission_control_tui.provisioning.backends import Backends
        from mission_control_tui.provisioning.orphans import look_at_orphans

        backends = Backends(session.settings, scope.store.installation)
        try:
            return await look_at_orphans(
                scope.store,
                scope.caller,
                backends,
                connector,
                session.settings,
                names=wanted,
                service=service,
            )
        finally:
            await backends.close()

    seen = session.query(look)
    going = [one.found for one in seen if not one.refused]
    if not session.json:
        _print_orphans(connector, seen)
    if going:
        session.confirm(
            f"Remove {counted(len(going), 'orphan')} at {connector} with all that {_they(going)}?"
        )

    async def write(scope: AccountScope) -> tuple[_Removed, tuple[AssignmentView, ...]]:
        done = _Removed({one.found.name: one.refused for one in seen if one.refused})
        for start in range(0, len(going), SLICE):
            part = going[start : start + SLICE]
            outcome = await remove_orphans(scope, part, dry_run=session.dry_run)
            done.add(outcome.result, outcome.plan.requests)
        if session.dry_run or not done.requests:
            return done, ()
        await waiting.wake(session, scope.store)
        if session.wait is None:
            return done, ()
        look = waiting.look_at(scope, done.assignments)
        return done, await waiting.until_settled(session, scope, look, session.wait)

    removed, lights = session.query(write)
    document = {
        "applied": not session.dry_run,
        "orphans": [_orphan(one, removed) for one in seen],
        "requests": removed.requests,
    }
    if not session.printed(document):
        for name, why in removed.refused.items():
            line(value_text(f"{name}: left, {why}"))
        if removed.under_way:
            say(f"{counted(len(removed.under_way), 'removal')} on the way already.")
        asked = counted(len(removed.asked), "removal")
        say(f"{asked} {'would be asked for' if session.dry_run else 'asked for'}.")
    if session.wait is not None and lights:
        waiting.judge(lights, session.wait)


@dataclass
class _Removed:
    """What became of all slices."""

    refused: dict[str, str]
    asked: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    assignments: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    def add(self, result: OrphanRemovals, requests: Iterable[int]) -> None:
        self.refused |= result.refused
        self.asked += result.asked
        self.under_way += result.under_way
        self.assignments += result.assignments
        self.requests += requests


def _they(going: Sequence[object]) -> str:
    return "it has" if len(going) == 1 else "they have"


def _removed_by(file: Path, connector: str) -> list[str]:
    """Return the native names of a file's rows that are to be removed. Raises InvalidInput for what cannot be."""
    from mission_control_tui.model.onboarding.files.adoption_rows import RowAction, Whose, read_rows
    from mission_control_tui.model.onboarding.files.read import contents, streamed

    data = streamed(sys.stdin.buffer) if str(file) == "-" else contents(file)
    rows = [row for row in read_rows(data) if row.action is RowAction.REMOVE]
    problems = [
        row.at("Action", f"{row.name} is {row.whose}: only an orphan is removed", "leave it")
        for row in rows
        if row.whose != Whose.ORPHAN
    ]
    problems += [problem for row in rows for problem in row.problems]
    if problems:
        raise InvalidInput("The file cannot be followed. Nothing was changed.", problems=problems)
    return [row.name for row in rows if row.connector == connector]


def _orphan(one: SeenOrphan, removed: _Removed) -> dict[str, object]:
    name = one.found.name
    verdict = "asked" if name in removed.asked else "left"
    return {
        "name": name,
        **attributes(one.found, "service", "external_id", mark="key"),
        **attributes(one, "state", "level", "keeps", "steps"),
        "verdict": "under way" if name in removed.under_way else verdict,
        "reason": removed.refused.get(name) or None,
        "remedy": as_called(one.remedy) or None,
    }


def _print_orphans(connector: str, seen: Sequence[SeenOrphan]) -> None:
    if not seen:
        line(f"{connector} has no orphans.")
    for one in [each for each in seen if not each.refused][:SHOWN]:
        about = ", ".join(filter(None, (one.found.service, one.level, str(one.state))))
        kept = f"; lost: {', '.join(one.keeps)}" if one.keeps else ""
        line(value_text(f"{one.found.name}: {about}{kept}"))
    more = sum(not each.refused for each in seen) - SHOWN
    if more > 0:
        line(f"... and {more} more")


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
