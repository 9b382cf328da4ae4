"""Every screen that has a name, found without a list: whatever module below `screens` declares one."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from mission_control_tui import screens
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.registry import LINKS

_MODULES = [found.name for found in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}.")]
_FOUND = {
    vars(cls)["NAME"]: cls
    for cls in [cls for name in _MODULES for cls in vars(import_module(name)).values()]
    if isinstance(cls, type) and issubclass(cls, MissionScreen) and vars(cls).get("NAME")
}
PLACES: dict[str, type[MissionScreen]] = {
    name: _FOUND[name] for name in dict.fromkeys((*(name for name, _words in LINKS), *_FOUND))
}
"""Each by its name; those of QUICK LINKS first, in their order."""
