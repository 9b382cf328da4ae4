"""The worker: holds a lease, takes what is due, lets the engine run it, and leaves nothing behind when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.requests.attempts import Run, RunLost
from mission_control_tui.model.requests.claims import (
    ClaimedRequest,
    Outlook,
    Slots,
    begin_waits_anew,
    look,
)
from mission_control_tui.model.requests.dependencies import settle_all
from mission_control_tui.model.requests.outcomes import AttemptFailure, Retry, give_back, try_again
from mission_control_tui.model.requests.run_batch import is_away
from mission_control_tui.model.requests.workers import (
    Identity,
    LeaseLost,
    lease_lost,
    retire_if_idle,
)
from mission_control_tui.model.states import ErrorKind, Priority
from mission_control_tui.model.store.change_feed import changes
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import ENGINE_SCHEMA, FLAWS
from mission_control_tui.provisioning.attempt import AttemptContext, run_attempt
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.bulk_runner import BulkRunner
from mission_control_tui.provisioning.callbacks import CallbackListener
from mission_control_tui.provisioning.connector_checks import ConnectorChecks, first_line
from mission_control_tui.provisioning.engine import BeatRefused, JobEngine, RunRequest
from mission_control_tui.provisioning.housekeeping import Housekeeping
from mission_control_tui.provisioning.observing import ObservingConnectors
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
MOVED_SECONDS = 2.0
"""How often it is asked whether something waits since a moment that is to come, because the clock was moved back."""
CLAIM_AGAIN_SECONDS = 0.5
"""Something is due and could not be taken: limits over all workers, or another's claim in progress."""
STOP_SECONDS = 10.0
"""How long steps in flight may take to reach their end when the worker is told to stop."""
CLOSE_SECONDS = 4.0
"""How long all that has to be let go of after that may take together."""
LAST_SECONDS, LOST_SECONDS = 15.0, 10.0
"""The process ends within so long after it was told to stop, or was lost, whatever still holds it."""
RESCUE_TRIES = 5
"""After an error of the worker itself the waits grow for so many attempts: what failed is not the back end."""
ENGINE_TRIES = 3
SILENT_SHARE = 0.8
"""Of its lease: a worker that was not heard for so long stops whatever it does, before another takes its place."""

EngineFactory = Callable[[RunRequest], JobEngine]


class Exit(IntEnum):
    """The exit code that says to whoever started a worker how it ended."""

    ENDED = 0
    LEASE_LOST = LeaseLost.exit_code


@dataclass(frozen=True, slots=True)
class _Job:
    """An attempt that has begun, and the task that runs it."""

    claimed: ClaimedRequest
    task: asyncio.Task[None]


