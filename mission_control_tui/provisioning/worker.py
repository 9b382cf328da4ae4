"""The worker: holds a lease, takes what is due, lets the engine run it, and leaves nothing behind when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.model.errors import Conflict, StoreError
from mission_control_tui.model.requests.attempts import Run, RunLost
from mission_control_tui.model.requests.claims import (
    ClaimedRequest,
    Outlook,
    Slots,
    begin_waits_anew,
    claim,
    look,
)
from mission_control_tui.model.requests.dependencies import settle_all
from mission_control_tui.model.requests.outcomes import AttemptFailure, Retry, give_back, try_again
from mission_control_tui.model.requests.removal_limit import RemovalLimit
from mission_control_tui.model.requests.workers import (
    Identity,
    LeaseLost,
    acquire,
    beat,
    bury_the_dead,
    is_older,
    live_workers,
    retire,
    retire_if_idle,
)
from mission_control_tui.model.states import ErrorKind, Priority
from mission_control_tui.model.store.change_feed import changes
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import FLAWS
from mission_control_tui.provisioning.attempt import AttemptContext, run_attempt
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.bulk_runner import BulkRunner
from mission_control_tui.provisioning.connector_checks import ConnectorChecks, first_line
from mission_control_tui.provisioning.engine import JobEngine
from mission_control_tui.provisioning.housekeeping import Housekeeping
from mission_control_tui.provisioning.run_records import RunRecords
from mission_control_tui.settings.settings import WorkerSettings

log = logging.getLogger(__name__)

BEATS_PER_LEASE = 5
COALESCE_SECONDS = 0.02
"""Several changes at once are one look at the queue."""
BUSY_SECONDS = 0.05
"""The same while requests run: what ends meanwhile makes room for one claim instead of many."""
SETTLE_SECONDS = 5.0
"""How often all waiting requests are looked at again, for what was missed."""
SETTLE_PAUSE = 20.0
"""Where there are so many that a look takes long, it is this many times its own length before the next."""
CLAIM_AGAIN_SECONDS = 0.5
"""Something is due and could not be taken: limits over all workers, or another's claim in progress."""
STOP_SECONDS = 10.0
"""How long steps in flight may take to reach their end when the worker is told to stop."""
CLOSE_SECONDS = 10.0
START_SECONDS = 30.0
"""A job that the engine has not begun after so long goes back to the queue."""
FORGET_SECONDS = 3.0
ENGINE_TRIES = 3
DRAIN_POLL_SECONDS = 0.2

EngineFactory = Callable[[Callable[[int, int], Awaitable[None]]], JobEngine]


class Exit(IntEnum):
    """The exit code that says to whoever started a worker how it ended."""

    ENDED = 0
    LEASE_LOST = LeaseLost.exit_code


@dataclass(slots=True)
class _Job:
    """A request that this worker took; the engine runs it in `task` once it has begun."""

    claimed: ClaimedRequest
    claimed_at: float
    task: asyncio.Task[None] | None = None


