"""Who distributes requests: what a worker asks of an engine, and the embedded engine, which is an event loop.

Where one worker process serves one file there is nothing to distribute: it claims what is due and runs it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Protocol

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.requests.attempts import Run
from mission_control_tui.model.requests.claims import ClaimedRequest, Limits, Slots, claim
from mission_control_tui.model.requests.workers import (
    Identity,
    acquire,
    beat,
    is_older,
    retire,
)
from mission_control_tui.model.store.database import Store

log = logging.getLogger(__name__)

DRAIN_POLL_SECONDS = 0.2
STOPPED_SAID = "The worker was stopped; it is tried again."

RunRequest = Callable[[ClaimedRequest], Awaitable[None]]
"""Runs an attempt that has begun, to its end: all that it has to say goes into our own tables."""


class BeatRefused(Exception):
    """The database is there, or its machine, and takes no heartbeat from anybody now."""


class JobEngine(Protocol):
    """An engine as the worker needs it."""

    ends_in_silence: bool
    """Whether a worker that cannot be heard for the length of its lease is taken over, and has to end by itself."""

    async def join(self, stopping: Callable[[], bool]) -> None:
        """Become a worker, waiting for those of an earlier version to drain. Raises Conflict."""

    async def start(self) -> None:
        """Begin to take what is offered."""

    async def beat(self) -> float:
        """Say that this worker lives; returns the database's clock. Raises LeaseLost, and BeatRefused."""

    async def take_over(self) -> int:
        """Return the work of dead workers to the queue; returns how many workers live."""

    async def offer(self, slots: Slots, limits: Limits, *, urgent: bool) -> Collection[str]:
        """Let start what may, at most so many; returns the connectors of what is about to.

        `urgent`: something of it is not of a bulk, and somebody may look at it.
        """

    def stop(self) -> None:
        """Take nothing new."""

    async def leave(self, unfinished: Collection[Run]) -> Collection[int]:
        """Be a worker no more, and give back what was not brought to an end; returns the requests' ids."""

    async def close(self, *, at_once: bool = False) -> None:
        """Let go of everything; `at_once` takes leave of nobody."""


class EmbeddedEngine:
    """Runs each request as a task of this process, at once: the only worker claims no more than it has slots for."""

    ends_in_silence = False

    def __init__(self, store: Store, me: Identity, lease_seconds: float, run: RunRequest) -> None:
        self._store = store
        self._me = me
        self._lease_seconds = lease_seconds
        self._run = run
        self._tasks: set[asyncio.Future[None]] = set()

    async def join(self, stopping: Callable[[], bool]) -> None:
        asked = False
        while True:
            got = await acquire(self._store, self._me, self._lease_seconds)
            if got.holder is None:
                if got.requests:
                    log.info("took over requests %s from %s", got.requests, got.dead)
                return
            if not is_older(got.holder.app_version, self._me.app_version) or stopping():
                raise Conflict(
                    f"A worker runs already: process {got.holder.pid} on {got.holder.host}.",
                    hint="One is enough; it takes whatever is queued.",
                )
            if not asked:
                log.info("waiting for worker %s, an older version, to drain", got.holder.id)
                asked = True
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    async def start(self) -> None:
        """Delete the files that engines of earlier versions left beside the database."""
        database = Path(self._store.url.database or "")
        for old in database.parent.glob(f"{database.name}.engine-*"):
            old.unlink(missing_ok=True)

    async def beat(self) -> float:
        return await beat(self._store, self._me.id, self._lease_seconds)

    async def take_over(self) -> int:
        """Do nothing: nobody else works on this file."""
        return 1

    async def offer(self, slots: Slots, limits: Limits, *, urgent: bool) -> Collection[str]:
        claimed = await claim(self._store, self._me.id, slots, limits)
        for request in claimed:
            task = asyncio.ensure_future(self._run(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return [request.connector for request in claimed]

    def stop(self) -> None:
        """Do nothing: what is taken was asked for."""

    async def leave(self, unfinished: Collection[Run]) -> Collection[int]:
        return await retire(self._store, self._me.id)

    async def close(self, *, at_once: bool = False) -> None:
        for task in tuple(self._tasks):
            task.cancel()
