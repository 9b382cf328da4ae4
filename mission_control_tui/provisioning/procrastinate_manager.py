"""Procrastinate's job manager for a worker that outlasts what its database goes through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping

from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.workers import Identity
from mission_control_tui.provisioning.connector_checks import first_line
from mission_control_tui.provisioning.postgresql_line import Line, is_away
from mission_control_tui.provisioning.procrastinate_library import Job, JobManager, Status

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
CALM_SECONDS = 60.0
"""After so long without trouble the next pause is the first again."""
LEAVE_SECONDS = 3.0
FINISH_SECONDS = 0.1
"""How long a job that is over waits for others, to be ended together with them."""

_REGISTER = """
WITH registered AS (SELECT worker_id FROM procrastinate_register_worker_v1())
INSERT INTO worker_processes(worker_id, process, host, pid, pid_started, app_version)
SELECT worker_id, $1, $2, $3, $4, $5 FROM registered
RETURNING worker_id, 'worker_processes'::regclass::oid::bigint AS tables
"""

# A call without the place would be made once for all places.
_FETCH = """
SELECT job.* FROM generate_series(1, $3) AS place
CROSS JOIN LATERAL procrastinate_fetch_job_v2($1::varchar[], $2::bigint + 0 * place) AS job
WHERE job.id IS NOT NULL
"""
_FINISH = """
SELECT procrastinate_finish_job_v1(id, 'succeeded', true)
FROM (
    SELECT id FROM procrastinate_jobs
    WHERE id = ANY($1::bigint[]) AND status IN ('todo', 'doing') ORDER BY id FOR UPDATE
) AS ended
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
    """Procrastinate's own, whose questions outlast an outage and the loss of its tables.

    It takes as many jobs as a worker has free slots by one question, and ends by one what is over at about the same
    time, after which nobody waits: a job whose attempt is over is nothing, whether it is still there or not.
    """

    def __init__(
        self,
        line: Line,
        me: Identity,
        pauses: Pauses,
        heal: Callable[[], None],
        slots: Callable[[int], int],
    ) -> None:
        super().__init__(line)
        self._slots = slots
        self._fetched: Mapping[int, deque[Job]] = defaultdict(deque)
        self._in_hand: Counter[int] = Counter()
        self._over: list[int] = []
        self._finishing: asyncio.Task[None] | None = None
        self._line = line
        self._me = me
        self._pauses = pauses
        self._heal = heal
        self.is_dry = False
        """Whether a worker found its queues empty since something was handed over: others take from them, too."""
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
                for job in self._fetched[worker_id]:
                    self._end(job)
                await self.ended()
                await super().unregister_worker(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        fetched = self._fetched[worker_id]
        if not fetched:
            room = max(1, self._slots(worker_id) - self._in_hand[worker_id])
            try:
                which = None if queues is None else list(queues)
                rows = await self._line.ask(_FETCH, which, worker_id, room)
            except Exception as error:  # noqa: BLE001 - whatever it was, this worker goes on
                await self._trouble(error)
                return None
            fetched.extend(Job.from_row(row) for row in rows)
        if not fetched:
            self.is_dry = True
            return None
        self._in_hand[worker_id] += 1
        return fetched.popleft()

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        if job.worker_id is not None:
            self._in_hand[job.worker_id] -= 1
        self._end(job)

    async def ended(self) -> None:
        """Wait until what is over has been ended."""
        if self._finishing is not None:
            await self._finishing

    def _end(self, job: Job) -> None:
        if job.id is not None:
            self._over.append(job.id)
        if self._finishing is None or self._finishing.done():
            self._finishing = asyncio.create_task(self._finish())

    async def _finish(self) -> None:
        while self._over:
            await asyncio.sleep(FINISH_SECONDS)
            over, self._over = self._over, []
            try:
                await self._line.ask(_FINISH, over)
            except Exception as error:  # noqa: BLE001 - see below
                # Where the database answers the job is another's by now, or gone with its table.
                if not is_away(error) or self._pauses.closing.is_set():
                    continue
                self._over += over
                await self._trouble(error)

    async def _trouble(self, error: Exception) -> None:
        if self._pauses.closing.is_set():
            return
        if engine_jobs.is_missing(error):
            self._heal()
        else:
            log.warning("the engine's queue cannot be asked: %s", first_line(error))
        await self._pauses.wait()
