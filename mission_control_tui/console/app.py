"""The application with Mission Control's screens: opens the database, owns accounts, changes and session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual import events

from mission_control_tui.console.account_switching import AccountContexts, mode
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.change_follower import ChangeFollower, Wake
from mission_control_tui.console.registrar import asking
from mission_control_tui.console.session_restore import LOST, SessionRestore
from mission_control_tui.model.errors import MissionControlError, NotFound, UsageError
from mission_control_tui.model.states import Light
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.registry import LINKS, screen_class
from mission_control_tui.settings.garbage import collect_from_now_on
from mission_control_tui.widgets.shielded import shielded, wait_for_all
from mission_control_tui.widgets.status_lines import TopInfo

if TYPE_CHECKING:
    from textual.screen import Screen

    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.services.attention import Place
    from mission_control_tui.model.views import Account
    from mission_control_tui.screens.base.command_line import CommandLine
    from mission_control_tui.screens.base.host import Link
    from mission_control_tui.settings.settings import Settings
    from mission_control_tui.terminal.lifecycle import TerminalOptions

FIRST_READING_SECONDS = 1.0
"""What is done beside the first screen waits for its numbers, but no longer than this."""

CLOSING_SECONDS = 1.0
"""How long what is under way may take to end when the console is left."""


class ConsoleApp(MissionControlApp):
    """Mission Control with its screens."""

    def __init__(
        self,
        settings: Settings,
        where: str,
        account: str | None,
        options: TerminalOptions | None,
        caller: Caller,
        wake: Wake | None,
        commands: CommandLine | None = None,
        *,
        stays: bool = False,
    ) -> None:
        super().__init__(
            LINKS,
            screen_class,
            opener=self._prepare,
            options=options,
            top=TopInfo(account or "", caller.operator, extra=mode(caller, settings)),
        )
        self.accounts = AccountContexts(self, settings, caller)
        self.changes = ChangeFollower(self, self.accounts, wake)
        self.session = SessionRestore(self, self.accounts, stays=stays)
        self.commands = commands
        self._where = where
        self._account: int | str | None = account
        self._red_walk: tuple[Place, Place] | None = None
        self._red_screen: Screen[Any] | None = None
        self._choices: Sequence[Account] = ()

    # Screens

    def make_screen(self, name: str, *arguments: Any, **named: Any) -> Any:
        screen = super().make_screen(name, *arguments, **named)
        if not named:
            self.session.note_opened(screen, arguments)
        return screen

    @property
    def quick_links(self) -> Sequence[Link]:
        offered = self.session.offers
        return self.links if offered is None else (offered, *self.links)

    def follow_link(self, name: str) -> None:
        """Go to a screen of QUICK LINKS of the account that is on top, from its Home."""
        if name == LOST:
            super().follow_link(self.links[0][0])
            self.session.take_offer()
        elif not self.accounts.follow_link(name):
            super().follow_link(name)

    def enter(self, context: Context) -> None:
        """Follow the account of the screen that is on top: top line, counts, feed, `!` and QUICK LINKS."""
        self.session.touch()
        if self.accounts.enter(context):
            self.changes.follow(context)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste):
            self.session.touch()
        await super().on_event(event)

    def exit(self, *arguments: Any, **named: Any) -> None:
        self.session.see_the_end()
        super().exit(*arguments, **named)

    # Opening

    def _prepare(self) -> Awaitable[Context]:
        """In a thread: import what Home needs, then say how to open the database."""
        for module in (
            "model.accounts.front_page",
            "model.accounts.editing",
            "model.services.attention",
            "model.store.change_feed",
        ):
            import_module(f"mission_control_tui.{module}")
        collect_from_now_on()
        return self._open_store()

    async def _open_store(self) -> Context:
        from mission_control_tui.model.accounts.editing import list_accounts, resolve_account
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.store.database import Store

        settings = self.accounts.settings
        store = await Store.open(
            self._where,
            connectors=settings.services,
            placements=settings.placements,
            private_suffixes=settings.own_endings,
        )
        if store.is_read_only:
            self.accounts.change_caller(may_write=False)
        try:
            if store.connectors != store.followed:
                from mission_control_tui.model.installation.connector_switch import follow_settings

                await follow_settings(store, self.accounts.caller)
            chosen = await self.session.lost_account(store) if self._account is None else None
            if chosen is None:
                chosen = await resolve_account(store, self.accounts.caller, self._account)
            context = Context(
                store,
                self.accounts.caller,
                chosen,
                self.accounts.settings,
                await current(store),
                lambda: self.changes.wake_worker(store),
                asking(settings, store),
            )
            await self.changes.count(context)
        except (UsageError, NotFound):
            self._choices = await list_accounts(store, self.accounts.caller)
            await store.close()
            raise
        except BaseException:
            # Whatever ended the opening, a cancellation too: nobody else knows of this store.
            await store.close()
            raise
        self._account = chosen.id
        return context

    async def opened(self) -> None:
        try:
            await super().opened()
        except MissionControlError as error:
            self.store = None
            if self._choices:
                from mission_control_tui.screens.accounts.switch import AccountsScreen

                why = "" if self._account is None else error.what
                self._account = None
                await self.push_screen(AccountsScreen(self._choices, self._choose, why))
                self.arrive()
            else:
                self.post_message(self.OpeningFailed(error))
            return
        if isinstance(self.screen, BaseScreen):
            self.screen.refresh_keys()
        self.accounts.begin(self.store)
        self.changes.follow(self.store)
        self.start_task(self._begin_beside(self.store))

    async def _begin_beside(self, context: Context) -> None:
        """Begin what goes on beside the screens, once the first one is filled: it costs as much as that."""
        if isinstance(self.screen, BaseScreen):
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_READING_SECONDS):
                    await self.screen.loader.first_reading.wait()
        self.start_task(self._keep_session(context))
        self.start_task(self.changes.look_after())
        self.start_task(self.changes.watch())
        if not context.store.folded_anew and self.accounts.caller.may_write:
            self.start_task(self._fold_anew(context))

    def _choose(self, account_id: int) -> None:
        """Open the database again for the account that was chosen."""
        self._account, self._choices = account_id, ()
        self._open()

    @property
    def goes_back(self) -> bool:
        return bool(self.accounts.caller.session)

    async def _keep_session(self, context: Context) -> None:
        if context.caller.session:
            await self.guarded(shielded(self.session.begin(context)))
            self.is_arriving = False
        self._tell_of_keys()
        if context.caller.session:
            await self.session.keep_places()

    async def _fold_anew(self, context: Context) -> None:
        from mission_control_tui.model.search.renewal import renew

        await self.if_it_answers(renew(context.store))

    def _tell_of_keys(self) -> None:
        """Say which own keys are left out: the console starts whatever stands in the keymap."""
        if not (keymap := self.accounts.settings.console.keymap):
            return
        from mission_control_tui.keys.custom_keys import problems

        if found := problems(keymap):
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            self.notify(f"{found[0].where}: {found[0].what}{more}", severity="error")

    async def on_unmount(self) -> None:
        """Let everything that reads or writes come to its end before the store is closed under it."""
        for task in self._tasks:
            task.cancel()
        if self.accounts.caller.session:
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self.session.end(lost=bool(self.return_code)), CLOSING_SECONDS
                )
        if await wait_for_all(CLOSING_SECONDS) and isinstance(self.store, Context):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.store.store.close(), CLOSING_SECONDS)

    # Verbs

    def find_anyone(self, text: str) -> None:
        self.accounts.open_over("find", text)

    def choose_account(self) -> None:
        self.accounts.open_over("switch")

    async def next_red(self) -> None:
        """Open the newest red light over this screen; pressed again there, the next older one in its place."""
        screen = self.screen
        if not isinstance(screen, BaseScreen):
            return
        if not self.is_open:
            self.answer(self.why_not_open)
            return
        from mission_control_tui.model.services.attention import newest
        from mission_control_tui.screens.services.light_places import light_place

        scope = self.store.scope
        again = self._red_screen is screen
        first = await newest(scope, Light.RED)
        if not screen.is_current:
            return
        if first is None:
            self.answer("Nothing is red")
            return
        chosen, start, said = first, (first.since, first.id), ""
        if again and self._red_walk and start <= self._red_walk[0]:
            start, last = self._red_walk
            older = await newest(scope, Light.RED, before=last)
            chosen = older or first
            said = "" if older else "No older light is red: this is the newest one"
        self._red_walk = (start, (chosen.since, chosen.id))
        screen.keep()
        if again and len(self.screen_stack) > 1:
            self.pop_screen()
        name, takes = light_place(chosen)
        self._red_screen = self.make_screen(name, *takes)
        self.go_on_to(self._red_screen)
        if said:
            self.answer(said)
