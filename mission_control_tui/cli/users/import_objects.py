"""`objects import`: groups, contacts and shared mailboxes with their members from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.options import changes, waits
from mission_control_tui.cli.common.output import line, print_plan, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.progress import Progress
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import ImportIncomplete
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.files.object_rows import ObjectFileRow
    from mission_control_tui.model.onboarding.objects_import import ObjectsResult
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView


@click.command("import")
@argument("file", type=click.Path(path_type=Path), metavar="FILE")
@option("--kind", default="", metavar="KIND", help="Of rows that state none, by name or id.")
@option("--update", is_flag=True, help="Change objects that exist to what the file states.")
@option(
    "--encoding", default="", metavar="NAME", help="Of the text, as windows-1250; else guessed."
)
@waits
@changes(
    "mission-control objects import groups.csv --dry-run",
    "mission-control objects import partners.xlsx --kind mail-contact",
)
def import_file(session: Session, file: Path, kind: str, update: bool, encoding: str) -> None:
    """Make groups, contacts and shared mailboxes from FILE ("-" is standard input), with members.

    FILE is a CSV or an Excel workbook with the headings Kind, Name and Address; further headings are
    fields and roles, as `objects kinds` has them (Member, Owner, Who may send). Several members stand in
    one cell, with blanks, commas or semicolons between them. With --update members are added, none is taken out.
    """
    from mission_control_tui.model.onboarding.files.object_rows import read_objects
    from mission_control_tui.model.onboarding.files.read import contents, streamed

    data = streamed(sys.stdin.buffer) if str(file) == "-" else contents(file)
    rows = read_objects(data, encoding=encoding, kind=kind)
    outcome, lights = session.query(_import, session, rows, update)
    if not session.printed(_json(outcome) | results.waited_for(session, lights)):
        _print(outcome)
    results.judge(session, lights)
    refused = outcome.result.refused
    if refused:
        were = "would be" if not outcome.applied else "was" if len(refused) == 1 else "were"
        raise ImportIncomplete(
            f"{len(refused):,} of {counted(len(rows), 'row')} {were} refused.",
            problems=[problem for row in refused for problem in row.problems],
            hint="Correct them and import the file again: what is there already is left alone.",
        )


async def _import(
    scope: AccountScope, session: Session, rows: tuple[ObjectFileRow, ...], update: bool
) -> tuple[Outcome[ObjectsResult], tuple[AssignmentView, ...]]:
    from mission_control_tui.model.onboarding.objects_import import import_objects

    progress = Progress()
    with progress:
        outcome = await import_objects(
            scope,
            rows,
            update=update,
            dry_run=session.dry_run,
            progress=progress.reporter("Importing" if not session.dry_run else "Checking"),
        )
    return outcome, await results.follow(session, scope, outcome, ())


def _print(outcome: Outcome[ObjectsResult]) -> None:
    result = outcome.result
    would = "" if outcome.applied else "would be "
    line(
        f"{len(result.created)} {would}created, {len(result.changed)} {would}changed, "
        f"{len(result.unchanged)} unchanged, {len(result.left_alone)} different and left alone, "
        f"{len(result.refused)} {would}refused."
    )
    print_plan(outcome.plan)
    if result.left_alone:
        say(f"Different: {', '.join(result.left_alone)}. To change them, add --update.")
    if not outcome.applied:
        say("Dry run: nothing was changed.")


def _json(outcome: Outcome[ObjectsResult]) -> dict[str, object]:
    result = outcome.result
    return {
        "applied": outcome.applied,
        "created": result.created,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "different": result.left_alone,
        "refused": result.refused,
        "requests": outcome.plan.requests,
    }
