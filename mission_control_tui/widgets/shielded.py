"""Work that goes on to its end although whoever asked for it has left.

Textual cancels the workers of a screen that is taken down. A database driver whose query is cancelled twice may wait
for ever, and an order that is half placed must not depend on who still looks: so what reads or writes runs on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()


def shielded(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Begin `work` and return what its result can be awaited by, which does not cancel it when it is cancelled."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_ended)
    return asyncio.shield(task)


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        # Whoever still waits gets the error itself.
        log.debug("unbroken work ended with %s", type(error).__name__)


async def wait_for_all(seconds: float) -> bool:
    """Wait until everything has ended, at most so long; whether it has."""
    loop = asyncio.get_running_loop()
    mine = [task for task in _running if task.get_loop() is loop]
    if not mine:
        return True
    _done, pending = await asyncio.wait(mine, timeout=seconds)
    return not pending
