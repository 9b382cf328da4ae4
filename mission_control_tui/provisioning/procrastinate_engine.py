"""Procrastinate as the engine of workers on PostgreSQL. Only this module, its manager and its line use it.

It owns the queue of what may start, who takes it, the order (interactive before bulk, with slots that bulk never gets),
the workers' heartbeats and whose jobs stalled. Its tables stand in a schema of their own, are made here, and may be
dropped at any time: they are made anew, and what is open gets its jobs again from the requests' rows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from sqlalchemy.exc import DBAPIError

from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.requests import engine_jobs
from mission_control_tui.model.requests.attempts import Run
from mission_control_tui.model.requests.claims import ClaimedRequest, Limits, Slots
from mission_control_tui.model.requests.engine_jobs import BULK_QUEUE, INTERACTIVE_QUEUE
from mission_control_tui.model.requests.releases import (
    Job,
    begin,
    give_back_jobs,
    release,
    return_work,
)
from mission_control_tui.model.requests.workers import (
    Identity,
    drain_earlier,
    lease_lost,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.processes import is_alive
from mission_control_tui.provisioning.collector import Collector, Crowd
from mission_control_tui.provisioning.connector_checks import first_line
from mission_control_tui.provisioning.engine import (
    DRAIN_POLL_SECONDS,
    STOPPED_SAID,
    BeatRefused,
    RunRequest,
)
from mission_control_tui.provisioning.postgresql_line import Line, is_silent
from mission_control_tui.provisioning.procrastinate_library import App, SchemaManager, Status
from mission_control_tui.provisioning.procrastinate_library import Job as EngineJob
from mission_control_tui.provisioning.procrastinate_library import Worker as EngineWorker
from mission_control_tui.provisioning.procrastinate_manager import Manager, Pauses
from mission_control_tui.settings.settings import WorkerSettings

log = logging.getLogger(__name__)

VERSION = "1"
"""Of the engine's tables: another Procrastinate's tables are another version."""
MAKE_LOCK = 7_237_265
POLL_SECONDS = 5.0
"""How often the engine looks for what it was not told of."""
AHEAD_SECONDS = 0.25
"""For how long it is taken for granted that what was handed over is still there for this process to take."""
NEVER_SECONDS = 1e8
CLOSE_SECONDS = 3.0

_PROCESSES = """
CREATE TABLE worker_processes(
    worker_id bigint PRIMARY KEY REFERENCES procrastinate_workers(id) ON DELETE CASCADE,
    process text NOT NULL, host text NOT NULL, pid integer NOT NULL,
    pid_started double precision NOT NULL, app_version text NOT NULL,
    started_at double precision NOT NULL DEFAULT extract(epoch FROM now())
);
-- Whoever still ends a job of tables that are gone must not end one of these.
SELECT setval('procrastinate_jobs_id_seq', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
"""
_MAKE = """
SELECT pg_advisory_xact_lock({lock});
DO $make$ BEGIN
    IF substring(obj_description(to_regnamespace('{schema}'), 'pg_namespace') FROM '^[0-9]+$')::int
        > {version}
    THEN
        RAISE 'a newer Mission Control works on this database: its workers made the schema {schema}';
    END IF;
    IF obj_description(to_regnamespace('{schema}'), 'pg_namespace') IS DISTINCT FROM '{version}'
        OR to_regclass('{schema}.worker_processes') IS NULL
    THEN
        DROP SCHEMA IF EXISTS {schema} CASCADE;
        CREATE SCHEMA {schema};
        COMMENT ON SCHEMA {schema} IS '{version}';
        EXECUTE $script${tables}$script$;
    END IF;
END $make$
"""
_BEAT = """
WITH beaten AS (
    UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp()
    WHERE id IN (SELECT worker_id FROM worker_processes WHERE process = $1) RETURNING id
)
SELECT (SELECT count(*) FROM beaten) AS found, extract(epoch FROM clock_timestamp())::float8 AS now,
    'worker_processes'::regclass::oid::bigint AS tables
"""
_LOOK = """
SELECT process, host, pid, pid_started,
    extract(epoch FROM clock_timestamp() - last_heartbeat)::float8 AS silent
FROM worker_processes JOIN procrastinate_workers ON id = worker_id
"""
_BEGIN_ANEW = """
UPDATE procrastinate_workers SET last_heartbeat = now()
WHERE last_heartbeat > now() + make_interval(secs => $1)
"""
_DECLARE_DEAD = """
UPDATE procrastinate_workers SET last_heartbeat = 'epoch'
WHERE id IN (SELECT worker_id FROM worker_processes WHERE process = ANY($1))
"""


class ProcrastinateEngine:
    """Two workers of Procrastinate in this process: one takes anything, the other nothing but interactive requests."""

    ends_in_silence = True

    def __init__(
        self, store: Store, me: Identity, settings: WorkerSettings, run: RunRequest
    ) -> None:
        self._store = store
        self._me = me
        self._settings = settings
        self._run_request = run
        self._pauses = Pauses()
        self._healing_pauses = Pauses()
        self._line = Line(store.url)
        self._app = App(connector=self._line)
        self._manager = Manager(self._line, me, self._pauses, self._heal, self._slots)
        self._app.job_manager = self._manager
        self._app.task(name=engine_jobs.TASK)(self._run)
        reserved = min(settings.interactive_slots, settings.slots - 1)
        self._workers = [
            self._worker([INTERACTIVE_QUEUE, BULK_QUEUE], settings.slots - reserved),
            self._worker([INTERACTIVE_QUEUE], reserved),
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._healing: asyncio.Task[None] | None = None
        self._running: set[Job] = set()
        self._unknown: set[int] = set()
        self._ahead = 0
        self._released_at = -NEVER_SECONDS
        self._looked_at = -NEVER_SECONDS
        self._begins = Collector[Job, ClaimedRequest | None](
            partial(begin, store), Crowd(lambda: len(self._running))
        )

    def _worker(self, queues: Sequence[str], slots: int) -> EngineWorker:
        return EngineWorker(
            self._app,
            queues=queues,
            concurrency=slots,
            fetch_job_polling_interval=POLL_SECONDS,
            abort_job_polling_interval=NEVER_SECONDS,
            delete_jobs="always",
            install_signal_handlers=False,
            # Said by `beat`, which notices when it cannot; and looked after by `take_over`.
            update_heartbeat_interval=NEVER_SECONDS,
            stalled_worker_timeout=NEVER_SECONDS,
        )

    def _slots(self, worker_id: int) -> int:
        return sum(one.concurrency for one in self._workers if one.worker_id == worker_id)

    async def join(self, stopping: Callable[[], bool]) -> None:
        """Let workers of a version with another engine drain first."""
        asked = False
        while await drain_earlier(self._store, self._settings.lease_seconds) and not stopping():
            if not asked:
                log.info("waiting for workers of an older version to drain")
                asked = True
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    async def start(self) -> None:
        await self._make()
        self._tasks = [
            asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            for worker in self._workers
        ]
        try:
            while not all(worker.worker_id for worker in self._workers):
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.005)
            await self.take_over()
        except BaseException:
            for task in self._tasks:
                task.cancel()
            raise

    async def _make(self) -> None:
        """Make the engine's tables where there are none of this version."""
        tables = SchemaManager.get_schema() + _PROCESSES
        await self._line.script(
            _MAKE.format(lock=MAKE_LOCK, schema=ENGINE_SCHEMA, version=VERSION, tables=tables)
        )

    @property
    def _is_healing(self) -> bool:
        return self._healing is not None and not self._healing.done()

    def _heal(self) -> None:
        """Make the tables anew, beside what else goes on."""
        if not self._is_healing:
            self._healing = asyncio.create_task(self._make_anew())

    async def _make_anew(self) -> None:
        log.warning("the engine's tables are gone: they are made anew")
        await self._healing_pauses.wait()
        try:
            await self._make()
            for worker in self._workers:
                worker.worker_id = await self._manager.register_worker()
            self._looked_at = -NEVER_SECONDS
        except Exception as error:  # noqa: BLE001 - whoever misses them next tries again
            log.warning("the engine's tables cannot be made: %s", first_line(error))

    async def beat(self) -> float:
        try:
            (answer,) = await self._line.ask(_BEAT, self._me.id)
        except Exception as error:
            if is_silent(error):
                # The driver has errors of its own for it, which whoever counts the silence does not know.
                raise ConnectionError(first_line(error)) from error
            # Nobody else can beat either.
            if engine_jobs.is_missing(error):
                self._heal()
            raise BeatRefused(first_line(error)) from error
        if answer["found"] < len(self._workers) and not self._pauses.closing.is_set():
            if answer["tables"] == self._manager.tables and not self._is_healing:
                raise lease_lost(self._me.id)
            self._heal()
            raise BeatRefused("the engine's tables are new")
        return float(answer["now"])

    async def take_over(self) -> int:
        lease = self._settings.lease_seconds
        known = await self._line.ask(_LOOK)
        silent = {row["process"] for row in known if not 0.0 <= row["silent"] < lease}
        here = ("host", "pid", "pid_started")
        dead = {row["process"] for row in known if not is_alive(*(row[name] for name in here))}
        now = time.monotonic()
        if silent or dead or now - self._looked_at > lease:
            self._looked_at = now
            await self._take_over(list(dead))
        return max(1, len({row["process"] for row in known} - silent - dead))

    async def _take_over(self, dead: Sequence[str]) -> None:
        lease = self._settings.lease_seconds
        await self._line.ask(_BEGIN_ANEW, lease)
        if dead:
            await self._line.ask(_DECLARE_DEAD, dead)
        stalled = list(await self._manager.get_stalled_jobs(seconds_since_heartbeat=lease))
        given = await return_work(self._store, [_job(job) for job in stalled])
        if given:
            log.info("took over requests %s", given)
        await self._delete(stalled)
        await self._manager.prune_stalled_workers(lease)
        await self._delete_unknown()

    async def _delete_unknown(self) -> None:
        """Delete jobs that were given to this process without its hearing of them: the answer was lost on the way."""
        unknown: list[EngineJob] = []
        for worker in self._workers:
            jobs = await self._manager.list_jobs_async(
                status=Status.DOING.value, worker_id=worker.worker_id
            )
            unknown += [job for job in jobs if _job(job) not in self._running]
        await self._delete([job for job in unknown if job.id in self._unknown])
        self._unknown = {job.id for job in unknown if job.id is not None}

    async def _delete(self, jobs: Iterable[EngineJob]) -> None:
        for job in jobs:
            await self._manager.finish_job(job, Status.ABORTED, delete_job=True)

    async def offer(self, slots: Slots, limits: Limits, *, urgent: bool) -> Collection[str]:
        """Hand over as much as there are free slots and as many again, so that no slot waits for the next look.

        While more than half of these are likely to be left from the last time, bulk waits for the next.
        """
        settings = self._settings
        now = time.monotonic()
        if self._manager.is_dry or now > self._released_at + AHEAD_SECONDS:
            self._ahead = 0
        if not urgent and self._ahead * 2 >= settings.slots:
            return ()
        ahead = Slots(
            slots.free + settings.slots,
            slots.for_bulk + max(0, settings.slots - settings.interactive_slots),
            slots.removals,
        )
        try:
            released = await release(self._store, ahead, limits)
        except DBAPIError as error:
            if not engine_jobs.is_missing(error):
                raise
            self._heal()
            raise StoreError("The engine's tables are not there: they are made anew.") from error
        self._ahead += len(released)
        self._manager.is_dry = False
        self._released_at = now
        return released

    async def _run(self, request: int, attempt: int) -> None:
        job = Job(request, attempt)
        self._running.add(job)
        try:
            begun = None if self._pauses.closing.is_set() else await self._begin(job)
            if begun is not None:
                await self._run_request(begun)
        except Exception as error:  # noqa: BLE001 - the request is still queued, and gets another job
            log.warning("request %d does not begin: %s", request, first_line(error))
            await self._pauses.wait()
        finally:
            self._running.discard(job)

    async def _begin(self, job: Job) -> ClaimedRequest | None:
        self._ahead = max(0, self._ahead - 1)
        return await self._begins.ask(job)

    async def leave(self, unfinished: Collection[Run]) -> Collection[int]:
        jobs = [Job(run.request_id, run.attempt) for run in unfinished]
        return await give_back_jobs(self._store, jobs, STOPPED_SAID) if jobs else ()

    def stop(self) -> None:
        self._pauses.closing.set()
        self._healing_pauses.closing.set()
        for worker in self._workers:
            worker.stop()  # type: ignore[no-untyped-call]

    async def close(self, *, at_once: bool = False) -> None:
        self.stop()
        tasks = [*self._tasks, *([self._healing] if self._healing else [])]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=0.0 if at_once else CLOSE_SECONDS)
            for task in late:
                task.cancel()
        await self._begins.close()
        self._line.hang_up()


def _job(job: EngineJob) -> Job:
    return Job(int(str(job.task_kwargs["request"])), int(str(job.task_kwargs["attempt"])))
