"""How the console follows what others change: one feed of changes for the account on top, and a worker kept awake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from mission_control_tui.console.account_switching import AccountContexts
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.screens.base.context import Context, is_real
from mission_control_tui.widgets.shielded import shielded
from mission_control_tui.widgets.status_lines import TopInfo

if TYPE_CHECKING:
    from mission_control_tui.model.store.database import Store

TOGETHER_SECONDS = 0.1
"""Changes that come within so long are told to the screen at once."""

POLL_SECONDS = 0.17
"""A change shows within 0.2 s; asking more often would cost an idle console more than 0.2 % of a processor."""

DUE_SECONDS = 60.0
"""How often it is looked whether something is due by the clock."""

LOOK_AFTER_SECONDS = 5
"""How often a worker is looked for while lights are orange: one that was killed is replaced."""

SILENCE_SECONDS = 15.0
"""A database that was not heard from for so long is told of: the feed asks it three times meanwhile."""

Wake = Callable[["Store"], Awaitable[str]]


class ChangeFollower:
    """The feed of changes of the account on top, its counts in the top line, and the look after the worker."""

    def __init__(
        self, app: MissionControlApp, accounts: AccountContexts, wake: Wake | None
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._wake = wake
        self._anybody_waits = False
        self._due_at = 0.0
        self._following: asyncio.Task[None] | None = None

    def follow(self, context: Context) -> None:
        """Follow the changes of this account, and of no other any more."""
        if self._following is not None:
            self._following.cancel()
        self._following = self._app.start_task(self._follow(context))

    async def _follow(self, context: Context) -> None:
        """Tell the screens whenever anybody has changed something."""
        from mission_control_tui.model.store.change_feed import changes

        if self._app.top_info.red is None:
            await self._app.guarded(shielded(self._changed(context)))
        listening = changes(context.store, context.account_id, poll_seconds=POLL_SECONDS)
        async with aclosing(listening) as feed:
            await anext(feed, None)  # the first one says that it listens
            async for _ in feed:
                await self._app.guarded(shielded(self._changed(context)))
                await asyncio.sleep(TOGETHER_SECONDS)

    async def _changed(self, context: Context) -> None:
        await context.refresh()
        await self.count(context)
        self._app.apply_changes(["store"])

    async def count(self, context: Context) -> None:
        """Count the lights of this account for the top line."""
        from mission_control_tui.model.services.attention import mine

        found = await mine(context.scope)
        if isinstance(self._app.store, Context) and self._app.store is not context:
            return  # another account came on top while this one was counted
        self._anybody_waits = found.waiting
        extra = self._accounts.mode
        if context.in_force.problem:
            extra = f"{extra} old catalogue".strip()
        self._app.set_top(
            TopInfo(
                context.account.name,
                self._accounts.caller.operator,
                is_real(context),
                found.red,
                found.orange,
                extra,
                found.more,
                found.all_red,
                self._app.top_info.silence,
            )
        )

    async def watch(self) -> None:
        """Say in the top line for how long nothing was heard from the database: what is shown may be old."""
        was_silent = False
        while True:
            await asyncio.sleep(1.0)
            silence = self._app.store.store.silence
            is_silent = silence > SILENCE_SECONDS
            if is_silent or was_silent:
                said = f"not heard from the database for {silence:.0f} s" if is_silent else ""
                self._app.set_top(replace(self._app.top_info, silence=said))
            was_silent = is_silent

    # The worker

    async def look_after(self) -> None:
        """While lights are orange, see to it that somebody works on them, or say that nobody does."""
        while True:
            context: Context = self._app.store
            if context.caller.may_write:
                before = context.no_worker
                await self._app.guarded(shielded(self._look(context)))
                if context.no_worker != before:
                    self._app.apply_changes(["worker"])
            for _ in range(LOOK_AFTER_SECONDS):
                await asyncio.sleep(1.0)
                if context.worker == "started":
                    break  # whether it came up is looked at soon

    async def _look(self, context: Context) -> None:
        if self._anybody_waits or await self._is_due(context):
            context.worker = await context.wake()

    async def _is_due(self, context: Context) -> bool:
        """Whether something was scheduled for now or before; the database is asked once a minute, and at the moment."""
        from mission_control_tui.model.schedules.due import next_moment

        if time.monotonic() < self._due_at:
            return False
        ahead = await next_moment(context.store)
        wait = DUE_SECONDS if ahead is None or ahead <= 0 else min(ahead, DUE_SECONDS)
        self._due_at = time.monotonic() + wait
        return ahead is not None and ahead <= 0

    async def wake_worker(self, store: Store) -> str:
        """See to it that a worker runs; return what became of that, as `Presence` says it."""
        if self._wake is not None:
            return await self._wake(store)
        # What a worker is started with is imported beside the keys.
        await asyncio.to_thread(import_module, "mission_control_tui.provisioning.launcher")
        from mission_control_tui.provisioning.launcher import (
            Presence,
            WorkerStartError,
            ensure_worker,
        )

        try:
            return str(await ensure_worker(store, self._accounts.settings))
        except WorkerStartError:
            return str(Presence.FAILED)
