"""A worker's reads and writes for its running attempts: what several of them need at a moment is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from mission_control_tui.model.requests import jobs, run_batch, step_batch
from mission_control_tui.model.requests.attempts import (
    Job,
    Run,
    StepResult,
    StepStart,
    StopReason,
)
from mission_control_tui.model.requests.run_batch import RunWork, RunWrite
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.collector import Collector, Crowd

T = TypeVar("T")


class RunRecords:
    """The records of all runs of one worker. `runs` says how many there are now."""

    def __init__(self, store: Store, runs: Callable[[], int]) -> None:
        crowd = Crowd(runs)
        # Attempts that have begun together come together.
        self._loads = Collector[Run, Job](partial(jobs.load, store), crowd, patient=False)
        self._writes = Collector[RunWrite, object](partial(run_batch.write, store), crowd)
        self._steps = (
            self._writes
            if store.is_sqlite
            else Collector[RunWrite, object](partial(step_batch.begin_steps, store), crowd)
        )

    async def load(self, run: Run) -> Job:
        """Return what the run shall do. Raises RunLost, and NotFound when the catalogue lacks service or level."""
        return await self._loads.ask(run)

    async def begin(
        self, run: Run, result: StepResult | None, start: StepStart
    ) -> StopReason | None:
        """Begin the run's next step, unless it must stop: return why. Raises RunLost."""
        write = RunWrite(run, result, start)
        collector = self._writes if write.needs_rows else self._steps
        return cast("StopReason | None", await collector.ask(write))

    async def write(self, run: Run, result: StepResult | None, work: RunWork[T]) -> T:
        """Return once the run's write is committed, with the step that is over. Raises RunLost."""
        return cast("T", await self._writes.ask(RunWrite(run, result, work)))

    async def close(self) -> None:
        """Stop; a transaction that has not been committed is rolled back."""
        await self._loads.close()
        await self._steps.close()
        await self._writes.close()
