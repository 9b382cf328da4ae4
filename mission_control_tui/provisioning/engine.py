"""The job engine: what a worker asks of one, and the one of an embedded worker, which is this process's event loop.

Our own tables are the truth, and whoever claimed a request runs it: where one worker process serves one file there is
nothing to distribute. A job is two numbers (request, attempt); a new attempt is a new job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import URL

JobFunction = Callable[[int, int], Awaitable[None]]
"""(request id, attempt) -> nothing: all that a job has to say goes into our own tables."""


class JobEngine(Protocol):
    """An engine as the worker needs it."""

    async def start(self) -> None:
        """Make the engine ready; jobs may be submitted from then on."""

    async def submit(self, request_id: int, attempt: int, priority: int) -> None:
        """Queue a job; the same one again is nothing."""

    async def step(self, name: str, call: Callable[[], Awaitable[None]]) -> None:
        """Do `call`, within a job, as a recorded step. What it learns it keeps to itself, secrets above all."""

    async def forget(self, jobs: Sequence[tuple[int, int]], dead: Collection[str] = ()) -> None:
        """Delete what is kept of jobs that ended, and of the queues of workers that are dead."""

    async def close(self) -> None:
        """Stop taking jobs from the queue and let go of everything."""


class EmbeddedEngine:
    """Runs each job as a task of this process, at once: the worker claims no more than it has slots for."""

    def __init__(self, url: URL, run: JobFunction) -> None:
        self._url = url
        self._run = run
        self._tasks: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Delete the files that engines of earlier versions left beside the database."""
        database = Path(self._url.database or "")
        for old in database.parent.glob(f"{database.name}.engine-*"):
            old.unlink(missing_ok=True)

    async def submit(self, request_id: int, attempt: int, priority: int) -> None:
        job = (request_id, attempt)
        if job not in self._tasks:
            task = asyncio.ensure_future(self._run(request_id, attempt))
            self._tasks[job] = task
            task.add_done_callback(lambda _: self._tasks.pop(job, None))

    async def step(self, name: str, call: Callable[[], Awaitable[None]]) -> None:
        await call()

    async def forget(self, jobs: Sequence[tuple[int, int]], dead: Collection[str] = ()) -> None:
        """Keep nothing, so that there is nothing to delete."""

    async def close(self) -> None:
        for task in tuple(self._tasks.values()):
            task.cancel()
