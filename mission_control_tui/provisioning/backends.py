"""The open connectors of a worker, and the settings that they were opened with."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.connect.declaration import Declaration
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError, StoreError, UsageError
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.rate_limits import RateLimits
from mission_control_tui.settings.followed import FollowedSettings
from mission_control_tui.settings.served import holders_of
from mission_control_tui.settings.settings import ConnectorSettings, Settings

log = logging.getLogger(__name__)

KeepDeclaration = Callable[[str, Declaration], Awaitable[None]]
"""Keeps what a connector of that name declares, for those who may not open it."""


class Backends:
    """Opens each connector once, when it is first needed."""

    def __init__(
        self,
        settings: Settings,
        installation: str,
        reload: Callable[[], Settings] | None = None,
        keep: KeepDeclaration | None = None,
    ) -> None:
        self._followed = FollowedSettings(settings, reload)
        self.installation = installation
        self._keep = keep
        self._open: dict[str, Guarded] = {}
        self._observing: set[str] = set()
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
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
        if (name in self._observing and (self.is_stale or self._is_outdated(name))) or (
            name in self._open and self._followed.problem
        ):
            await self._look_again(name)
        if name not in self._open:
            # Several requests need it at the same moment.
            async with self._opening[name]:
                if name not in self._open:
                    await self._get_to_know(name)
                    self._open[name] = await self._opened(name)
        return self._open[name]

    def opened(self, name: str) -> Guarded | None:
        """Return a connector that is open already; what somebody from outside names is opened by nobody."""
        return self._open.get(name)

    async def _get_to_know(self, name: str) -> None:
        """Read the settings again for a name that they lack: a connector may have been added while this worker runs."""
        if not self._is_known(name):
            await self._followed.read_again()
            if self._followed.problem and not self._is_known(name):
                raise ConnectorError(
                    ErrorKind.TRANSIENT,
                    f"Connector {name} is not known yet: {self._followed.problem}",
                    remedy="Correct the settings file.",
                )

    async def follow_settings(self) -> None:
        """Say at once what is wrong with the settings file, whenever it is changed; runs until it is cancelled."""
        await self._followed.follow()

    async def refresh(self, name: str) -> None:
        """Read the settings again; a connector whose table has changed is opened anew.

        Settings that cannot be read change nothing. Raises MissionControlError where the new table does not allow it;
        the connector stays as it was then.
        """
        await self._followed.read_again()
        for part in self._parts(name):
            await self._renew(part)
        await self._renew(name)

    async def _renew(self, name: str) -> None:
        """Open a connector anew whose table has changed; composites that have it as a part are opened with it."""
        async with self._opening[name]:
            before = self._open.get(name)
            if before is None or before.context.settings == self._table(name):
                return
            self._open[name] = await self._opened(name)
            await before.aclose()
        for composite in self.holders(name):
            if composite != name and (outdated := self._open.pop(composite, None)) is not None:
                await outdated.aclose()

    def _is_outdated(self, name: str) -> bool:
        """Tell whether the settings read last have another table for it, or a part of it, than it was opened with."""
        return any(
            each in self._open and self._open[each].context.settings != self._table(each)
            for each in (name, *self._parts(name))
        )

    def holders(self, name: str) -> frozenset[str]:
        """Return the connector itself and the composites that it is a part of."""
        return frozenset({name, *holders_of(name, self._followed.latest)})

    def _parts(self, name: str) -> Collection[str]:
        return self._followed.latest.parts_of(name).values()

    def _is_known(self, name: str) -> bool:
        try:
            self._followed.latest.connector(name)
        except UsageError:
            return False
        return True

    def _table(self, name: str) -> Mapping[str, object]:
        return self._followed.latest.connectors.get(name, {})

    async def _opened(self, name: str) -> Guarded:
        connector = await self._loaded(name)
        if self._keep is not None:
            try:
                await self._keep(name, connector.declares)
            except (SQLAlchemyError, OSError, StoreError) as error:
                # What waits for the connector does not need it; the next opening tells it again.
                log.warning("connector %s: what it keeps was not stored: %s", name, error)
        return connector

    async def _loaded(self, name: str) -> Guarded:
        settings = self._followed.latest
        settings.connector(name)
        if registry.is_composite(name, settings):
            return await registry.load_composite(name, settings, self.installation, self.get)
        pace = partial(self.limits.pace, name)
        return await registry.load(name, self._table(name), self.installation, pace)

    def only_observes(self, name: str) -> None:
        """Note that the connector was seen in observe mode: a `get` after a change of the settings reads them again."""
        self._observing.add(name)

    @property
    def is_stale(self) -> bool:
        """Whether the settings file was changed since it was read."""
        return self._followed.is_stale

    async def _look_again(self, name: str) -> None:
        try:
            await self.refresh(name)
        except MissionControlError as error:
            log.warning("connector %s stays as it was read last: %s", name, error.what)

    async def close(self) -> None:
        """Close all of them."""
        while self._open:
            _, backend = self._open.popitem()
            await backend.aclose()
