"""Connectors in observe mode: how seldom what waits for them is looked at again, and what lets it go on at once.

Nothing can be done for such a wish until its connector may write, so that a look is only for what changes at the back
end by itself. The older a wish is the longer the wait, and of one connector there are only so many looks a minute,
however many wishes wait. A change of the connector's settings lets all of them be looked at at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.requests.request_plans import connectors_with_plans, look_again
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.composite import Composite
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.rate_limits import LONGEST_RETRY_AFTER
from mission_control_tui.settings.settings import WorkerSettings

log = logging.getLogger(__name__)

LOOKS_PER_MINUTE = 12
"""How often wishes of one connector are looked at again, all together; so many may come at once."""
AGE_SHARE = 1.0
"""A wish waits for as long as it has waited already, at least `retry_first_seconds`."""
LONGEST_SECONDS = LONGEST_RETRY_AFTER
FOLLOW_SECONDS = 2.0
"""How often the settings file is looked at while something waits."""

_INTERVAL = 60.0 / LOOKS_PER_MINUTE


class ObservingConnectors:
    """What one worker knows of connectors that only observe."""

    def __init__(
        self,
        store: Store,
        backends: Backends,
        settings: WorkerSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._backends = backends
        self._settings = settings
        self._clock = clock
        self._tables: dict[str, Sequence[Mapping[str, object]]] | None = None
        self._booked: dict[str, float] = {}
        self._followed_at = 0.0

    def delay(self, connector: Guarded, age: float) -> float:
        """Return the seconds until a wish that is so old is looked at again, and keep that look's place free."""
        name = connector.name
        self._note(connector)
        now = self._clock()
        booked = max(now, self._booked.get(name, now))
        grown = max(self._settings.retry_first_seconds, min(age * AGE_SHARE, LONGEST_SECONDS))
        at = max(now + grown, booked - _INTERVAL * (LOOKS_PER_MINUTE - 1))
        self._booked[name] = booked + _INTERVAL * max(1, self._backends.limits.workers)
        return min(at - now, LONGEST_SECONDS)

    async def follow(self) -> float | None:
        """Let go on what waits for a connector whose settings changed; return when to ask again, None for never."""
        if self._tables is None:
            await self._begin()
        elif self._tables and self._clock() >= self._followed_at + FOLLOW_SECONDS:
            self._followed_at = self._clock()
            for name, table in tuple(self._tables.items()):
                connector = await self._opened(name)
                if connector is not None and _tables(connector) != table:
                    await self._let_go_on(name)
        return FOLLOW_SECONDS if self._tables else None

    async def _begin(self) -> None:
        """Look at what waits since before this worker: its connectors may be other ones by now."""
        async with self._store.read() as session:
            names = await connectors_with_plans(session)
        self._tables = {}
        for name in names:
            connector = await self._opened(name)
            if connector is None or not connector.observe_setting:
                await self._let_go_on(name)
            else:
                self._note(connector)

    def _note(self, connector: Guarded) -> None:
        self._backends.only_observes(connector.name)
        if self._tables is not None:
            self._tables[connector.name] = _tables(connector)

    async def _opened(self, name: str) -> Guarded | None:
        """Return the connector as the settings have it now; None where they do not allow it."""
        try:
            return await self._backends.get(name)
        except (MissionControlError, ConnectorError) as error:
            log.info("connector %s, which only observed: %s", name, error)
            return None

    async def _let_go_on(self, name: str) -> None:
        if self._tables is not None:
            self._tables.pop(name, None)
        self._booked.pop(name, None)
        count = await look_again(self._store, name)
        log.info("connector %s was changed: %d requests are looked at again", name, count)


def _tables(connector: Guarded) -> tuple[Mapping[str, object], ...]:
    """Return the settings that a connector was opened with, and those of its parts."""
    made = connector.connector
    parts = made.parts if isinstance(made, Composite) else ()
    return (connector.context.settings, *(part.backend.context.settings for part in parts))
