"""Procrastinate's job manager for a worker that outlasts what its database goes through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable

from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.workers import Identity
from mission_control_tui.provisioning.connector_checks import first_line
from mission_control_tui.provisioning.postgresql_line import Line, is_away

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
CALM_SECONDS = 60.0
"""After so long without trouble the next pause is the first again."""
LEAVE_SECONDS = 3.0

_REGISTER = """
WITH registered AS (SELECT worker_id FROM procrastinate_register_worker_v1())
INSERT INTO worker_processes(worker_id, process, host, pid, pid_started, app_version)
SELECT worker_id, $1, $2, $3, $4, $5 FROM registered
RETURNING worker_id, 'worker_processes'::regclass::oid::bigint AS tables
"""


class Pauses:
    """Waits that grow while trouble lasts."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._next = FIRST_PAUSE
        self._last = 0.0

    async def wait(self) -> None:
        """Wait, longer than the last time where that was not long ago; no longer when the engine is closed."""
        now = time.monotonic()
        calm = now - self._last > CALM_SECONDS + self._next
        seconds = FIRST_PAUSE if calm else self._next
        self._next, self._last = min(seconds * 2, LONGEST_PAUSE), now
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)


class Manager(JobManager):
    """Procrastinate's own, whose questions outlast an outage and the loss of its tables."""

    def __init__(self, line: Line, me: Identity, pauses: Pauses, heal: Callable[[], None]) -> None:
        super().__init__(line)
        self._line = line
        self._me = me
        self._pauses = pauses
        self._heal = heal
        self.tables = 0
        """Which tables this process is registered in: those that are made anew are others."""

    async def register_worker(self) -> int:
        me = self._me
        given = (me.id, me.host, me.pid, me.pid_started, me.app_version)
        (registered,) = await self._line.ask(_REGISTER, *given)
        self.tables = int(registered["tables"])
        return int(registered["worker_id"])

    async def unregister_worker(self, worker_id: int) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LEAVE_SECONDS):
                await super().unregister_worker(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        try:
            return await super().fetch_job(queues, worker_id)
        except Exception as error:  # noqa: BLE001 - whatever it was, this worker goes on
            await self._trouble(error)
            return None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        while True:
            try:
                await super().finish_job(job=job, status=status, delete_job=delete_job)
                return
            except Exception as error:  # noqa: BLE001 - see below
                # Where the database answers the job is another's by now, or gone with its table.
                if not is_away(error) or self._pauses.closing.is_set():
                    return
                await self._trouble(error)

    async def _trouble(self, error: Exception) -> None:
        if self._pauses.closing.is_set():
            return
        if engine_jobs.is_missing(error):
            self._heal()
        else:
            log.warning("the engine's queue cannot be asked: %s", first_line(error))
        await self._pauses.wait()
