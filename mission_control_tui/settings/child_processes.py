"""Processes that the program starts: how its own commands are called, and what of the environment any of them gets.

Nothing is handed on that makes Python or the loader of programs read other code, and secrets only to whoever needs
them: the program itself gets its settings, what the drivers of the database read, and what the connectors' tables name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mission_control_tui.settings.settings import PREFIX, Settings

_EVERYBODY = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
        *("TERM", "TERMINFO", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES"),
    }
)
_OURS = frozenset(
    {
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5_CONFIG", "KRB5CCNAME"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    }
)
_OUR_PREFIXES = (PREFIX, "XDG_", "PG")


def command(module: str, *words: str) -> list[str]:
    """Return the call of a module of the program; no module of the working directory comes before it."""
    return [sys.executable, "-P", "-m", module, *words]


def environment_of_ours(settings: Settings, **stated: str) -> dict[str, str]:
    """Return what a process of the program itself gets, and over it what is `stated`."""
    secrets = set(_variables_named(settings.connectors))
    found = {
        name: value
        for name, value in os.environ.items()
        if name in _OURS | secrets or name.startswith(_OUR_PREFIXES)
    }
    return {**environment_of_others(), **found, **_where_we_are(), **stated}


def environment_of_others(*more: str) -> dict[str, str]:
    """Return what another program gets: the terminal, the language, where things are, and the variables in `more`."""
    wanted = _EVERYBODY.union(more)
    return {
        name: value
        for name, value in os.environ.items()
        if name in wanted or name.startswith("LC_")
    }


def _variables_named(tables: Mapping[str, object]) -> Iterator[str]:
    """Yield the variables that hold a secret of a connector, as `password_env` names one."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _variables_named(value)
        elif key.endswith("_env") and isinstance(value, str):
            yield value


def _where_we_are() -> dict[str, str]:
    """Return what finds the package where it runs from a checkout."""
    root = Path(__file__).resolve().parents[2]
    installed = root.name in {"site-packages", "dist-packages"}
    return {} if installed else {"PYTHONPATH": str(root)}
