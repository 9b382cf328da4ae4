"""`users export`: every field of every user, as a file that `users import` reads back."""

from __future__ import annotations

from pathlib import Path

import click

from mission_control_tui.cli.common.options import reads, spans
from mission_control_tui.cli.common.output import attributes, say
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.text.counting import counted


@click.command("export")
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file, which only you can read; standard output otherwise.",
)
@spans
@reads(
    "mission-control users export --out users.csv",
    "mission-control users export --all-accounts --out everybody.csv",
)
def export(session: Session, out: Path | None) -> None:
    """Write all users with every field and their aliases as CSV.

    Import the same file again, and nothing changes; import it into an empty account, and the same users
    are made. Passwords and services are not in it. --all-accounts puts the account's code into a first column, by
    which such a file is divided before it is imported.
    """
    from mission_control_tui.model.onboarding.export import all_as_csv, as_csv, export_all_users
    from mission_control_tui.model.store.private_files import write_at_once

    if out is not None and session.json:
        raise UsageError("Choose one of --out and --json.")
    survey = session.survey(export_all_users)
    found = [user.item for user in survey.views]
    document = [{**attributes(user.details), "aliases": user.aliases} for user in found]
    content = as_csv(found)
    if survey.codes is not None:
        codes = [survey.codes[user.account_id] for user in survey.views]
        document = [{"account": code, **user} for code, user in zip(codes, document, strict=True)]
        content = all_as_csv(zip(codes, found, strict=True))
    if session.printed({"users": document}):
        return
    if out is None:
        click.echo(content, nl=False)
        return
    write_at_once(out, content.encode("utf-8-sig"))
    say(f"{counted(len(found), 'user')} written to {out}.")
