"""How the console goes from account to account: each screen keeps its own, and the console follows the one on top."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from .app import MissionControlApp
from .model.errors import MissionControlError
from .screens.base import BaseScreen
from .screens.context import Context, MissionScreen
from .unbroken import unbroken

if TYPE_CHECKING:
    from textual.screen import Screen

    from .model.views import Account

MOST_SCREENS = 30
"""Screens that are kept above each other; below that many, finding one person after the other drops the oldest."""

log = logging.getLogger(__name__)


class AccountsApp(MissionControlApp):
    """Keeps a context for each account, and a feed of changes for the one on top."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._tasks: set[asyncio.Task[None]] = set()
        self._contexts: dict[int, Context] = {}
        self._following: asyncio.Task[None] | None = None
        self._looked_at = (0, "")
        self._kept_words = ""

    async def _follow(self, context: Context) -> None:
        """Tell the screens of changes until cancelled, counts first."""
        raise NotImplementedError

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
            replace(self.top_info, account=context.account.name, red=None, orange=None, more=False)
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
            one.HEADING
            for one in self.screen_stack
            if isinstance(one, BaseScreen) and one.unfinished
        ]
        self._kept_words = f". Kept for when you are back: {', '.join(kept)}" if kept else ""
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
        from .model.database import outage
        from .model.recents import remember

        try:
            await unbroken(remember(context.store, context.caller, context.account_id, user_id))
        except Exception as error:
            if not isinstance(error, MissionControlError) and outage(error) is None:
                raise
            # A list for convenience: a database that cannot be written now says so where it matters.
            log.debug("nothing was remembered: %s", type(error).__name__)
