"""`backup` and `restore`: the whole installation in one file, and back."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import options
from mission_control_tui.cli.common.output import line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import StoreError, UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@argument("file", type=FILE)
@option("--without-key", is_flag=True, help="Leave the worker's key out of it.")
@options.reads("mission-control backup /srv/backups/mission-control-monday")
def backup(session: Session, file: Path, without_key: bool) -> None:
    """Back the whole installation up into a new file, while workers and consoles go on.

    What back ends hold and the settings file are not in it. With the worker's key, which is in it where it can be read
    here, whoever has the file can open passwords that were not delivered yet: it is readable by you alone.
    """
    from mission_control_tui.model.installation.backup import back_up
    from mission_control_tui.model.store.engine import database_url

    key = None if without_key else _key_file(session, database_url(session.where))
    made = session.run(
        lambda store: back_up(store, file.expanduser().absolute(), key), create=False, sample=False
    )
    about = made.manifest
    if session.printed({"file": made.path, "key": made.has_key, "manifest": about}):
        return
    line(f"Backup    {made.path}")
    line(f"Of        {about.database}, schema {about.schema}, epoch {about.epoch}")
    line(f"Key       {'in it' if made.has_key else 'not in it: keep the key file beside it'}")


@click.command()
@argument("file", type=FILE, required=False)
@option(
    "--new-epoch",
    is_flag=True,
    help="Without FILE: this database was put back by other means, and counts.",
)
@option("--while-running", is_flag=True, help="Although workers or consoles run.")
@options.destroys(
    "mission-control restore /srv/backups/mission-control-monday --dry-run",
    "mission-control restore --new-epoch",
)
def restore(session: Session, file: Path | None, new_epoch: bool, while_running: bool) -> None:
    """Put a backup in the place of the database. What is there now is kept aside.

    The restored installation counts its wishes in a new epoch: back ends take them for newer than what they hold, and
    refuse workers that still have the database from before.
    """
    session.caller.require_write()
    if new_epoch == (file is not None):
        raise UsageError("Name a backup, or say --new-epoch without one.")
    if file is None:
        _count_anew(session)
        return
    from mission_control_tui.model.installation import backup as model
    from mission_control_tui.model.store.engine import database_url, display_url

    url = database_url(session.where)
    source = file.expanduser().absolute()
    session.confirm(
        f"Put {source} in the place of {display_url(url)}? What was changed since is not in it."
    )
    done = asyncio.run(
        model.restore(
            url,
            session.caller,
            source,
            _key_file(session, url),
            lease_seconds=session.settings.worker.lease_seconds,
            while_running=while_running,
            dry_run=session.dry_run,
        )
    )
    about = done.manifest
    told = {
        "applied": not session.dry_run,
        "epoch": done.epoch,
        "aside": done.aside,
        "key": done.key,
    }
    if session.printed({**told, "manifest": about}):
        return
    line(f"Restored  {about.made_at}, schema {about.schema}")
    line(f"Before    {done.aside or 'nothing was there'}")
    line(f"Epoch     {done.epoch}")
    line(f"Key       {done.key}")
    if session.dry_run:
        say("Nothing was changed: this is what would be done.")
    elif about.database == "postgresql":
        say("Next: mission-control upgrade, and start the workers.")


def _count_anew(session: Session) -> None:
    from mission_control_tui.model.installation.backup import say_that_it_counts

    session.confirm("Go on in a new epoch? Workers with another copy of this database are refused.")
    epoch = session.run(
        lambda store: say_that_it_counts(store, session.caller, dry_run=session.dry_run),
        create=False,
        sample=False,
    )
    if not session.printed({"applied": not session.dry_run, "epoch": epoch}):
        line(f"Epoch     {epoch}")


def _key_file(session: Session, url: URL) -> Path | None:
    from mission_control_tui.model.store.upgrade import key_path

    with contextlib.suppress(StoreError):  # PostgreSQL has the key where its workers run
        return key_path(url, session.settings.worker.key_file)
    return None
