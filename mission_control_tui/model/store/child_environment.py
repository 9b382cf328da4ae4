"""What other programs get of the environment: no secrets, and nothing that makes them or Python read other code."""

from __future__ import annotations

import os
from collections.abc import Container

_EVERYBODY = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
        *("TERM", "TERMINFO", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES"),
    }
)
_DRIVERS = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5_CONFIG", "KRB5CCNAME"})


def environment_of_others(*more: str) -> dict[str, str]:
    """Return what another program gets: the terminal, the language, where things are, and the variables in `more`."""
    return kept(_EVERYBODY.union(more), ("LC_",))


def environment_of_drivers() -> dict[str, str]:
    """Return what a program that connects to the database gets besides: what its driver reads."""
    return kept(_DRIVERS, ("PG",))


def kept(names: Container[str], prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return those variables of this process that are named, or begin so."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(prefixes)
    }
