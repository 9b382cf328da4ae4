"""How fast: waits between tries, and how many requests of a connector may start."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Callable

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.states import REFUSING_KINDS, ErrorKind
from mission_control_tui.provisioning.connector_thread import current_call
from mission_control_tui.settings.settings import ConnectorSettings, WorkerSettings

LONGEST_RETRY_AFTER = 3600.0
"""A back end that asks for more is asked again all the same."""
PENDING_SHARE = 0.25
LONGEST_PENDING_SECONDS = 60.0
LONGEST_PAUSES = 4.0
"""So many times `pause_seconds` is the longest that a back end which cannot be reached is left alone."""


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


def pause_delay(
    kind: ErrorKind,
    retry_after: float | None,
    worker: WorkerSettings,
    rng: random.Random,
    times: int,
) -> float:
    """Return the seconds until a paused connector is checked, after the same trouble was met `times` times before.

    What a person has to mend is looked at every `pause_seconds`; the rest waits longer each time, with jitter. What
    the back end itself asked for comes first.
    """
    if kind in REFUSING_KINDS:
        return worker.pause_seconds
    longest = min(worker.retry_cap_seconds, worker.pause_seconds * LONGEST_PAUSES)
    grown = min(longest, worker.retry_first_seconds * 2.0 ** min(times, 60))
    asked = min(max(retry_after or 0.0, 0.0), LONGEST_RETRY_AFTER)
    return asked + grown * rng.uniform(0.5, 1.0)


class RateLimits:
    """Concurrency and rate of each connector, as the settings have them.

    A rate counts calls to the back end, over any window of a second (longer for rates below one). It is divided among
    `workers`. Calls are counted in the connectors' own threads.
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
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self.workers = 1

    def concurrency(self, connector: str, *, bulk: bool) -> int:
        """Return how many requests of the connector may run at the same time.

        Bulk never gets the share of them that interactive slots are of all slots, at least one where there are two.
        """
        most = self._settings(connector).concurrency
        return max(1, most - max(1, round(most * self._interactive_share))) if bulk else most

    def starts_left(self, connector: str) -> int:
        """Return how many requests of the connector may start now: as many as it may be called."""
        limit, window = self._rate(connector)
        with self._lock:
            return limit - len(self._recent(connector, window))

    async def pace(self, connector: str) -> None:
        """Return when the back end may be called once more, which is counted.

        Raises ConnectorError (stale) when the act that the call belongs to has run out of time meanwhile.
        """
        call = current_call.get()
        begun = time.monotonic()
        if call is not None:
            call.waits_since = begun
        try:
            while (wait := self.called(connector)) > 0.0:  # noqa: ASYNC110 - time alone makes room
                await asyncio.sleep(wait)
        finally:
            if call is not None:
                call.paced += time.monotonic() - begun
                call.waits_since = None
        if call is not None and (call.over or call.left() <= 0.0):
            raise ConnectorError(
                ErrorKind.STALE, "The act ran out of time before it began", code="late"
            )

    def called(self, connector: str) -> float:
        """Count one call and return 0, or return the seconds until there may be one."""
        limit, window = self._rate(connector)
        with self._lock:
            calls = self._recent(connector, window)
            if len(calls) < limit:
                calls.append(self._clock())
                return 0.0
            return max(calls[0] + window - self._clock(), 0.001)

    def next_start(self) -> float | None:
        """Return the seconds until a connector that is at its limit may be called again; None when none is."""
        waits: list[float] = []
        with self._lock:
            for connector in tuple(self._calls):
                limit, window = self._rate(connector)
                calls = self._recent(connector, window)
                if len(calls) >= limit:
                    waits.append(calls[0] + window - self._clock())
        return max(0.0, min(waits)) if waits else None

    def _rate(self, connector: str) -> tuple[int, float]:
        rate = self._settings(connector).rate_per_second / max(1, self.workers)
        return (max(1, int(rate)), 1.0) if rate >= 1 else (1, 1.0 / rate)

    def _recent(self, connector: str, window: float) -> deque[float]:
        calls = self._calls.setdefault(connector, deque())
        since = self._clock() - window
        while calls and calls[0] <= since:
            calls.popleft()
        return calls
