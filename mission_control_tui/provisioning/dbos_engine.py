"""DBOS Transact as the engine of workers on PostgreSQL. No other module imports dbos.

Our own tables are the truth; the engine's are disposable. It gets a job as two numbers (request, attempt), queues it,
runs it on this process's event loop and records its steps. It is never asked to recover anything: a new attempt is a
new job, and each process has a queue and an executor id of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.engine import URL

from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.engine import SILENCE_MS
from mission_control_tui.provisioning.engine import JobFunction

APPLICATION = "mission-control"
SCHEMA = "dbos"
WORKFLOW = "provision"
POLL_SECONDS = 0.1
DEAD_LINE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""How libpq finds out that a line to PostgreSQL is dead: the operating system gives it up within a minute."""
FORGET_AT_ONCE = 200
"""Ended jobs that are deleted in one go."""


class DbosEngine:
    """DBOS with a schema of its own in PostgreSQL."""

    def __init__(
        self, url: URL, worker_id: str, app_version: str, slots: int, run: JobFunction
    ) -> None:
        self._queue = queue_name(worker_id)
        self._worker_id = worker_id
        self._app_version = app_version
        self._slots = slots
        self._run = run
        self._launched = False
        patient = url.set(drivername="postgresql+psycopg").update_query_dict(DEAD_LINE)
        self._url = patient.render_as_string(hide_password=False)

    async def start(self) -> None:
        try:
            await self._start()
        except BaseException:
            # A half-started DBOS would be taken for a started one the next time.
            await self.close()
            raise

    async def _start(self) -> None:
        await _in_a_thread_of_its_own(self._prepare)
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url,
            "dbos_system_schema": SCHEMA,
            "executor_id": self._worker_id,
            "application_version": self._app_version,
            "serializer": DBOSPortableJSONSerializer(),
            "run_migrations": False,
            "sys_db_idle_transaction_timeout_sec": SILENCE_MS / 1000,
            "scheduler_polling_interval_sec": 3600.0,
            "enable_otlp": False,
            "log_level": "WARNING",
        }
        DBOS(config=config)
        _register(self._run)
        DBOS.listen_queues([self._queue])
        # Not in a thread: DBOS runs jobs on the loop that it finds running here.
        DBOS.launch()
        self._launched = True

    def _prepare(self) -> None:
        """Make tables and queue before the launch: DBOS looks for new queues only once a second."""
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        DBOS.migrate(self._url, schema=SCHEMA)
        client = DBOSClient(
            system_database_url=self._url,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            sys_db_idle_transaction_timeout_sec=SILENCE_MS / 1000,
        )
        try:
            client.register_queue(
                self._queue,
                worker_concurrency=self._slots,
                polling_interval_sec=POLL_SECONDS,
                application_name=APPLICATION,
            )
        finally:
            client.destroy()

    async def submit(self, request_id: int, attempt: int, priority: int) -> None:
        from dbos import DBOS

        await DBOS.enqueue_workflow_with_options_async(
            {
                "workflow_name": WORKFLOW,
                "queue_name": self._queue,
                "workflow_id": job_id(request_id, attempt),
                "app_version": self._app_version,
                "priority": priority,
            },
            request_id,
            attempt,
        )

    async def step(self, name: str, call: Callable[[], Awaitable[None]]) -> None:
        from dbos import DBOS

        async def recorded() -> None:
            await call()

        await DBOS.run_step_async({"name": name}, recorded)

    async def forget(self, jobs: Sequence[tuple[int, int]], dead: Collection[str] = ()) -> None:
        from dbos import DBOS

        ids = [job_id(*job) for job in jobs]
        for worker_id in dead:
            queue = queue_name(worker_id)
            left = await DBOS.list_workflows_async(
                queue_name=queue, load_input=False, load_output=False
            )
            ids.extend(workflow.workflow_id for workflow in left)
            await DBOS.delete_queue_async(queue)
        for some in batches(ids, FORGET_AT_ONCE):
            await DBOS.delete_workflows_async(list(some))

    async def close(self) -> None:
        from dbos import DBOS

        if self._launched:
            await self.forget((), (self._worker_id,))
        self._launched = False
        await _in_a_thread_of_its_own(DBOS.destroy)
        # DBOS made its own pool the loop's and has just shut it down; this process goes on needing one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


def job_id(request_id: int, attempt: int) -> str:
    """Return the engine's id of a job: the same for the same attempt, so that submitting twice is harmless."""
    return f"{request_id}-{attempt}"


def queue_name(worker_id: str) -> str:
    """Return the name of the queue that this worker alone listens to."""
    return f"{APPLICATION}-{worker_id}"


async def _in_a_thread_of_its_own(call: Callable[[], None]) -> None:
    """Call as asyncio.to_thread does, but neither the loop's end nor the process's waits for a call that hangs."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def answer(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def work() -> None:
        error: BaseException | None = None
        try:
            call()
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever awaits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(answer, error)

    threading.Thread(target=work, daemon=True).start()
    await done


_job: JobFunction | None = None


def _register(run: JobFunction) -> None:
    """Name the one workflow; a second start of the engine in this process only changes what it runs."""
    from dbos import DBOS

    global _job
    first, _job = _job is None, run
    if first:
        DBOS.workflow(name=WORKFLOW)(_workflow)


async def _workflow(request_id: int, attempt: int) -> None:
    if _job is not None:
        await _job(request_id, attempt)