class Worker:
    """One worker process; `run` is its whole life. `stays`: it does not end when idle.

    `ends_within` is told by when the process shall have ended at the latest, and with which code.
    """

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
        ends_within: Callable[[float, int], None] = lambda _seconds, _code: None,
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._backends = backends
        self._me = me
        self._stays = stays or not store.is_sqlite
        self._ends_within = ends_within
        self._limits = backends.limits
        self._housekeeping = Housekeeping(store, settings)
        self._engine = make_engine(self._run_job)
        self._records = RunRecords(store, lambda: len(self._jobs))
        self._observing = ObservingConnectors(store, backends, settings)
        self._around = AttemptContext(
            store,
            self._records,
            backends,
            self._observing,
            settings,
            key_file,
            lambda: self._stopping or self._lost,
            rng or random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        )
        self._wake = asyncio.Event()
        self._in_doubt = asyncio.Event()
        self._looking: asyncio.Task[Any] | None = None
        self._stopping = False
        self._stopped_at = 0.0
        self._close_by = 0.0
        self._draining = False
        self._lost = False
        self._bulks = BulkRunner(
            store, lambda: self._stopping or self._draining or self._lost, self._wake.set
        )
        self._checks = ConnectorChecks(store, settings, backends, self._wake.set)
        self._jobs: dict[Run, _Job] = {}
        self._unfinished: set[Run] = set()
        self._busy_at = time.monotonic()
        self._settle_at = 0.0
        self._doubts_at = 0.0
        self._timeout = 0.0

    @property
    def _tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks of all attempts that are under way."""
        return [job.task for job in self._jobs.values()]

    def stop(self) -> None:
        """Take nothing new, let steps in flight end, give the rest back."""
        self._stopping = True
        self._stopped_at = time.monotonic()
        self._engine.stop()
        self._wake.set()
        self._ends_within(LAST_SECONDS, Exit.ENDED)
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._hurry)

    def _hurry(self) -> None:
        """Wait no longer for a database that does not answer."""
        if self._looking is not None:
            self._store.hang_up()
            self._looking.cancel()

    async def acquire(self) -> None:
        """Become a worker, waiting for an older version to drain. Raises Conflict when another has the only place."""
        await self._engine.join(lambda: self._stopping)

    async def run(self) -> int:
        """Work until told to stop, idle, drained or taken over; returns the exit code. Needs the lease."""
        helpers = [
            asyncio.create_task(self._keep(self._listen)),
            asyncio.create_task(self._keep(self._bulks.run)),
            asyncio.create_task(self._keep(self._checks.follow_settings)),
        ]
        if address := self._settings.callbacks:
            callbacks = CallbackListener(self._store, self._backends, address, self._wake.set)
            helpers.append(asyncio.create_task(self._keep(callbacks.run)))
        started = False
        self._looking = asyncio.current_task()
        try:
            started = await self._started()
            helpers.append(asyncio.create_task(self._keep(self._heartbeat)))
            looked_at = time.monotonic()
            while not await self._tick():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._timeout)
                self._wake.clear()
                pause = BUSY_SECONDS if self._jobs else COALESCE_SECONDS
                await asyncio.sleep(max(0.0, looked_at + pause - time.monotonic()))
                looked_at = time.monotonic()
        except LeaseLost as lost:
            log.error("%s", lost.what)
            self._lost = True
        except asyncio.CancelledError:
            if not (self._stopping or self._lost):
                raise
        finally:
            self._looking = None
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
                if not tries_left:
                    raise StoreError(
                        f"The job engine cannot start: {first_line(error)}",
                        hint=f"It makes its own tables, in the schema {ENGINE_SCHEMA}.",
                    ) from error
                log.warning("the engine is started once more: %s", first_line(error))

    async def _tick(self) -> bool:
        """Look once at everything; return True when the worker shall end."""
        self._timeout = self._settings.lease_seconds
        if self._lost or self._stopping:
            return True
        try:
            await self._mend()
            outlook = await self._look()
            self._draining = outlook.draining
            if outlook.bulks:
                self._bulks.wake()
            if outlook.draining and not self._jobs:
                log.info("drained for a newer version")
                return True
            check = self._checks.start_due(outlook)
            if check is not None:
                self._wait_at_most(check)
            follow = await self._observing.follow()
            if follow is not None:
                self._wait_at_most(follow)
            await self._settle(outlook)
            took = await self._offer(outlook)
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

    async def _look(self) -> Outlook:
        if doubts := time.monotonic() >= self._doubts_at:
            self._doubts_at = time.monotonic() + MOVED_SECONDS
        outlook = await look(self._store, self._me.id, doubts_clock=doubts)
        if outlook.moved_back:
            log.warning("the clock was moved back: what waits for its next try begins anew")
            await begin_waits_anew(self._store)
            outlook = await look(self._store, self._me.id)
        return outlook

    def _wait_at_most(self, seconds: float) -> None:
        self._timeout = min(max(seconds, 0.01), self._timeout)

    async def _mend(self) -> None:
        """Give back the runs that reached no ending."""
        for run in tuple(self._unfinished):
            with contextlib.suppress(RunLost):
                given_back = give_back("The worker failed; tried again.")
                await self._records.write(run, None, given_back)
            self._unfinished.discard(run)

    async def _settle(self, outlook: Outlook) -> None:
        if not outlook.waiting:
            return
        begun = time.monotonic()
        if begun >= self._settle_at:
            await settle_all(self._store)
            took = time.monotonic() - begun
            self._settle_at = time.monotonic() + max(SETTLE_SECONDS, took * SETTLE_PAUSE)
        self._wait_at_most(self._settle_at - time.monotonic())

    async def _offer(self, outlook: Outlook) -> bool:
        """Let start what is due; return True when anything does."""
        if outlook.next_at is not None:
            self._wait_at_most(outlook.next_at - outlook.now)
        elif outlook.due:
            self._wait_at_most(CLAIM_AGAIN_SECONDS)  # when others become due is seen once none is
        free = self._settings.slots - len(self._jobs)
        if not outlook.due or outlook.draining or (free <= 0 and self._store.is_sqlite):
            return False
        bulk = sum(job.claimed.priority >= Priority.BULK for job in self._jobs.values())
        for_bulk = max(0, self._settings.slots - self._settings.interactive_slots - bulk)
        slots = Slots(free, min(free, for_bulk), self._backends.removals)
        started = await self._engine.offer(slots, self._limits, urgent=outlook.urgent)
        if not started:
            wait = self._limits.next_start()
            self._wait_at_most(CLAIM_AGAIN_SECONDS if wait is None else wait)
        return bool(started)

    async def _run_job(self, claimed: ClaimedRequest) -> None:
        run = claimed.run
        task = asyncio.current_task()
        if task is None or self._lost:
            return
        self._jobs[run] = _Job(claimed, task)
        try:
            await run_attempt(self._around, run)
        except RunLost:
            log.info("request %d, attempt %d no longer counts", run.request_id, run.attempt)
            # Another worker may have taken this one's place.
            self._in_doubt.set()
        except asyncio.CancelledError:
            self._unfinished.add(run)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the request must not be lost
            log.warning(
                "request %d, attempt %d: %s", run.request_id, run.attempt, first_line(error)
            )
            await self._rescue(run, error)
        finally:
            self._jobs.pop(run, None)
            self._wake.set()

    async def _rescue(self, run: Run, error: Exception) -> None:
        """Try an error that no connector made again as one that can heal, or later when the database is away."""
        if is_away(error):
            self._unfinished.add(run)
            return
        said = f"The worker failed: {first_line(error)}"
        failure = AttemptFailure(ErrorKind.TRANSIENT, said, "The worker's log may say more.")
        delay = min(2.0 ** min(run.attempt, RESCUE_TRIES), self._settings.retry_cap_seconds)
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
                self._engine.stop()
                for task in self._tasks:
                    task.cancel()
                self._wake.set()
                self._hurry()
                self._ends_within(LOST_SECONDS, Exit.LEASE_LOST)
                return
            except Exception as error:  # noqa: BLE001 - the next try may do better
                log.warning("%s: %s", work.__name__, first_line(error))
            await asyncio.sleep(self._settings.lease_seconds / BEATS_PER_LEASE)

    async def _heartbeat(self) -> None:
        steady_since = heard = time.monotonic()
        lease = self._settings.lease_seconds
        ahead: float | None = None
        silent = False
        while True:
            try:
                async with asyncio.timeout(self._silence_left(heard)):
                    now = await self._engine.beat()
            except (BeatRefused, OSError, TimeoutError) as error:
                if isinstance(error, BeatRefused):
                    heard = time.monotonic()
                elif self._silence_left(heard) == 0.0:
                    raise lease_lost(self._me.id) from error
                if not silent:
                    log.warning("no heartbeat: %s", first_line(error))
                silent = True
                steady_since = time.monotonic()
                await asyncio.sleep(lease / BEATS_PER_LEASE)
                continue
            heard, silent = time.monotonic(), False
            before, ahead = ahead, now - heard
            if before is not None and abs(ahead - before) > lease / 2:
                # A clock that leaped has ended everybody's lease.
                steady_since = heard
            # After an outage of the database everybody's lease has run out: let others beat first.
            if heard - steady_since > lease:
                self._limits.workers = await self._take_over()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._in_doubt.wait(), lease / BEATS_PER_LEASE)
            self._in_doubt.clear()

    def _silence_left(self, heard: float) -> float | None:
        """Return for how long this worker may still go unheard; None where nobody would take its place."""
        if not self._engine.ends_in_silence:
            return None
        return max(0.0, heard + self._settings.lease_seconds * SILENT_SHARE - time.monotonic())

    async def _take_over(self) -> int:
        try:
            return await self._engine.take_over()
        except Exception as error:  # noqa: BLE001 - the next beat tries again
            log.warning("nobody's work was taken over: %s", first_line(error))
            return self._limits.workers

    async def _listen(self) -> None:
        async with aclosing(changes(self._store)) as feed:
            async for _ in feed:
                self._wake.set()

    async def _end(self, helpers: list[asyncio.Task[None]], started: bool) -> None:
        """Let go of everything, whatever does not answer; without the lease nothing more is written."""
        if not self._lost:
            await self._wait_for_steps()
        self._close_by = time.monotonic() + CLOSE_SECONDS
        left = [*helpers, *self._tasks, *self._checks.running]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=self._time_to_close)
        await self._at_most(self._records.close())
        if not self._lost:
            try:
                async with asyncio.timeout(self._time_to_close):
                    given = await self._engine.leave({*self._unfinished, *self._jobs})
                if given:
                    log.info("gave back requests %s", given)
            except (SQLAlchemyError, OSError, StoreError) as error:
                log.warning("the lease was not given back: %s", first_line(error))
        if started:
            await self._at_most(self._engine.close(at_once=self._lost))
        await self._at_most(self._backends.close())
        if time.monotonic() > self._close_by:
            # What does not answer would be taken leave of politely.
            self._store.hang_up()

    @property
    def _time_to_close(self) -> float:
        return max(0.1, self._close_by - time.monotonic())

    async def _at_most(self, closing: Coroutine[object, object, None]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closing, self._time_to_close)

    async def _wait_for_steps(self) -> None:
        deadline = self._stopped_at + STOP_SECONDS
        while self._tasks and time.monotonic() < deadline and not self._lost:
            await asyncio.wait(self._tasks, timeout=0.1)
