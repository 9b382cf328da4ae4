"""How the console goes from account to account: each screen keeps its own, and the console follows the one on top."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.options import options_of
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.mission_screen import MissionScreen

if TYPE_CHECKING:
    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.views import Account
    from mission_control_tui.settings.settings import Settings

MOST_SCREENS = 30
"""Screens that are kept above each other; below that many, finding one person after the other drops the oldest."""


def mode(caller: Caller, settings: Settings) -> str:
    """Return what the top line says of a console that is read-only or was armed, and of the ticket."""
    armed = "ARMED" if settings.console.read_only else ""
    return "  ".join(filter(None, (armed if caller.may_write else "READ-ONLY", caller.ticket)))


class AccountContexts:
    """A context for each account that was gone to, and who works in them with which settings."""

    def __init__(self, app: MissionControlApp, settings: Settings, caller: Caller) -> None:
        self._app = app
        self.settings = settings
        self.caller = caller
        self._contexts: dict[int, Context] = {}
        self._looked_at = (0, "")
        self._kept_words = ""

    @property
    def mode(self) -> str:
        """What the top line says of caller and settings."""
        return mode(self.caller, self.settings)

    def begin(self, context: Context) -> None:
        """Take the first account: the screens that were opened before the database are about it."""
        self._contexts = {context.account_id: context}
        for screen in self._screens:
            screen.bind(context)
        self.remember_user(context, "")

    @property
    def _screens(self) -> list[MissionScreen]:
        """The screens on each other, of whichever accounts."""
        return [screen for screen in self._app.screen_stack if isinstance(screen, MissionScreen)]

    def context_for(self, account: Account) -> Context:
        """Return the context of this account: always the same one, whatever is open in it."""
        context = self._contexts.get(account.id)
        if context is None:
            context = replace(self._app.store, account=account)
            self._contexts[account.id] = context
        return context

    def enter(self, context: Context) -> bool:
        """Have the account of the screen on top be the console's; return whether it was another one before."""
        app = self._app
        before = app.store
        if context is before or not isinstance(before, Context):
            return False
        context.caller = before.caller
        context.in_force = before.in_force
        context.worker = before.worker
        context.settings = before.settings
        app.store = context
        name = context.account.name
        app.set_top(
            replace(app.top_info, account=name, red=None, orange=None, more=False, all_red=0)
        )
        changed = f"{before.account.code} -> {context.account.code}"
        app.notify(f"Account changed: {changed}{self._kept_words}")
        self._kept_words = ""
        self.remember_user(context, "")
        return True

    def change(self, account: Account) -> None:
        """Go to Home of this account; what was typed in screens of the one before is kept for when one is back."""
        context = self.context_for(account)
        self._app.keep_screen()
        kept = [
            f"{screen.HEADING} of {screen.context.account.code}"
            for screen in self._screens
            if screen.unfinished
        ]
        self._kept_words = f". Kept: {', '.join(kept)}" if kept else ""
        self.home_of(context)

    def follow_link(self, name: str) -> bool:
        """Go to a screen of QUICK LINKS from a new Home; return whether that was needed, for another account."""
        base = self._app.screen_stack[0]
        context = self._app.store
        if not isinstance(context, Context) or not isinstance(base, MissionScreen):
            return False
        if base.context is context:
            return False
        self._app.keep_screen()
        self.home_of(context)
        if name != self._app.links[0][0]:
            self._push(context, name)
        return True

    def home_of(self, context: Context) -> None:
        """Show a new Home in place of all screens; each has kept its place when another came over it."""
        left = self._app.screen_stack
        self._push(context, self._app.links[0][0])
        self._app.drop_screens(list(reversed(left)))

    def _push(self, context: Context, name: str, *arguments: Any) -> None:
        screen = self._app.make_screen(name, *arguments)
        screen.bind(context)
        self._app.go_on_to(screen)

    def open_over(self, name: str, *arguments: Any) -> None:
        """Open a screen over whichever is on top, in its account."""
        app, screen = self._app, self._app.screen
        if not isinstance(screen, BaseScreen):
            return
        if not app.is_open or not isinstance(app.store, Context):
            app.answer(app.why_not_open)
            return
        screen.keep()
        context = screen.context if isinstance(screen, MissionScreen) else app.store
        self._push(context, name, *arguments)
        # The oldest above Home go, so that a day of finding people does not fill the memory.
        oldest = self._screens[1 : 1 + max(len(app.screen_stack) - MOST_SCREENS, 0)]
        for left in oldest:
            left.keep()
        app.drop_screens(oldest)

    # Changes of how the console works

    def change_settings(self, settings: Settings) -> None:
        """Go on with other settings, on every screen; what only counts at the start stays as it was."""
        now = self.settings.console
        console = msgspec.structs.replace(
            settings.console, mouse=now.mouse, read_only=now.read_only
        )
        self.settings = msgspec.structs.replace(self.settings, console=console)
        if self._app.is_open:
            self._app.store.settings = self.settings
            for screen in self._screens:
                screen.context.settings = self.settings
        self._app.choose(options_of(self.settings))

    def change_caller(self, **changes: Any) -> None:
        """Go on as the same operator, with another ticket or other rights, on every screen; the top line says so."""
        self.caller = replace(self.caller, **changes)
        if self._app.is_open:
            self._app.store.caller = self.caller
            for screen in self._screens:
                screen.context.caller = self.caller
        self._app.set_top(replace(self._app.top_info, extra=self.mode))

    # Recent people and accounts

    def remember_user(self, context: Context, user_id: str) -> None:
        if (context.account_id, user_id) != self._looked_at:
            self._looked_at = (context.account_id, user_id)
            self._app.start_task(self._remember(context, user_id))

    async def _remember(self, context: Context, user_id: str) -> None:
        from mission_control_tui.model.operators.recents import remember

        # A list for convenience: a database that cannot be written now says so where it matters.
        await self._app.if_it_answers(
            remember(context.store, context.caller, context.account_id, user_id)
        )
