"""Whose service a command is about: a user, a domain by `--domain`, or the account itself by `--of-account`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mission_control_tui.cli.common.options import Command
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.model.errors import UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.services.subjects import SubjectKey

_DOMAIN = option("--domain", metavar="NAME", help="Of this domain, instead of a user.")
_OF_ACCOUNT = option("--of-account", is_flag=True, help="Of the account itself, instead of a user.")


def names_subject(command: Command) -> Command:
    """Add `--domain` and `--of-account`."""
    return _DOMAIN(_OF_ACCOUNT(command))


def names_service(command: Command) -> Command:
    """Add USER and SERVICE as `names`, and what names another subject in place of the user."""
    return argument("names", nargs=-1, metavar="[USER] SERVICE")(names_subject(command))


def other_subject(domain: str | None, of_account: bool) -> SubjectKey | None:
    """Return the domain or the account, None where a user is meant. Raises UsageError for both at once."""
    if domain is None and not of_account:
        return None
    if domain is not None and of_account:
        raise UsageError("--domain and --of-account contradict each other.", hint="Give one.")
    from mission_control_tui.model.services.subjects import THE_ACCOUNT, of_domain

    return THE_ACCOUNT if domain is None else of_domain(domain)


def one_subject(user: str | None, domain: str | None, of_account: bool) -> str | SubjectKey | None:
    """Return whose services are meant, None for everybody's. Raises UsageError for several at once."""
    other = other_subject(domain, of_account)
    if other is not None and user is not None:
        raise UsageError(
            "A user and another subject were named.", hint="Leave USER or the option out."
        )
    return user if other is None else other


def who_and_what(
    verb: str, names: Sequence[str], domain: str | None, of_account: bool
) -> tuple[str | SubjectKey, str]:
    """Return whose service it is, and the service. Raises UsageError."""
    other = other_subject(domain, of_account)
    if other is None and len(names) == 2:
        return names[0], names[1]
    if other is not None and len(names) == 1:
        return other, names[0]
    shape = "USER SERVICE" if other is None else f"{' '.join(other.words)} SERVICE"
    raise UsageError(
        f"Say whose service is meant, and which one: mission-control {verb} {shape}.",
        hint="A name with spaces needs quotes. `mission-control services list` names services.",
    )


def called(who: str | SubjectKey, account: str = "the account") -> str:
    """Return the subject for a question."""
    return who if isinstance(who, str) else who.name or account
