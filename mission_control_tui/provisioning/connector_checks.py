"""Checks of paused connectors: one that answers again lets the requests that wait for it go on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError, StoreError
from mission_control_tui.model.requests import connector_pauses
from mission_control_tui.model.requests.claims import Outlook
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.rate_limits import pause_delay
from mission_control_tui.settings.settings import WorkerSettings

log = logging.getLogger(__name__)


class ConnectorChecks:
    """The checks of one worker, at most one of a connector at a time; `checked` is called after each."""

    def __init__(
        self,
        store: Store,
        settings: WorkerSettings,
        backends: Backends,
        checked: Callable[[], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._backends = backends
        self._checked = checked
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._rng = random.Random()  # noqa: S311 - spreads checks, keeps no secret

    @property
    def running(self) -> tuple[asyncio.Task[None], ...]:
        """Return the checks under way."""
        return tuple(self._tasks.values())

    def start_due(self, outlook: Outlook) -> float | None:
        """Start the checks that are due; return the seconds until the next one is."""
        waits = []
        for connector in outlook.paused:
            wait = connector.next_check_at - outlook.now
            if 0.0 < wait <= connector.wait:
                waits.append(wait)
            elif connector.name not in self._tasks:
                self._tasks[connector.name] = asyncio.create_task(self._check(connector.name))
        return min(waits, default=None)

    async def follow_settings(self) -> None:
        """Take over what the settings file says whenever it is changed; runs until it is cancelled.

        Connectors that are paused are checked at once where their tables have changed.
        """
        await self._backends.follow_settings(self._look_now)

    async def _look_now(self, names: Collection[str]) -> None:
        if await connector_pauses.check_at_once(self._store, names):
            self._checked()

    async def _check(self, name: str) -> None:
        try:
            if not await connector_pauses.claim_check(
                self._store, name, self._settings.pause_seconds
            ):
                return
            try:
                await self._backends.refresh(name)
                async with self._backends.using(name) as backend:
                    health = await backend.check()
            except ConnectorError as error:
                await self._still_paused(name, error, error.retry_after)
            except MissionControlError as error:
                config = ConnectorError(ErrorKind.CONFIG, str(error), remedy=error.hint)
                await self._still_paused(name, config, None)
            else:
                queued = await connector_pauses.resume(self._store, name, health.version)
                log.info("connector %s answers again; %d requests go on", name, queued)
        except (SQLAlchemyError, OSError, StoreError) as error:
            log.warning("connector %s could not be checked: %s", name, first_line(error))
        finally:
            del self._tasks[name]
            self._checked()

    async def _still_paused(
        self, name: str, error: ConnectorError, retry_after: float | None
    ) -> None:
        waits = partial(pause_delay, error.kind, retry_after, self._settings, self._rng)
        reason = connector_pauses.PauseReason(error.kind, error.said, error.remedy)
        await connector_pauses.still_paused(self._store, name, reason, waits)


def first_line(error: Exception) -> str:
    """Return what an error was, without statements and their values."""
    origin = getattr(error, "orig", None) or error
    lines = str(origin).splitlines()
    return f"{type(origin).__name__}: {lines[0][:300] if lines else ''}"
