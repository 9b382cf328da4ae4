"""Keeping Python's collector of cycles away from the rows of a large file.

A full collection walks through all objects that there are, and holds the event loop, whichever thread it runs in: a
second and more where tens of thousands of rows are kept. None of them is part of a cycle.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing while rows are made; what is there by then is left out of later collections.

    Whoever has frozen objects before, as the console at its start, keeps them so.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def released() -> Iterator[None]:
    """At the end have everything looked at again by collections, unless objects were frozen before."""
    frozen = gc.get_freeze_count()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
