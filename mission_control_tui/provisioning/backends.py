"""The open connectors of a worker, and the settings that they were opened with.

A connector whose table has changed is opened anew beside the open one: what begins from then on uses the new one, what
runs ends with the old one, which is closed when nobody uses it any more. A table that cannot be used changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.connect.declaration import Declaration
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError, StoreError, UsageError
from mission_control_tui.model.requests.removal_limit import RemovalLimit
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
TablesChanged = Callable[[Collection[str]], Awaitable[None]]
"""Told the connectors whose tables have changed, and the composites that they are parts of."""

REFUSED_SECONDS = 10.0
"""How long it takes until a table that could not be used is tried again: what it needs may have come."""


@dataclass(eq=False, slots=True)
class _Opened:
    """An open connector, and what it was opened with. Composites count among the users of their parts."""

    connector: Guarded
    limits: ConnectorSettings
    parts: tuple[_Opened, ...] = ()
    users: int = 0
    replaced: bool = False


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
        self._open: dict[str, _Opened] = {}
        self._alive: set[_Opened] = set()
        self._refused: dict[str, tuple[Mapping[str, object], float]] = {}
        self._told: dict[str, str] = {}
        self._noticed = settings.connectors
        self._observing: set[str] = set()
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.limits = RateLimits(settings.worker, self.rates)
        """How fast each of them may be called."""
        worker = settings.worker
        self.removals = RemovalLimit(
            worker.removal_limit, worker.removal_window_seconds, self.made_of
        )
        """How many removals may start at each of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the connectors that the settings name, and the simulator that is there by itself, sorted."""
        return tuple(sorted({*self._followed.latest.connectors, "simulator"}))

    def rates(self, name: str) -> ConnectorSettings:
        """Return concurrency and rate, of an open connector those that it was opened with.

        Defaults for a name that the settings lack, whose requests fail on their own.
        """
        if (opened := self._open.get(name)) is not None:
            return opened.limits
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
        return (await self._current(name)).connector

    @asynccontextmanager
    async def using(self, name: str) -> AsyncIterator[Guarded]:
        """Yield what `get` returns, which is not closed before the block ends. Raises as `get` does."""
        await self.get(name)
        opened = await self._current(name)
        opened.users += 1
        try:
            yield opened.connector
        finally:
            await self._leave(opened)

    def opened(self, name: str) -> Guarded | None:
        """Return a connector that is open already; what somebody from outside names is opened by nobody."""
        opened = self._open.get(name)
        return opened.connector if opened is not None else None

    async def _current(self, name: str) -> _Opened:
        if name not in self._open:
            # Several requests need it at the same moment.
            async with self._opening[name]:
                if name not in self._open:
                    await self._get_to_know(name)
                    self._open[name] = await self._opened(name)
        return self._open[name]

    async def _leave(self, opened: _Opened) -> None:
        opened.users -= 1
        await self._close_unused(opened)

    async def _close_unused(self, opened: _Opened) -> None:
        if opened.replaced and not opened.users and opened in self._alive:
            self._alive.remove(opened)
            await opened.connector.aclose()
            for part in opened.parts:
                await self._leave(part)

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

    async def follow_settings(self, changed: TablesChanged) -> None:
        """Take over what the settings file says now, whenever it is changed; runs until it is cancelled.

        What is wrong with it is said at once.
        """
        await self._followed.follow(partial(self._take_over, changed))

    async def _take_over(self, changed: TablesChanged) -> None:
        tables = self._followed.latest.connectors
        names = {
            name
            for name in tables.keys() | self._noticed.keys()
            if tables.get(name) != self._noticed.get(name)
        }
        for name in sorted(self._open, key=self._is_composite):
            table, again_at = self._refused.get(name, (None, 0.0))
            if table != self._table(name) or time.monotonic() >= again_at:
                try:
                    await self._renew(name)
                except (MissionControlError, ConnectorError) as error:
                    self._stays(name, error)
        if names:
            await changed(names.union(*map(self.holders, names)))
        self._noticed = tables

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
        """Open a connector anew whose table or part has changed, and the composites that it is a part of."""
        async with self._opening[name]:
            before = self._open.get(name)
            if before is None:
                return
            if not (self._has_other_table(name) or any(part.replaced for part in before.parts)):
                self._refused.pop(name, None)
                self._told.pop(name, None)
                return
            self._open[name] = await self._opened(name)
            before.replaced = True
            log.info("connector %s was opened anew: its settings were changed", name)
            await self._close_unused(before)
        for composite in self.holders(name) - {name}:
            try:
                await self._renew(composite)
            except (MissionControlError, ConnectorError) as error:
                self._stays(composite, error)

    def _stays(self, name: str, error: MissionControlError | ConnectorError) -> None:
        """Note that the table of a connector cannot be used; the reason is told once."""
        self._refused[name] = (self._table(name), time.monotonic() + REFUSED_SECONDS)
        said = error.said if isinstance(error, ConnectorError) else error.what_in_a_line
        if self._told.get(name) != said:
            log.warning("connector %s goes on with the settings before: %s", name, said)
        self._told[name] = said

    def _is_outdated(self, name: str) -> bool:
        """Tell whether the settings read last have another table for it, or a part of it, than it was opened with."""
        return any(self._has_other_table(each) for each in (name, *self._parts(name)))

    def _has_other_table(self, name: str) -> bool:
        opened = self._open.get(name)
        return opened is not None and opened.connector.context.settings != self._table(name)

    def _is_composite(self, name: str) -> bool:
        return registry.is_composite(name, self._followed.latest)

    def holders(self, name: str) -> frozenset[str]:
        """Return the connector itself and the composites that it is a part of."""
        return frozenset({name, *holders_of(name, self._followed.latest)})

    async def holders_now(self, name: str) -> frozenset[str]:
        """Return the same by the settings as they stand now.

        Raises ConnectorError (transient) while these cannot be read.
        """
        if self.is_stale or self._followed.problem:
            await self._followed.read_again()
        if self._followed.problem:
            raise ConnectorError(
                ErrorKind.TRANSIENT,
                f"Of what {name} is a part is not known: {self._followed.problem}",
                remedy="Correct the settings file.",
            )
        return self.holders(name)

    def made_of(self, name: str) -> frozenset[str]:
        """Return the connectors of a composite's parts; of any other the connector itself."""
        return frozenset(self._parts(name)) or frozenset({name})

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

    async def _opened(self, name: str) -> _Opened:
        opened = await self._loaded(name)
        self._alive.add(opened)
        connector = opened.connector
        if self._keep is not None:
            try:
                await self._keep(name, connector.declares)
            except (SQLAlchemyError, OSError, StoreError) as error:
                # What waits for the connector does not need it; the next opening tells it again.
                log.warning("connector %s: what it keeps was not stored: %s", name, error)
        return opened

    async def _loaded(self, name: str) -> _Opened:
        settings = self._followed.latest
        limits = settings.connector(name)
        if not registry.is_composite(name, settings):
            pace = partial(self.limits.pace, name)
            table = settings.connectors.get(name, {})
            return _Opened(await registry.load(name, table, self.installation, pace), limits)
        parts: list[_Opened] = []

        async def part(name: str) -> Guarded:
            # As it is: whoever opened it anew here would wait for the composite, which is being opened.
            opened = await self._current(name)
            opened.users += 1
            parts.append(opened)
            return opened.connector

        try:
            composite = await registry.load_composite(name, settings, self.installation, part)
        except BaseException:
            for opened in parts:
                await self._leave(opened)
            raise
        return _Opened(composite, limits, tuple(parts))

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
            self._stays(name, error)

    async def close(self) -> None:
        """Close all of them."""
        self._open.clear()
        while self._alive:
            await self._alive.pop().connector.aclose()
