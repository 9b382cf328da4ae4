"""The guard before all that the clock does and nobody can take back: it compares the clocks while a worker runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.database import Store

log = logging.getLogger(__name__)

LEAP_SECONDS = 300.0
"""A clock that moves by more against the time since boot has leaped."""
SLEW = 0.001
"""How fast a clock may be put right without a leap: twice what NTP does."""
NOTE_SECONDS = 600.0
"""How often the time that is taken for right is noted."""


def since_boot() -> float:
    """Return the seconds since this machine was started, its sleep included: no setting of clocks moves them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockGuard:
    """The guard of one worker. `wall` and `boot` are the machine's clocks, in seconds."""

    def __init__(
        self,
        store: Store,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._wall = wall
        self._boot = boot
        self._began: tuple[float, float, float] | None = None
        """Time since boot, and how far this machine's and the database's clock were from it; None: to be taken."""
        self._noted_at: float | None = None

    async def trusts(self) -> bool:
        """Tell whether the clocks may decide now; what is found against them is noted, for everybody."""
        async with self._store.read() as session:
            found = await trusted_clock.state(session)
        boot = self._boot()
        offsets = self._wall() - boot, found.now.timestamp() - boot
        if found.doubted_at is not None:
            # Once somebody has confirmed it, it is right as it is then.
            self._began = None
            return False
        why = found.doubt or self._leap(boot, offsets)
        if why:
            log.warning("the clock is doubted: %s", why)
            await trusted_clock.doubt(self._store, why)
            self._began = None
            return False
        if self._began is None:
            self._began = boot, *offsets
        if self._noted_at is None or boot - self._noted_at > NOTE_SECONDS:
            await trusted_clock.trust(self._store, found.now)
            self._noted_at = boot
        return True

    def _leap(self, boot: float, offsets: tuple[float, float]) -> str:
        if self._began is None:
            return ""
        began, *before = self._began
        allowed = LEAP_SECONDS + SLEW * (boot - began)
        for whose, old, new in zip(("this machine", "the database"), before, offsets, strict=True):
            moved = new - old
            if abs(moved) > allowed:
                way = "forward" if moved > 0 else "back"
                by = timedelta(seconds=round(abs(moved)))
                return f"The clock of {whose} leaped {way} by {by} while a worker ran."
        return ""
