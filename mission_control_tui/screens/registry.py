"""The screens by name: what QUICK LINKS offers, and where the module of any other is found."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen

    from mission_control_tui.screens.base.host import Link

LINKS: tuple[Link, ...] = (
    ("home", "Home"),
    ("service-area", "Service Management Area"),
    ("users", "Users"),
    ("lights", "Lights"),
    ("new-user", "New User"),
    ("paste", "Paste a list of users"),
    ("templates", "Templates"),
    ("objects", "Groups and shared mailboxes"),
    ("requests", "Requests"),
    ("bulks", "Bulk actions"),
    ("history", "History"),
    ("orders", "Orders"),
    ("account", "Account"),
    ("schedules", "Schedules"),
    ("drafts", "Drafts"),
    ("bin", "Recycling bin"),
    ("attention", "Red and waiting"),
    ("connectors", "Connectors"),
    ("find", "Find anyone"),
    ("settings", "Settings"),
    ("switch", "Accounts"),
)
"""What QUICK LINKS offers, Home first: a menu is there before any of its screens is imported."""


@cache
def _modules() -> dict[str, str]:
    """Return the modules of this package and of its families, by the name that a screen in them has."""
    here = Path(__file__).parent
    files = [path.relative_to(here) for path in (*here.glob("*.py"), *here.glob("*/*.py"))]
    return {
        path.stem.replace("_", "-"): ".".join((__package__, *path.with_suffix("").parts))
        for path in files
    }


def screen_class(name: str) -> type[Screen[Any]]:
    """Return the screen of that `NAME`, whose module is called like it. Raises KeyError where there is none."""
    for cls in vars(import_module(_modules()[name])).values():
        if isinstance(cls, type) and vars(cls).get("NAME") == name:
            return cls
    raise KeyError(name)
