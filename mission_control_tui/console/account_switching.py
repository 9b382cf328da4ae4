"""How the console goes from account to account: each screen keeps its own, and the console follows the one on top."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.options import options_of
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.context import Context, is_real
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.shielded import shielded
from mission_control_tui.widgets.status_lines import TopInfo

if TYPE_CHECKING:
    from textual.screen import Screen

    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.views import Account
    from mission_control_tui.settings.settings import Settings

MOST_SCREENS = 30
"""Screens that are kept above each other; below that many, finding one person after the other drops the oldest."""

TOGETHER_SECONDS = 0.1
"""Changes that come within so long are told to the screen at once."""

POLL_SECONDS = 0.17
"""A change shows within 0.2 s; asking more often would cost an idle console more than 0.2 % of a processor."""


log = logging.getLogger(__name__)


def mode(caller: Caller, settings: Settings) -> str:
    """What the top line says of a console that is read-only or was armed, and of the ticket."""
    armed = "ARMED" if settings.console.read_only else ""
    return "  ".join(filter(None, (armed if caller.may_write else "READ-ONLY", caller.ticket)))


class AccountsApp(MissionControlApp):
    """Keeps a context for each account, and a feed of changes for the one on top."""

    def __init__(self, *arguments: Any, settings: Settings, caller: Caller, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.settings = settings
        self.caller = caller
        self._anybody_waits = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._contexts: dict[int, Context] = {}
        self._following: asyncio.Task[None] | None = None
        self._looked_at = (0, "")
        self._kept_words = ""

    # Work beside the keys

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(cast(Exception, error))

    # Accounts

    def begin_with(self, context: Context) -> None:
        """The first account: the screens that were opened before the database are about it."""
        self._contexts = {context.account_id: context}
        for screen in self.screen_stack:
            if isinstance(screen, MissionScreen):
                screen.bind(context)
        self._following = self._start(self._follow(context))
        self.remember_user(context, "")

    def context_for(self, account: Account) -> Context:
        """The context of this account: always the same one, whatever is open in it."""
        context = self._contexts.get(account.id)
        if context is None:
            current: Context = self.store
            context = replace(current, account=account, last_red="")
            self._contexts[account.id] = context
        return context

    def enter(self, context: Context) -> None:
        """Follow the account of the screen that is on top: top line, counts, feed, `!` and QUICK LINKS."""
        before = self.store
        if context is before or not isinstance(before, Context):
            return
        context.caller = before.caller
        context.in_force = before.in_force
        context.worker = before.worker
        context.settings = before.settings
        self.store = context
        if self._following is not None:
            self._following.cancel()
        self._following = self._start(self._follow(context))
        self.set_top(
            replace(
                self.top_info,
                account=context.account.name,
                red=None,
                orange=None,
                more=False,
                all_red=0,
            )
        )
        if isinstance(self.screen, BaseScreen):
            self.screen.announce(
                f"Account changed: {before.account.code} -> {context.account.code}{self._kept_words}"
            )
            self._kept_words = ""
        self.remember_user(context, "")

    def change_account(self, account: Account) -> None:
        """Go to Home of this account; what was typed in screens of the one before is kept for when one is back."""
        context = self.context_for(account)
        if isinstance(self.screen, BaseScreen):
            self.screen.keep()
        kept = [
            f"{one.HEADING} of {one.context.account.code}"
            for one in self.screen_stack
            if isinstance(one, MissionScreen) and one.unfinished
        ]
        self._kept_words = f". Kept: {', '.join(kept)}" if kept else ""
        self._home_of(context)

    def follow_link(self, name: str) -> None:
        """Go to a screen of QUICK LINKS of the account that is on top, from its Home."""
        base = self.screen_stack[0]
        context = self.store
        if not isinstance(context, Context) or not isinstance(base, MissionScreen):
            super().follow_link(name)
            return
        if base.context is context:
            super().follow_link(name)
            return
        if isinstance(self.screen, BaseScreen):
            self.screen.keep()
        self._home_of(context)
        if name != self.links[0][0]:
            self._push(context, name)

    def _home_of(self, context: Context) -> None:
        """A new Home in place of all screens; each has kept its place when another came over it."""
        stack = self._screen_stack
        left = list(stack)
        self._push(context, self.links[0][0])
        del stack[: len(left)]
        for screen in reversed(left):
            self.call_later(self._drop, screen)

    def _push(self, context: Context, name: str, *arguments: Any) -> None:
        screen = self.make_screen(name, *arguments)
        if isinstance(screen, MissionScreen):
            screen.bind(context)
        self.push_screen(screen)

    # Changes of the account on top

    async def _follow(self, context: Context) -> None:
        """Tell the screens whenever anybody has changed something."""
        from mission_control_tui.model.store.change_feed import changes

        if self.top_info.red is None:
            await self._guarded(shielded(self._changed(context)))
        listening = changes(context.store, context.account_id, poll_seconds=POLL_SECONDS)
        async with aclosing(listening) as feed:
            first = True
            async for _ in feed:
                if first:
                    first = False
                    continue
                await self._guarded(shielded(self._changed(context)))
                await asyncio.sleep(TOGETHER_SECONDS)

    async def _changed(self, context: Context) -> None:
        await context.refresh()
        await self._count(context)
        self.apply_changes(["store"])

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            from mission_control_tui.model.store.engine import operator_error

            said = operator_error(error)
            if isinstance(self.screen, BaseScreen):
                self.screen.announce_error(said)

    async def _count(self, context: Context) -> None:
        from mission_control_tui.model.services.attention import mine

        found = await mine(context.store, context.caller, context.account_id)
        if isinstance(self.store, Context) and self.store is not context:
            return  # another account came on top while this one was counted
        self._anybody_waits = found.waiting
        extra = mode(self.caller, self.settings)
        if context.in_force.problem:
            extra = f"{extra} old catalogue".strip()
        self.set_top(
            TopInfo(
                context.account.name,
                self.caller.operator,
                is_real(context),
                found.red,
                found.orange,
                extra,
                found.more,
                found.all_red,
            )
        )

    # Changes of how the console works

    def change_settings(self, settings: Settings) -> None:
        """Go on with other settings, on every screen; what only counts at the start stays as it was."""
        now = self.settings.console
        console = msgspec.structs.replace(
            settings.console, mouse=now.mouse, read_only=now.read_only
        )
        self.settings = msgspec.structs.replace(self.settings, console=console)
        if self.is_open:
            self.store.settings = self.settings
            for screen in self.screen_stack:
                if isinstance(screen, MissionScreen):
                    screen.context.settings = self.settings
        self.choose(options_of(self.settings))

    def change_caller(self, **changes: Any) -> None:
        """Go on as the same operator, with another ticket or other rights, on every screen; the top line says so."""
        self.caller = replace(self.caller, **changes)
        if self.is_open:
            self.store.caller = self.caller
            for screen in self.screen_stack:
                if isinstance(screen, MissionScreen):
                    screen.context.caller = self.caller
        self.set_top(replace(self.top_info, extra=mode(self.caller, self.settings)))

    # Verbs

    def find_anyone(self, text: str) -> None:
        self._over("find", text)

    def choose_account(self) -> None:
        self._over("switch")

    def _over(self, name: str, *arguments: Any) -> None:
        """Open a screen over whichever is on top, in its account."""
        screen = self.screen
        if not isinstance(screen, BaseScreen):
            return
        if not self.is_open or not isinstance(self.store, Context):
            screen.announce(self.why_not_open)
            return
        screen.keep()
        context = screen.context if isinstance(screen, MissionScreen) else self.store
        self._push(context, name, *arguments)
        self._shorten()

    def _shorten(self) -> None:
        """Drop the oldest screens above Home, so that a day of finding people does not fill the memory."""
        stack = self._screen_stack
        while len(stack) > MOST_SCREENS:
            oldest = stack.pop(1)
            if isinstance(oldest, BaseScreen):
                oldest.keep()
            self.call_later(self._drop, oldest)

    async def _drop(self, screen: Screen[Any]) -> None:
        await self._replace_screen(screen)

    # Recent people and accounts

    def remember_user(self, context: Context, user_id: str) -> None:
        if (context.account_id, user_id) != self._looked_at:
            self._looked_at = (context.account_id, user_id)
            self._start(self._remember(context, user_id))

    async def _remember(self, context: Context, user_id: str) -> None:
        from mission_control_tui.model.operators.recents import remember

        try:
            await shielded(remember(context.store, context.caller, context.account_id, user_id))
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            from mission_control_tui.model.store.engine import operator_error

            operator_error(error)
            # A list for convenience: a database that cannot be written now says so where it matters.
            log.debug("nothing was remembered: %s", type(error).__name__)
