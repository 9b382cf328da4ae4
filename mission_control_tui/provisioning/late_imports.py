"""Modules that a worker needs later than at its start, or never: imported without holding up its event loop."""

from __future__ import annotations

import asyncio
import importlib
import sys


async def imported(module: str) -> None:
    """Import a module in a thread: on a busy machine a large one takes longer than a heartbeat may wait."""
    if module not in sys.modules:
        await asyncio.to_thread(importlib.import_module, module)
