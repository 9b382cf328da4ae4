"""What the worker does by the clock: schedules, accounts that expired, services whose time of being kept is over, the
recycling bin, renewals, statements, and what ended long ago.

A pass is bounded in time, so that whoever waits for a request does not wait for these; what is left over is taken up in
the next. All of it is timed by the database's clock and done in one transaction each, so that a killed worker, or
another one beside it, changes nothing about its happening once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

from mission_control_tui.model.schedules import due as schedule_due
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.clock_guard import ClockGuard
from mission_control_tui.provisioning.late_imports import imported
from mission_control_tui.provisioning.sweeps import Sweeps
from mission_control_tui.settings.settings import WorkerSettings

log = logging.getLogger(__name__)

PASS_SECONDS = 0.25
"""A pass begins nothing new after so long."""
APART_SECONDS = 0.5
"""How late something may be that became due while a worker was busy."""
SWEEP_SECONDS = 600.0
"""How often expired accounts, the recycling bin and the months that are over are looked at."""


async def taking_away() -> frozenset[str]:
    """Return the verbs of schedules that take something away."""
    await imported("mission_control_tui.model.schedules.actions")
    from mission_control_tui.model.schedules.actions import TAKING_AWAY

    return TAKING_AWAY


class Housekeeping:
    """The housekeeping of one worker. `wait`: seconds that it may sleep until the next pass (0: more to do).

    `clock` says the seconds that sweeps and refusals are timed by. While `guard` doubts the clocks, nothing happens
    that cannot be taken back: sweeps and schedules that take something away wait.
    """

    def __init__(
        self,
        store: Store,
        settings: WorkerSettings,
        clock: Callable[[], float] = time.monotonic,
        guard: ClockGuard | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._guard = guard or ClockGuard(store)
        self._sweep_at = clock()
        self._next_at = 0.0
        self._sweeps = Sweeps(store, settings, clock, self._guard)
        self.wait = 0.0
        self.keeps_awake = True
        """Whether an embedded worker stays for what will be due soon."""

    async def run_by_and_by(self) -> None:
        """Make a pass, unless the last one has just found nothing to do: a worker looks at its queue more often."""
        again = self._next_at - time.monotonic()
        if again > 0:
            self.wait = again
            return
        await self.run()
        self._next_at = time.monotonic() + min(self.wait, APART_SECONDS)

    async def run(self) -> None:
        """Make one pass. Raises what the database raises when it is away."""
        deadline = time.monotonic() + PASS_SECONDS
        trusts = await self._guard.trusts()
        held = () if trusts else await taking_away()
        moment = await schedule_due.next_moment(self._store, held)
        left = False
        if moment is not None and moment <= 0:
            left = await self._schedules(deadline, held)
            moment = await schedule_due.next_moment(self._store, held)
        if trusts and not left and self._clock() >= self._sweep_at:
            left = await self._sweeps.run(deadline)
            if not left:
                self._sweep_at = self._clock() + SWEEP_SECONDS
        # In doubt a pass waits for whoever confirms, which wakes the worker.
        until_sweep = max(0.0, self._sweep_at - self._clock()) if trusts else SWEEP_SECONDS
        self.wait = (
            0.0 if left else min(until_sweep, until_sweep if moment is None else max(0.0, moment))
        )
        soon = moment is not None and moment <= self._settings.schedule_ahead_seconds
        self.keeps_awake = left or soon

    async def _schedules(self, deadline: float, held: Collection[str]) -> bool:
        """Run what is due; return True when some is left."""
        await imported("mission_control_tui.model.schedules.running")
        from mission_control_tui.model.schedules import running as schedule_running

        away = await taking_away()
        for schedule in (due := await schedule_due.due(self._store, held)):
            if schedule.action in away and not await self._guard.trusts():
                continue
            ended = await schedule_running.run(self._store, schedule)
            if ended is ScheduleState.DONE:
                log.info("schedule %d: done", schedule.id)
            if time.monotonic() > deadline:
                return schedule is not due[-1]
        return False
