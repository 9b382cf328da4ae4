"""Processes that the program starts: how its own commands are called, and what of the environment any of them gets.

Nothing is handed on that makes Python or the loader of programs read other code, and secrets only to whoever needs
them: the program itself gets its settings, what the drivers of the database read, and what the connectors' tables name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mission_control_tui.model.store.child_environment import (
    environment_of_drivers,
    environment_of_others,
    kept,
)
from mission_control_tui.settings.settings import PREFIX, Settings

_OURS = frozenset(
    {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
)
_OUR_PREFIXES = (PREFIX, "XDG_")


def command(module: str, *words: str) -> list[str]:
    """Return the call of a module of the program; no module of the working directory comes before it."""
    return [sys.executable, "-P", "-m", module, *words]


def environment_of_ours(settings: Settings, **stated: str) -> dict[str, str]:
    """Return what a process of the program itself gets, and over it what is `stated`."""
    found = kept(_OURS.union(_variables_named(settings.connectors)), _OUR_PREFIXES)
    others = {**environment_of_others(), **environment_of_drivers()}
    return {**others, **found, **_where_we_are(), **stated}


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
