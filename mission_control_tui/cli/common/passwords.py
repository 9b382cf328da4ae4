"""Passwords on their way in and out: one line of stdin, and files that only their owner reads. Never stdout or argv."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import kept
from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.parameters import option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import Conflict, InvalidInput, StoreError, UsageError
from mission_control_tui.model.store.private_files import create, password_rows, put
from mission_control_tui.model.views import RevealedPassword

if TYPE_CHECKING:
    from mission_control_tui.model.store.scope import AccountScope

_LINE_LIMIT = 4096

OF_USERS = ("upn", "password")
OF_SERVICES = ("upn", "service", "instance", "login", "password")
_ATTRIBUTES = {"service": "service_id"}


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
    """Return the given password, or None to have one generated.

    Raises UsageError unless exactly one way is chosen; a dry run needs none.
    """
    if password_stdin and session.passwords_out is not None:
        raise UsageError(
            "A password is either given (--password-stdin) or generated (--passwords-out), not both."
        )
    if not password_stdin and session.passwords_out is None and not session.dry_run:
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

    def keep(self, made: Sequence[RevealedPassword], headings: Sequence[str] | None = None) -> None:
        """Write them to the disk below those that are there, before they are set. Raises StoreError when that fails.

        Without `headings` services are named where one of them is a service's.
        """
        if headings is None:
            headings = OF_SERVICES if any(new.service_id for new in made) else OF_USERS
        rows = [[getattr(new, _ATTRIBUTES.get(name, name)) for name in headings] for new in made]
        try:
            put(self._descriptor, password_rows(rows, () if self.used else headings))
        except OSError as error:
            raise StoreError(
                f"The passwords could not be written to {self.path}: {error.strerror}.",
                hint="These were not set, and nothing was changed with them; go on with another file.",
            ) from error
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

    Raises UsageError when none is named; a dry run needs none.
    """
    if not needed:
        if session.passwords_out is not None:
            say(f"No password is generated: {session.passwords_out} is not needed.")
        return None
    if session.passwords_out is None and not session.dry_run:
        raise _nowhere()
    return session.resources.enter_context(named_file(session))


def kept_in(
    scope: AccountScope, file: PasswordFile | None, headings: Sequence[str] | None = None
) -> AccountScope:
    """Return the scope whose changes write the passwords that they make into the file, each before its commit.

    A change that makes any without a file raises UsageError, and does not happen.
    """

    def keep(made: Sequence[RevealedPassword]) -> None:
        if file is None:
            raise _nowhere()
        file.keep(made, headings)

    return replace(scope, keep=keep)


def _nowhere() -> UsageError:
    return UsageError(
        "This generates passwords, which have to go somewhere. Nothing was changed.",
        hint="Name a new file for them: --passwords-out FILE",
    )
