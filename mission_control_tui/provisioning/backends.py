"""The open connectors of a worker, and the settings that they were opened with."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.provisioning.connectors import registry
from mission_control_tui.provisioning.connectors.base import Connector
from mission_control_tui.provisioning.connectors.options import call_timeout
from mission_control_tui.settings.settings import ConnectorSettings, Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """An open connector; `call_seconds` is the hard limit of one call."""

    connector: Connector
    call_seconds: float


class Backends:
    """Opens each connector once, when it is first needed."""

    def __init__(
        self, settings: Settings, installation: str, reload: Callable[[], Settings] | None = None
    ) -> None:
        self._settings = settings
        self.installation = installation
        self._reload = reload
        self._open: dict[str, Backend] = {}
        self._observing: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the connectors that the settings name, and the simulator that is there by itself, sorted."""
        return tuple(sorted({*self._settings.connectors, "simulator"}))

    def rates(self, name: str) -> ConnectorSettings:
        """Return concurrency and rate; defaults for a name that the settings lack, whose requests fail on their own."""
        try:
            return self._settings.connector(name)
        except UsageError:
            return ConnectorSettings(type=name)

    async def get(self, name: str) -> Backend:
        """Return the open connector. Raises MissionControlError when settings or package do not allow it."""
        if name in self._observing:
            await self._look_again(name)
        if name not in self._open:
            try:
                self._settings.connector(name)
            except UsageError:
                if self._reload is None:
                    raise
                # A service may have been moved to a connector that was added while this worker runs.
                self._settings = self._reload()
                self._settings.connector(name)
            table = self._settings.connectors.get(name, {})
            seconds = call_timeout(name, table)
            connector = await registry.load(name, table, self.installation)
            self._open[name] = Backend(connector, seconds)
        return self._open[name]

    async def refresh(self, name: str) -> None:
        """Read the settings again; a connector whose table has changed is opened anew. Raises UsageError."""
        if self._reload is None:
            return
        before = self._settings.connectors.get(name)
        self._settings = self._reload()
        if self._settings.connectors.get(name) != before:
            await self._shut(name)

    def only_observes(self, name: str) -> None:
        """Note that the connector was seen in observe mode: the next `get` reads the settings again."""
        self._observing.add(name)

    async def _look_again(self, name: str) -> None:
        self._observing.discard(name)
        try:
            await self.refresh(name)
        except MissionControlError as error:
            log.warning("the settings cannot be read again: %s", error.what)

    async def close(self) -> None:
        """Close all of them."""
        for name in tuple(self._open):
            await self._shut(name)

    async def _shut(self, name: str) -> None:
        backend = self._open.pop(name, None)
        if backend is None:
            return
        with contextlib.suppress(TimeoutError):
            try:
                await backend.connector.aclose()
            except Exception as error:  # noqa: BLE001 - a connector is somebody else's code
                log.warning("connector %s did not close: %s", name, type(error).__name__)