class Worker:
    """One worker process; `run` is its whole life. `stays`: it does not end when idle."""

    def __init__(
        self,
        store: Store,
        settings: WorkerSettings,
        backends: Backends,
        make_engine: EngineFactory,
        key_file: Path,
        me: Identity,
        *,
        stays: bool,
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._backends = backends
        self._me = me
        self._stays = stays or not store.is_sqlite
        self._limits = backends.limits
        self._removals = RemovalLimit(settings.removal_limit, settings.removal_window_seconds)
        self._housekeeping = Housekeeping(store, settings)
        self._engine = make_engine(self._run_job)
        self._records = RunRecords(store, lambda: len(self._jobs))
        self._around = AttemptContext(
            store,
            self._records,
            self._engine,
            backends,
            settings,
            key_file,
            lambda: self._stopping or self._lost,
            rng or random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        )
        self._wake = asyncio.Event()
        self._stopping = False
        self._draining = False
        self._lost = False
        self._bulks = BulkRunner(
            store, lambda: self._stopping or self._draining or self._lost, self._wake.set
        )
        self._checks = ConnectorChecks(store, settings, backends, self._wake.set)
        self._jobs: dict[Run, _Job] = {}
        self._unfinished: set[Run] = set()
        self._ended: list[tuple[float, Run]] = []
        self._dead: set[str] = set()
        self._busy_at = time.monotonic()
        self._settle_at = 0.0
        self._timeout = 0.0

    @property
    def _tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks of the jobs that the engine has begun."""
        return [job.task for job in self._jobs.values() if job.task is not None]

    def stop(self) -> None:
        """Take nothing new, let steps in flight end, give the rest back."""
        self._stopping = True
        self._wake.set()

    async def acquire(self) -> None:
        """Get the lease, waiting for an older version to drain. Raises Conflict when another worker has it."""
        asked = False
        while True:
            got = await acquire(self._store, self._me, self._settings.lease_seconds)
            if got.holder is None:
                self._dead |= set(got.dead)
                if got.requests:
                    log.info("took over requests %s from %s", got.requests, got.dead)
                return
            if not is_older(got.holder.app_version, self._me.app_version) or self._stopping:
                raise Conflict(
                    f"A worker runs already: process {got.holder.pid} on {got.holder.host}.",
                    hint="One is enough; it takes whatever is queued.",
                )
            if not asked:
                log.info("waiting for worker %s, an older version, to drain", got.holder.id)
                asked = True
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    async def run(self) -> int:
        """Work until told to stop, idle, drained or taken over; returns the exit code. Needs the lease."""
        helpers = [
            asyncio.create_task(self._keep(self._heartbeat)),
            asyncio.create_task(self._keep(self._listen)),
            asyncio.create_task(self._keep(self._bulks.run)),
        ]
        started = False
        try:
            started = await self._started()
            while not await self._tick():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._timeout)
                self._wake.clear()
                await asyncio.sleep(BUSY_SECONDS if self._jobs else COALESCE_SECONDS)
        except LeaseLost as lost:
            log.error("%s", lost.what)
            self._lost = True
        finally:
            await self._end(helpers, started)
        return Exit.LEASE_LOST if self._lost else Exit.ENDED

    async def _started(self) -> bool:
        """Start the engine, unless the worker is told to stop meanwhile."""
        start = asyncio.create_task(self._start_engine())
        while not start.done():
            wake = asyncio.create_task(self._wake.wait())
            await asyncio.wait({start, wake}, return_when=asyncio.FIRST_COMPLETED)
            wake.cancel()
            self._wake.clear()
            if self._stopping or self._lost:
                start.cancel()
                await asyncio.wait({start})
                return not start.cancelled() and start.exception() is None
        await start
        return True

    async def _start_engine(self) -> None:
        for tries_left in range(ENGINE_TRIES - 1, -1, -1):
            try:
                await self._engine.start()
                return
            except Exception as error:
                # A worker that was frozen here may have lost its lease.
                await look(self._store, self._me.id)
                if not tries_left:
                    raise StoreError(
                        f"The job engine cannot start: {first_line(error)}",
                        hint="It makes its own tables, in a schema `dbos`.",
                    ) from error
                log.warning("the engine is started once more: %s", first_line(error))

    async def _tick(self) -> bool:
        """Look once at everything; return True when the worker shall end."""
        self._timeout = self._settings.lease_seconds
        self._bulks.wake()
        if self._lost or self._stopping:
            return True
        try:
            await self._mend()
            outlook = await look(self._store, self._me.id)
            if outlook.moved_back:
                log.warning("the clock was moved back: what waits for its next try begins anew")
                await begin_waits_anew(self._store)
                outlook = await look(self._store, self._me.id)
            self._draining = outlook.draining
            if outlook.draining and not self._jobs:
                log.info("drained for a newer version")
                return True
            check = self._checks.start_due(outlook)
            if check is not None:
                self._wait_at_most(check)
            await self._settle(outlook)
            took = await self._claim(outlook)
            if not outlook.draining:
                # A worker that makes way for a newer one leaves what is due by the clock to that.
                await self._housekeeping.run_by_and_by()
                self._wait_at_most(self._housekeeping.wait)
            return not took and await self._is_over(outlook)
        except (LeaseLost, *FLAWS):
            raise
        except (SQLAlchemyError, OSError, StoreError) as error:
            log.warning("the database does not answer: %s", first_line(error))
            self._wait_at_most(1.0)
            return False

    def _wait_at_most(self, seconds: float) -> None:
        self._timeout = min(max(seconds, 0.01), self._timeout)

    async def _mend(self) -> None:
        """Mend what an engine failure left: jobs that never began, runs without an ending."""
        now = time.monotonic()
        for run, job in tuple(self._jobs.items()):
            if job.task is None and now - job.claimed_at > START_SECONDS:
                named = (run.request_id, run.attempt)
                log.warning("the engine did not begin job %s in time", named)
                self._unfinished.add(run)
                del self._jobs[run]
        for run in tuple(self._unfinished):
            with contextlib.suppress(RunLost):
                given_back = give_back("The worker's engine failed; tried again.")
                await self._records.write(run, None, given_back)
            self._unfinished.discard(run)
        await self._forget()

    async def _forget(self) -> None:
        """Delete what the engine keeps of ended jobs, some time after their end: until then it writes of it itself."""
        now = time.monotonic()
        if self._ended:
            self._wait_at_most(FORGET_SECONDS)
        if not self._dead and not (self._ended and now - self._ended[0][0] > FORGET_SECONDS):
            return
        old = [ended for ended in self._ended if now - ended[0] > FORGET_SECONDS / 2]
        self._ended = self._ended[len(old) :]
        dead, self._dead = self._dead, set()
        try:
            await self._engine.forget([(run.request_id, run.attempt) for _, run in old], dead)
        except Exception as error:  # noqa: BLE001 - housekeeping of a disposable store
            log.warning("ended jobs were not deleted: %s", first_line(error))

    async def _settle(self, outlook: Outlook) -> None:
        if not outlook.waiting:
            return
        begun = time.monotonic()
        if begun >= self._settle_at:
            await settle_all(self._store)
            took = time.monotonic() - begun
            self._settle_at = time.monotonic() + max(SETTLE_SECONDS, took * SETTLE_PAUSE)
        self._wait_at_most(self._settle_at - time.monotonic())

    async def _claim(self, outlook: Outlook) -> bool:
        """Take what is due; return True when something was taken."""
        if outlook.next_at is not None:
            self._wait_at_most(outlook.next_at - outlook.now)
        free = self._settings.slots - len(self._jobs)
        if not outlook.due or outlook.draining or free <= 0:
            return False
        bulk = sum(job.claimed.priority >= Priority.BULK for job in self._jobs.values())
        for_bulk = max(0, self._settings.slots - self._settings.interactive_slots - bulk)
        slots = Slots(free, min(free, for_bulk), self._removals)
        taken = await claim(self._store, self._me.id, slots, self._limits)
        for claimed in taken:
            self._jobs[claimed.run] = _Job(claimed, time.monotonic())
        for claimed in taken:
            await self._submit(claimed)
        if not taken:
            wait = self._limits.next_start()
            self._wait_at_most(CLAIM_AGAIN_SECONDS if wait is None else wait)
        return bool(taken)

    async def _submit(self, claimed: ClaimedRequest) -> None:
        run = claimed.run
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._engine.submit(run.request_id, run.attempt, claimed.priority)
        except Exception as error:  # noqa: BLE001 - whatever it was, the request must not be lost
            log.warning("request %d was not queued: %s", run.request_id, first_line(error))
            job = self._jobs.get(run)
            if job is None or job.task is None:
                self._unfinished.add(run)
                self._jobs.pop(run, None)
            self._wait_at_most(1.0)

    async def _run_job(self, request_id: int, attempt: int) -> None:
        run = Run(request_id, attempt, self._me.id)
        job = self._jobs.get(run)
        if job is None or job.task is not None:
            return
        job.task = asyncio.current_task()
        try:
            await run_attempt(self._around, run)
        except RunLost:
            log.info("request %d, attempt %d no longer counts", request_id, attempt)
        except asyncio.CancelledError:
            self._unfinished.add(run)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the request must not be lost
            log.warning("request %d, attempt %d: %s", request_id, attempt, first_line(error))
            await self._rescue(run, error)
        finally:
            self._ended.append((time.monotonic(), run))
            self._jobs.pop(run, None)
            self._wake.set()

    async def _rescue(self, run: Run, error: Exception) -> None:
        """Try an error that no connector made again as one that can heal, or later when the database is away."""
        said = f"The worker failed: {first_line(error)}"
        failure = AttemptFailure(ErrorKind.TRANSIENT, said, "The worker's log may say more.")
        delay = min(2.0 ** min(run.attempt, 30), self._settings.retry_cap_seconds)
        try:
            retry = Retry(delay, max(1, self._settings.retry_limit))
            await self._records.write(run, None, try_again(failure, retry))
        except RunLost:
            return
        except Exception as again:  # noqa: BLE001 - given back when the database answers, see _mend
            log.warning("request %d stays for later: %s", run.request_id, first_line(again))
            self._unfinished.add(run)

    async def _is_over(self, outlook: Outlook) -> bool:
        """Return True when an idle embedded worker has ended itself."""
        waits_for_check = bool(outlook.paused) and outlook.waiting
        is_busy = self._jobs or self._checks.running or self._housekeeping.keeps_awake
        if is_busy or outlook.due or outlook.next_at or waits_for_check:
            self._busy_at = time.monotonic()
            return False
        if self._stays:
            return False
        idle = time.monotonic() - self._busy_at
        if idle < self._settings.idle_seconds:
            self._wait_at_most(self._settings.idle_seconds - idle)
            return False
        ahead = self._settings.schedule_ahead_seconds
        if await retire_if_idle(self._store, self._me.id, ahead):
            log.info("idle: ended")
            return True
        self._busy_at = time.monotonic()
        self._wait_at_most(0.01)
        return False

    async def _keep(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Go on with `work` whatever the database does meanwhile."""
        while True:
            try:
                await work()
            except LeaseLost as lost:
                log.error("%s", lost.what)
                self._lost = True
                for task in self._tasks:
                    task.cancel()
                self._wake.set()
                return
            except Exception as error:  # noqa: BLE001 - the next try may do better
                log.warning("%s: %s", work.__name__, first_line(error))
            await asyncio.sleep(self._settings.lease_seconds / BEATS_PER_LEASE)

    async def _heartbeat(self) -> None:
        steady_since = time.monotonic()
        lease = self._settings.lease_seconds
        ahead: float | None = None
        while True:
            now = await beat(self._store, self._me.id, lease)
            before, ahead = ahead, now - time.monotonic()
            if before is not None and abs(ahead - before) > lease / 2:
                # A clock that leaped has ended everybody's lease.
                steady_since = time.monotonic()
            # After an outage of the database everybody's lease has run out: let others beat first.
            if not self._store.is_sqlite and time.monotonic() - steady_since > lease:
                buried = await bury_the_dead(self._store, lease)
                self._dead |= set(buried.dead)
                if buried.requests:
                    log.info("took over requests %s from %s", buried.requests, buried.dead)
                self._limits.workers = len(await live_workers(self._store, lease))
            await asyncio.sleep(lease / BEATS_PER_LEASE)

    async def _listen(self) -> None:
        async with aclosing(changes(self._store)) as feed:
            async for _ in feed:
                self._wake.set()

    async def _end(self, helpers: list[asyncio.Task[None]], started: bool) -> None:
        """Let go of everything; without the lease nothing more is written."""
        if not self._lost:
            await self._wait_for_steps()
        for task in (*self._tasks, *self._checks.running):
            task.cancel()
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, *self._tasks, *self._checks.running, return_exceptions=True)
        await self._records.close()
        if not self._lost:
            try:
                given = await retire(self._store, self._me.id)
                if given:
                    log.info("gave back requests %s", given)
            except (SQLAlchemyError, OSError, StoreError) as error:
                log.warning("the lease was not given back: %s", first_line(error))
        if started:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._engine.close(), CLOSE_SECONDS)
        await self._backends.close()

    async def _wait_for_steps(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while self._tasks and time.monotonic() < deadline and not self._lost:
            await asyncio.wait(self._tasks, timeout=0.1)
