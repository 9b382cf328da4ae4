"""Passwords on their way in and out: one line of stdin, and files that only their owner reads. Never stdout or argv."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from mission_control_tui.cli.common.options import kept
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import Conflict, InvalidInput, StoreError, UsageError
from mission_control_tui.model.store.private_files import create, password_rows, put

_LINE_LIMIT = 4096

OF_USERS = ("upn", "password")
OF_SERVICES = ("upn", "service", "instance", "login", "password")


passwords_out = kept(
    "--passwords-out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write generated passwords to this new file (CSV), which only you can read.",
)
password_stdin = option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


def read_password() -> str:
    """Return the one line of stdin; on a terminal it is asked for, twice and unseen. Raises InvalidInput."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    given = sys.stdin.buffer.read(_LINE_LIMIT + 1)
    line, _, rest = given.partition(b"\n")
    if rest.strip() or len(given) > _LINE_LIMIT:
        raise InvalidInput(
            "Standard input holds more than one line.",
            hint="Send the password alone: printf '%s\\n' \"$PASSWORD\" | mission-control ...",
        )
    try:
        password = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("The password on standard input is not UTF-8.") from error
    if not password:
        raise InvalidInput("There is no password on standard input.", hint="Send it as one line.")
    return password


def chosen_source(session: Session, password_stdin: bool) -> str | None:
    """Return the given password, or None to have one generated. Raises UsageError unless exactly one way is chosen."""
    if password_stdin and session.passwords_out is not None:
        raise UsageError(
            "A password is either given (--password-stdin) or generated (--passwords-out), not both."
        )
    if not password_stdin and session.passwords_out is None:
        raise UsageError(
            "A password is needed. Nothing was changed.",
            hint="Give it with --password-stdin, or have one generated with --passwords-out FILE.",
        )
    return read_password() if password_stdin else None


class PasswordFile:
    """A new file, private from the start; it exists before anything else is changed."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.used = False

    def write(
        self, headings: Sequence[str], rows: Iterable[Sequence[str]], *, made: bool = True
    ) -> None:
        """Write the rows to the disk, below those that are there. Raises StoreError saying what to do when that fails.

        `made`: the change is made already, so that it takes new passwords where these cannot be written.
        """
        try:
            put(self._descriptor, password_rows(rows, () if self.used else headings))
        except OSError as error:
            where = f"could not be written to {self.path}: {error.strerror}."
            what = (
                f"The change is made, but its passwords {where}"
                if made
                else f"The passwords {where}"
            )
            hint = "Those of the last slice were not set; go on with another file."
            if made:
                hint = "Generate new ones: mission-control users password UPN --passwords-out FILE"
            raise StoreError(what, hint=hint) from error
        self.used = True


def refuse_existing(path: Path) -> None:
    """Raise what creating the file would raise, without creating it."""
    if str(path) == "-":
        raise UsageError(
            "Passwords are not written to standard output.", hint="Name a file for them."
        )
    if os.path.lexists(path):
        raise Conflict(
            f"{path} exists already, and passwords never overwrite a file. Nothing was changed.",
            hint="Name a file that does not exist yet.",
        )


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[PasswordFile]:
    """Create the file, mode 0600; one that was not used in the end is removed. Raises Conflict and UsageError."""
    refuse_existing(path)
    try:
        descriptor = create(path)
    except FileExistsError:
        refuse_existing(path)
        raise
    except OSError as error:
        raise UsageError(
            f"{path} cannot be created: {error.strerror}. Nothing was changed.",
            hint="Name a file in a directory that you may write to.",
        ) from error
    file = PasswordFile(path, descriptor)
    try:
        yield file
    finally:
        os.close(descriptor)
        if not file.used:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def named_file(session: Session) -> Iterator[PasswordFile | None]:
    """As `reserved`, with the file of --passwords-out.

    None where no file is named, and in a dry run, which refuses what could not be made.
    """
    path = session.passwords_out
    if path is None:
        yield None
    elif session.dry_run:
        refuse_existing(path)
        yield None
    else:
        with reserved(path) as file:
            yield file


def file_where_needed(session: Session, needed: bool) -> PasswordFile | None:
    """Return the file for the passwords that the work of `session.run` will make, open to its end.

    Raises UsageError when none is named.
    """
    if not needed:
        if session.passwords_out is not None:
            say(f"No password is generated: {session.passwords_out} is not needed.")
        return None
    if session.passwords_out is None:
        raise UsageError(
            "This generates passwords, which have to go somewhere. Nothing was changed.",
            hint="Name a new file for them: --passwords-out FILE",
        )
    return session.resources.enter_context(named_file(session))
