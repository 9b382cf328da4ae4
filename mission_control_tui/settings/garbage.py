"""Python's collector of cycles while a process starts and ends: there is nothing for it to find then."""

from __future__ import annotations

import atexit
import gc


def collect_nothing_yet() -> None:
    """Collect nothing while the program is imported, and nothing at the end, when the system takes all memory back.

    Each collection looks at all objects: those at the start cost a tenth of a short command, those at its end more.
    """
    gc.disable()
    atexit.register(gc.freeze)


def collect_from_now_on() -> None:
    """Collect again where this process began without, and leave out for good what has been imported."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
