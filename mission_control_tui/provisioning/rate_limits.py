"""How fast: waits between tries, and how many requests of a connector may start."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.settings.settings import ConnectorSettings, WorkerSettings

LONGEST_RETRY_AFTER = 3600.0
"""A back end that asks for more is asked again all the same."""
PENDING_SHARE = 0.25
LONGEST_PENDING_SECONDS = 60.0


def retry_delay(
    failures: int, error: ConnectorError, worker: WorkerSettings, rng: random.Random
) -> float:
    """Return the seconds until the next try, after `failures` earlier ones: exponential, capped, with full jitter.

    What the back end itself asked for comes first, and the jitter on top of it.
    """
    longest = min(worker.retry_cap_seconds, worker.retry_first_seconds * 2.0 ** min(failures, 60))
    asked = min(max(error.retry_after or 0.0, 0.0), LONGEST_RETRY_AFTER)
    return asked + rng.uniform(0.0, longest)


def pending_delay(age_seconds: float, worker: WorkerSettings) -> float:
    """Return the seconds until a back end that still works on it is observed again: the older, the longer."""
    least = min(worker.retry_first_seconds, LONGEST_PENDING_SECONDS)
    return max(least, min(age_seconds * PENDING_SHARE, LONGEST_PENDING_SECONDS))


class RateLimits:
    """Concurrency and rate of each connector, as the settings have them.

    A rate holds over any window of a second (longer for rates below one). It is divided among `workers`.
    """

    def __init__(
        self,
        worker: WorkerSettings,
        settings: Callable[[str], ConnectorSettings],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interactive_share = worker.interactive_slots / worker.slots
        self._settings = settings
        self._clock = clock
        self._starts: dict[str, deque[float]] = {}
        self.workers = 1

    def concurrency(self, connector: str, *, bulk: bool) -> int:
        """Return how many requests of the connector may run at the same time.

        Bulk never gets the share of them that interactive slots are of all slots, at least one where there are two.
        """
        most = self._settings(connector).concurrency
        return max(1, most - max(1, round(most * self._interactive_share))) if bulk else most

    def starts_left(self, connector: str) -> int:
        """Return how many requests of the connector may start now."""
        limit, window = self._rate(connector)
        return limit - len(self._recent(connector, window))

    def started(self, connector: str) -> None:
        """Count one start."""
        self._starts.setdefault(connector, deque()).append(self._clock())

    def next_start(self) -> float | None:
        """Return the seconds until a connector that is at its limit may start again; None when none is."""
        waits: list[float] = []
        for connector in self._starts:
            limit, window = self._rate(connector)
            starts = self._recent(connector, window)
            if len(starts) >= limit:
                waits.append(starts[0] + window - self._clock())
        return max(0.0, min(waits)) if waits else None

    def _rate(self, connector: str) -> tuple[int, float]:
        rate = self._settings(connector).rate_per_second / max(1, self.workers)
        return (max(1, int(rate)), 1.0) if rate >= 1 else (1, 1.0 / rate)

    def _recent(self, connector: str, window: float) -> deque[float]:
        starts = self._starts.setdefault(connector, deque())
        since = self._clock() - window
        while starts and starts[0] <= since:
            starts.popleft()
        return starts
