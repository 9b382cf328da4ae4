"""`users import`: what a file would do, or did, with every reason why a row was refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import looking, passwords, results
from mission_control_tui.cli.common.options import Pair, Pairs, destroys, looks, pairs, waits
from mission_control_tui.cli.common.output import attributes, line, print_plan, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.progress import Progress
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import Conflict, ImportIncomplete
from mission_control_tui.model.plan import Plan, PlanVerb
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import value_text

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.file_import import ImportResult, RejectedRow
    from mission_control_tui.model.onboarding.files.read import ImportFile
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView, RevealedPassword

LOSSES_NAMED = 5
"""What shrinks or goes that a question names; the others are counted."""


@click.command("import")
@argument("file", type=click.Path(path_type=Path), metavar="FILE")
@option("--update", is_flag=True, help="Change users who exist to what the file states.")
@passwords.passwords_out
@option(
    "--rejects-out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the refused rows go, with the reason; FILE-refused.csv beside FILE otherwise.",
)
@option(
    "--encoding",
    default="",
    metavar="NAME",
    help="Of the text, as windows-1250; else it is guessed.",
)
@pairs(
    *(("--map", "mapping"), "HEADING=FIELD", "What a column stands for; may be repeated."),
    Pair("--map {} is not HEADING=FIELD.", 'Write --map "Mail=UPN".'),
)
@looks
@waits
@destroys(
    "mission-control users import users.csv --passwords-out passwords.csv",
    'mission-control users import staff.xlsx --map "Mail=UPN" --update --dry-run',
)
def import_file(
    session: Session,
    file: Path,
    update: bool,
    rejects_out: Path | None,
    encoding: str,
    mapping: Pairs,
) -> None:
    """Create and update users from FILE ("-" is standard input).

    FILE is a CSV or an Excel workbook as Microsoft 365 (also in German, French, Spanish, Italian,
    Portuguese, Dutch), Entra ID, Active Directory, Google Workspace and GAM write it, or our own.
    Good rows are imported, all others listed with what is wrong and written to a file to be corrected.
    Users who exist change only with --update, their services to the levels of the file too.
    Passwords come from the file or are generated. The dry run shows names as they were understood.
    With --look the back ends are asked what the services of the file would change there.
    """
    if rejects_out is not None:
        _refuse_existing_rejects(rejects_out)
    progress = Progress()
    with progress:
        users = _read(file, progress, encoding, dict(mapping))
    for notice in users.notices:
        say(f"Note: {notice}")
    if session.look:
        _look(session, users, update, progress)
        return

    async def work(
        scope: AccountScope,
    ) -> tuple[Outcome[ImportResult], tuple[AssignmentView, ...]]:
        outcome = await _import(scope, session, users, update, progress)
        return outcome, await results.follow(session, scope, outcome, ())

    outcome, lights = session.query(work)
    rejects = None
    if outcome.applied and outcome.result.refused:
        rejects = _write_refused(file, users, outcome.result.refused, rejects_out)
    document = _json(users, outcome, rejects) | results.waited_for(session, lights)
    if not session.printed(document):
        _print(users, outcome, update=update)
    for warning in outcome.result.warnings:
        say(f"Warning: {warning}")
    results.judge(session, lights)
    _finish(outcome, rejects)


def _read(path: Path, progress: Progress, encoding: str, mapping: Mapping[str, str]) -> ImportFile:
    from mission_control_tui.model.onboarding.files.read import read_users, streamed

    report = progress.reporter("Reading")
    if str(path) != "-":
        return read_users(path, progress=report, encoding=encoding, mapping=mapping)
    return read_users(
        streamed(sys.stdin.buffer),
        source="standard input",
        progress=report,
        encoding=encoding,
        mapping=mapping,
    )


async def _import(
    scope: AccountScope, session: Session, users: ImportFile, update: bool, progress: Progress
) -> Outcome[ImportResult]:
    from mission_control_tui.model.onboarding.file_import import Passwords, run_import

    source = Passwords.FILE
    chosen = session.passwords_out
    written: passwords.PasswordFile | None = None
    if chosen is not None:
        try:
            passwords.refuse_existing(chosen)
        except Conflict:
            # The same import again has nobody to make a password for, and the file of the first stays.
            tried = await run_import(scope, users, passwords=Passwords.GENERATE, dry_run=True)
            if tried.result.created:
                raise
        else:
            source = Passwords.GENERATE
            if not session.dry_run:
                written = session.resources.enter_context(passwords.reserved(chosen))

    def keep(made: Sequence[RevealedPassword]) -> None:
        if written is not None:
            gives = any(row.gives for row in users.rows)
            written.keep(made, passwords.OF_SERVICES if gives else passwords.OF_USERS)

    if update and not session.dry_run and any(row.gives for row in users.rows):
        # Another level may take away what somebody has: that is asked before, as for one user.
        tried = await run_import(scope, users, update=True, passwords=source, dry_run=True)
        session.confirm_losses(
            f"Import {users.source}?", replace(tried.plan, lost=_few(tried.plan.lost))
        )
    with progress:
        outcome = await run_import(
            scope,
            users,
            update=update,
            passwords=source,
            keep=keep,
            dry_run=session.dry_run,
            progress=progress.reporter("Importing" if not session.dry_run else "Checking"),
        )
    if written is not None and outcome.result.passwords:
        count = len(outcome.result.passwords)
        say(f"{counted(count, 'generated password')} written to {chosen}.")
    return outcome


def _look(session: Session, users: ImportFile, update: bool, progress: Progress) -> None:
    """Ask the back ends what the services of the good rows would change there."""

    async def tried(scope: AccountScope) -> tuple[str, ...]:
        outcome = await _import(scope, session, users, update, progress)
        if refused := len(outcome.result.refused):
            say(f"{refused} rows would be refused here: --dry-run says why.")
        return ()

    looking.look(session, tried)


def _few(lost: Sequence[str]) -> tuple[str, ...]:
    more = len(lost) - LOSSES_NAMED
    return (*lost[:LOSSES_NAMED], *((f"and {more} more",) if more > 0 else ()))


def _print(users: ImportFile, outcome: Outcome[ImportResult], *, update: bool) -> None:
    result = outcome.result
    would = "" if outcome.applied else "would be "
    counts = [
        f"{len(result.created)} {would}created",
        f"{result.changed} {would}changed",
        f"{result.unchanged} unchanged",
    ]
    left = len(result.differing) - result.changed
    counts += [f"{left} different and left alone"] if left else []
    counts += [f"{len(result.refused)} {would}refused"] if result.refused else []
    line(
        f"{result.source}: {counted(result.rows, 'user')} in {users.format.name}, {users.encoding}."
    )
    line(f"{', '.join(counts)}.")
    changed = [row for row in outcome.plan.lines if row.verb is PlanVerb.CHANGED]
    created = [row for row in outcome.plan.lines if row.verb is PlanVerb.CREATED]
    lines = (*created, *changed)
    print_plan(Plan(lines=lines, seats=outcome.plan.seats, warnings=outcome.plan.warnings))
    if outcome.plan.lost and not outcome.applied:
        say(f"Lost: {'; '.join(_few(outcome.plan.lost))}.")
    if not update:
        for row in result.differing:
            line(f"{'differs':<9}  user  {row.upn} (row {row.row})")
            for name, after in row.after.items():
                before = value_text(row.before.get(name))
                line(f"{'':<11}{name.replace('_', ' ')}: {before} -> {value_text(after)}")
        if result.differing:
            say("To change those that differ, add --update.")
    if not (result.created or result.differing or result.refused):
        line("Nothing to do: everything is so already.")
    if not outcome.applied:
        _print_understood(users)
        say("Dry run: nothing was changed.")


def _print_understood(users: ImportFile) -> None:
    """Print the first rows and those with other letters than ASCII, as they were understood."""
    from mission_control_tui.model.onboarding.files.preview import preview_rows

    for number, shown in enumerate(preview_rows(users)):
        if not number:
            line("As understood (the first rows, and all with other letters than a to z):")
        values = (f"{name.replace('_', ' ')}: {value}" for name, value in shown.fields.items())
        line(f"  row {shown.row}  {'; '.join(values)}")


def _json(
    users: ImportFile, outcome: Outcome[ImportResult], rejects: Path | None
) -> dict[str, object]:
    from mission_control_tui.model.onboarding.files.preview import preview_rows

    result = outcome.result
    return {
        "applied": outcome.applied,
        "source": result.source,
        "format": users.format.name,
        "encoding": users.encoding,
        "rows": result.rows,
        "created": result.created,
        "changed": [row for row in result.differing if row.changed],
        "differing": [row for row in result.differing if not row.changed],
        "unchanged": result.unchanged,
        "refused": [
            {"row": bad.row.row, "upn": bad.row.fields.get("upn"), "problems": bad.problems}
            for bad in result.refused
        ],
        **attributes(result, "missing_domains", "warnings"),
        "notices": users.notices,
        "plan_warnings": outcome.plan.warnings,
        "refused_file": None if rejects is None else str(rejects),
        "requests": outcome.plan.requests,
        "understood": [] if outcome.applied else list(preview_rows(users)),
    }


def _finish(outcome: Outcome[ImportResult], rejects: Path | None) -> None:
    """Raise ImportIncomplete with every problem when rows were refused."""
    result = outcome.result
    many = len(result.refused)
    if not many:
        return
    were = "would be" if not outcome.applied else "was" if many == 1 else "were"
    raise ImportIncomplete(
        f"{counted(many, 'row')} {were} refused.",
        problems=result.problems,
        hint=f"They are in {rejects}: correct them there, and import that file." if rejects else "",
    )


def _refuse_existing_rejects(path: Path) -> None:
    """Raise Conflict when the named file is there already, before anything is imported."""
    if os.path.lexists(path):
        raise Conflict(
            f"{path} exists already and is not overwritten. Nothing was imported.",
            hint="Name another file with --rejects-out.",
        )


def _write_refused(
    source: Path, file: ImportFile, refused: Sequence[RejectedRow], chosen: Path | None
) -> Path | None:
    """Write the rows with their reasons; returns where, or None after saying why that was not possible."""
    from mission_control_tui.model.onboarding.files.write import bad_rows_csv
    from mission_control_tui.model.store.private_files import make

    rows = bad_rows_csv(file, [(rejected.row, rejected.problems) for rejected in refused])
    for path in [chosen] if chosen is not None else _reject_names(source):
        try:
            make(path, rows.encoded(), 0o600 if rows.secret else 0o666)
        except FileExistsError:
            continue
        except OSError as error:
            say(f"The refused rows could not be written to {path}: {error.strerror}.")
            return None
        return path
    say(f"The refused rows could not be written to {chosen}: it exists already.")
    return None


def _reject_names(source: Path) -> Iterator[Path]:
    """Yield users-refused.csv, then users-refused-2.csv and so on; the rows of a corrected file keep its name."""
    named = Path("users.csv") if str(source) == "-" else source
    stem = named.stem.removesuffix("-refused")
    yield named.with_name(f"{stem}-refused.csv")
    for number in count(2):
        yield named.with_name(f"{stem}-refused-{number}.csv")
