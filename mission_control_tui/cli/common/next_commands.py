"""Commands that the program prints name the database and the account that this call named.

Copied as they are, they would act on the default ones otherwise. What settings or environment say needs no option: the
copied command finds it there too.
"""

from __future__ import annotations

import re
import shlex
from typing import Protocol

import click

PLACEHOLDER = "URL-OR-PATH"
"""Stands for a database of which nothing can be shown."""

_COMMAND = re.compile(
    # Neither a path that ends so, nor a call that is only described: `mission-control ...`, `mission-control --help`.
    r"(?<![\w./-])mission-control (?=[a-z]|--account )"
    r"(?!(?:docs|completion)\b)"
)
_OF_NO_ACCOUNT = re.compile(
    r"--account |(?:account list|backup|catalogue|clock|connectors|demo|doctor|init|restore|settings|upgrade|worker)\b"
)
"""Commands that name an account themselves, or are about the whole installation."""


class NamedPlaces(Protocol):
    """What a call was given of where to work, None where it was not."""

    database: str | None
    account: str | None


def as_called(text: str) -> str:
    """Return the text with its commands as the call that is running would make them."""
    context = click.get_current_context(silent=True)
    return text if context is None else with_places(text, context.find_root().obj)


def with_places(text: str, named: NamedPlaces | None) -> str:
    """Return the text with `--database` and `--account` in its commands, where the call has them."""
    if named is None or not (named.database or named.account) or not _COMMAND.search(text):
        return text
    database = ("--database", _shown(named.database)) if named.database else ()
    account = ("--account", named.account) if named.account else ()

    def complete(found: re.Match[str]) -> str:
        of_no_account = _OF_NO_ACCOUNT.match(text, found.end())
        options = database if of_no_account else (*database, *account)
        return "".join((found[0], *(f"{shlex.quote(word)} " for word in options)))

    return _COMMAND.sub(complete, text)


def _shown(database: str) -> str:
    """Return a database as it can be given again, without its password, which `~/.pgpass` or `PGPASSWORD` has."""
    from mission_control_tui.model.errors import StoreError
    from mission_control_tui.model.store.engine import database_url, url_without_password

    try:
        return url_without_password(database_url(database))
    except StoreError:
        return PLACEHOLDER
