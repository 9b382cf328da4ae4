"""The open connectors of a worker, and the settings that they were opened with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.rate_limits import RateLimits
from mission_control_tui.settings.followed import FollowedSettings
from mission_control_tui.settings.settings import ConnectorSettings, Settings

log = logging.getLogger(__name__)


class Backends:
    """Opens each connector once, when it is first needed."""

    def __init__(
        self, settings: Settings, installation: str, reload: Callable[[], Settings] | None = None
    ) -> None:
        self._followed = FollowedSettings(settings, reload)
        self.installation = installation
        self._open: dict[str, Guarded] = {}
        self._observing: set[str] = set()
        self.limits = RateLimits(settings.worker, self.rates)
        """How fast each of them may be called."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the connectors that the settings name, and the simulator that is there by itself, sorted."""
        return tuple(sorted({*self._followed.latest.connectors, "simulator"}))

    def rates(self, name: str) -> ConnectorSettings:
        """Return concurrency and rate; defaults for a name that the settings lack, whose requests fail on their own."""
        try:
            return self._followed.latest.connector(name)
        except UsageError:
            return ConnectorSettings(type=name)

    async def get(self, name: str) -> Guarded:
        """Return the open connector.

        Raises MissionControlError when settings or package do not allow it, ConnectorError (transient) while the
        settings that may know it cannot be read.
        """
        if name in self._observing or (name in self._open and self._followed.problem):
            await self._look_again(name)
        if name not in self._open:
            if not self._is_known(name):
                # A service may have been moved to a connector that was added while this worker runs.
                await self._followed.read_again()
                if self._followed.problem and not self._is_known(name):
                    raise ConnectorError(
                        ErrorKind.TRANSIENT,
                        f"Connector {name} is not known yet: {self._followed.problem}",
                        remedy="Correct the settings file.",
                    )
            self._followed.latest.connector(name)
            self._open[name] = await self._opened(name)
        return self._open[name]

    async def refresh(self, name: str) -> None:
        """Read the settings again; a connector whose table has changed is opened anew.

        Settings that cannot be read change nothing. Raises MissionControlError where the new table does not allow it;
        the connector stays as it was then.
        """
        before = self._followed.latest.connectors.get(name)
        await self._followed.read_again()
        if self._followed.latest.connectors.get(name) != before:
            self._followed.latest.connector(name)
            fresh = await self._opened(name)
            await self._shut(name)
            self._open[name] = fresh

    def _is_known(self, name: str) -> bool:
        try:
            self._followed.latest.connector(name)
        except UsageError:
            return False
        return True

    async def _opened(self, name: str) -> Guarded:
        table = self._followed.latest.connectors.get(name, {})
        return await registry.load(name, table, self.installation, partial(self.limits.pace, name))

    def only_observes(self, name: str) -> None:
        """Note that the connector was seen in observe mode: the next `get` reads the settings again."""
        self._observing.add(name)

    async def _look_again(self, name: str) -> None:
        self._observing.discard(name)
        try:
            await self.refresh(name)
        except MissionControlError as error:
            log.warning("connector %s stays as it was read last: %s", name, error.what)

    async def close(self) -> None:
        """Close all of them."""
        for name in tuple(self._open):
            await self._shut(name)

    async def _shut(self, name: str) -> None:
        backend = self._open.pop(name, None)
        if backend is not None:
            await backend.aclose()
