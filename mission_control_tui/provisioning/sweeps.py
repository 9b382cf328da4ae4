"""What the worker looks for every few minutes: accounts that expired, services whose time of being kept is over, the
recycling bin, renewals, statements, and what ended long ago.

What does something about it is imported when there is something: most workers never close a month or purge anybody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from mission_control_tui.model.billing.months_due import months_due
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.history import pruning
from mission_control_tui.model.orders.due_renewals import DueRenewal, due_renewals
from mission_control_tui.model.recycle_bin.overdue import Overdue, overdue
from mission_control_tui.model.requests import kept_removals
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.users.expired import ExpiredUser, expired
from mission_control_tui.provisioning.clock_guard import ClockGuard
from mission_control_tui.provisioning.late_imports import imported
from mission_control_tui.settings.settings import WorkerSettings

T = TypeVar("T")

log = logging.getLogger(__name__)

AT_ONCE = 200
REFUSED_SECONDS = 86_400.0
"""What was refused (a purge of whom a service is not gone, a renewal without a price) is tried again after so long."""


def _refusal_of(domain: DueRenewal) -> str:
    return f"domain {domain.domain_id}"


class Sweeps:
    """The sweeps of one worker. `clock` says the seconds that refusals are timed by."""

    def __init__(
        self, store: Store, settings: WorkerSettings, clock: Callable[[], float], guard: ClockGuard
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._guard = guard
        self._refused: dict[str, float] = {}
        self._pruned_to: int | None = None
        """The request that pruning came to; None while it is not at it."""

    async def run(self, deadline: float) -> bool:
        """Go through all of it until `deadline`; return True when some is left."""
        return (
            await self._expire(deadline)
            or await self._remove_kept(deadline)
            or await self._purge(deadline)
            or await self._charge(deadline)
            or await self._prune(deadline)
        )

    async def _each(
        self, items: Sequence[T], do: Callable[[T], Awaitable[None]], deadline: float
    ) -> bool:
        """Do what cannot be taken back for each, as long as the clocks are trusted; return True when some is left."""
        for number, item in enumerate(items, 1):
            if not await self._guard.trusts():
                return False
            await do(item)
            if time.monotonic() > deadline:
                return number < len(items)
        return False

    async def _expire(self, deadline: float) -> bool:
        return await self._each(await expired(self._store), self._disable, deadline)

    async def _disable(self, user: ExpiredUser) -> None:
        await imported("mission_control_tui.model.users.expiry")
        from mission_control_tui.model.users import expiry

        try:
            if await expiry.disable(self._store, user):
                log.info("user %s expired on %s and was disabled", user.user_id, user.expires_on)
        except MissionControlError as error:
            log.warning("user %s expired and was not disabled: %s", user.user_id, error.what)

    async def _remove_kept(self, deadline: float) -> bool:
        due = await kept_removals.overdue_services(self._store, AT_ONCE)
        return await self._each(due, self._remove_one, deadline)

    async def _remove_one(self, service: kept_removals.OverdueService) -> None:
        try:
            if await kept_removals.remove_overdue(self._store, service):
                log.info("service %s was kept long enough and is removed", service.assignment_id)
        except MissionControlError as error:
            log.warning("service %s is not removed: %s", service.assignment_id, error.what)

    async def _charge(self, deadline: float) -> bool:
        """Do what costs money: domains that renew themselves, then months that are over. True: some is left."""
        return await self._renew_domains(deadline) or await self._close_months(deadline)

    async def _renew_domains(self, deadline: float) -> bool:
        now = self._clock()
        due = [
            domain
            for domain in await due_renewals(self._store)
            if self._refused.get(_refusal_of(domain), 0.0) <= now
        ]
        return await self._each(due, self._renew, deadline)

    async def _renew(self, domain: DueRenewal) -> None:
        await imported("mission_control_tui.model.orders.renewing")
        from mission_control_tui.model.orders import renewing

        try:
            state = await renewing.renew_due(self._store, domain)
            if state is not None:
                log.info("domain %s: the renewal from %s is %s", domain.name, domain.ends_on, state)
        except MissionControlError as error:
            self._refused[_refusal_of(domain)] = self._clock() + REFUSED_SECONDS
            log.warning(
                "domain %s is not renewed and tried again in a day: %s", domain.name, error.what
            )

    async def _close_months(self, deadline: float) -> bool:
        return await self._each(await months_due(self._store), self._close, deadline)

    async def _close(self, due: tuple[int, str]) -> None:
        await imported("mission_control_tui.model.billing.statements")
        from mission_control_tui.model.billing import statements

        await statements.close_month(self._store, *due)
        log.info("account %d: the statement of %s is closed", *due)

    async def _purge(self, deadline: float) -> bool:
        now = self._clock()
        self._refused = {user_id: until for user_id, until in self._refused.items() if until > now}
        most = AT_ONCE + len(self._refused)
        found = await overdue(self._store, self._settings.bin_days, most)
        due = [user for user in found if user.user_id not in self._refused]
        return await self._each(due, self._purge_one, deadline)

    async def _purge_one(self, user: Overdue) -> None:
        await imported("mission_control_tui.model.recycle_bin.purge")
        from mission_control_tui.model.recycle_bin import purge

        days = self._settings.bin_days
        try:
            await purge.purge_overdue(self._store, user, days)
            log.info("user %s was purged after %d days", user.user_id, days)
        except MissionControlError as error:
            self._refused[user.user_id] = self._clock() + REFUSED_SECONDS
            log.warning(
                "user %s is not purged and tried again in a day: %s", user.user_id, error.what
            )

    async def _prune(self, deadline: float) -> bool:
        """Delete slices of what ended long ago, as long as the clocks are trusted; return True when some is left."""
        days = self._settings.keep_days
        if not days or (self._pruned_to is None and not await pruning.is_due(self._store)):
            return False
        while await self._guard.trusts():
            done = await pruning.prune(self._store, days, self._pruned_to or 0)
            if done.deleted:
                log.info("%d rows of what ended over %d days ago were deleted", done.deleted, days)
            self._pruned_to = done.after_id if done.left else None
            if not done.left or time.monotonic() > deadline:
                return done.left
        return False
