"""The application with Mission Control's screens: opens the database, follows changes, keeps a worker awake."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from mission_control_tui.console.account_switching import mode
from mission_control_tui.console.session_restore import PlacesApp
from mission_control_tui.model.errors import MissionControlError, UsageError
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.registry import LINKS, PLACES
from mission_control_tui.widgets.shielded import shielded, wait_for_all
from mission_control_tui.widgets.status_lines import TopInfo

if TYPE_CHECKING:
    from textual.screen import Screen

    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.services.attention import Place
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import Account
    from mission_control_tui.screens.base.command_line import CommandLine
    from mission_control_tui.settings.settings import Settings
    from mission_control_tui.terminal.lifecycle import TerminalOptions

DUE_SECONDS = 60.0
"""How often it is looked whether something is due by the clock."""

LOOK_AFTER_SECONDS = 5
"""How often a worker is looked for while lights are orange: one that was killed is replaced."""

CLOSING_SECONDS = 1.0
"""How long what is under way may take to end when the console is left."""

Wake = Callable[["Store"], Awaitable[str]]


class ConsoleApp(PlacesApp):
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
            opener=self._prepare,
            options=options,
            settings=settings,
            caller=caller,
            top=TopInfo(account or "", caller.operator, extra=mode(caller, settings)),
        )
        self.commands = commands
        self._where = where
        self._account: int | str | None = account
        self.stays_in_account = stays
        self._wake = wake
        self._due_at = 0.0
        self._red_walk: tuple[Place, Place] | None = None
        self._red_screen: Screen[Any] | None = None
        self._choices: Sequence[Account] = ()

    # Screens

    def make_screen(self, name: str, *arguments: Any, **named: Any) -> Screen[Any]:
        module, _, cls = PLACES[name].partition(":")
        screen = cast("Screen[Any]", getattr(import_module(module), cls)(*arguments, **named))
        if not named:
            self.note_opened(screen, name, arguments)
        return screen

    # Opening

    def _prepare(self) -> Awaitable[Context]:
        """In a thread: import what the screens will need, then say how to open the database."""
        for module in (
            "model.accounts.overview",
            "model.accounts.editing",
            "model.services.attention",
            "model.store.change_feed",
            "model.search.user_list",
            "model.requests.queries",
            "model.services.lights",
            "provisioning.launcher",
        ):
            import_module(f"mission_control_tui.{module}")
        gc.freeze()
        gc.enable()
        return self._open_store()

    async def _open_store(self) -> Context:
        from mission_control_tui.model.accounts.editing import list_accounts, resolve_account
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.installation.connector_switch import follow_settings
        from mission_control_tui.model.store.database import Store

        store = await Store.open(self._where, connectors=self.settings.services)
        try:
            await follow_settings(store, self.caller)
            chosen = await self.lost_account(store) if self._account is None else None
            if chosen is None:
                chosen = await resolve_account(store, self.caller, self._account)
            context = Context(
                store,
                self.caller,
                chosen,
                self.settings,
                await current(store),
                lambda: self._wake_worker(store),
            )
        except UsageError:
            self._choices = await list_accounts(store, self.caller) if self._account is None else ()
            await store.close()
            raise
        except BaseException:
            # Whatever ended the opening, a cancellation too: nobody else knows of this store.
            await store.close()
            raise
        self._account = chosen.id
        await self._count(context)
        return context

    async def opened(self) -> None:
        try:
            await super().opened()
        except MissionControlError as error:
            self.store = None
            if self._choices:
                from mission_control_tui.screens.accounts.switch import AccountsScreen

                self.push_screen(AccountsScreen(self._choices, self._choose))
            else:
                self.post_message(self.OpeningFailed(error))
            return
        if isinstance(self.screen, BaseScreen):
            self.screen.refresh_keys()
        self.begin_with(self.store)
        self._start(self._keep_session(self.store))
        self._start(self._look_after())

    def _choose(self, account_id: int) -> None:
        """Open the database again for the account that was chosen."""
        self._account, self._choices = account_id, ()
        self._open()

    async def _keep_session(self, context: Context) -> None:
        if context.caller.session:
            await self._guarded(shielded(self.begin_session(context)))
        self._tell_of_keys()
        if context.caller.session:
            await self.keep_places()

    def _tell_of_keys(self) -> None:
        """Say which own keys are left out: the console starts whatever stands in the keymap."""
        keymap = self.settings.console.keymap
        if not keymap or not isinstance(self.screen, BaseScreen):
            return
        from mission_control_tui.keys.custom_keys import problems

        if found := problems(keymap):
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            self.screen.announce(f"{found[0].where}: {found[0].what}{more}", error=True)

    async def on_unmount(self) -> None:
        """Let everything that reads or writes come to its end before the store is closed under it."""
        for task in self._tasks:
            task.cancel()
        if self.caller.session:
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self.end_session(lost=bool(self.return_code)), CLOSING_SECONDS
                )
        if await wait_for_all(CLOSING_SECONDS) and isinstance(self.store, Context):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.store.store.close(), CLOSING_SECONDS)

    # Changes

    async def _look_after(self) -> None:
        """While lights are orange, see to it that somebody works on them, or say that nobody does."""
        while True:
            context: Context = self.store
            if context.caller.may_write:
                before = context.worker
                await self._guarded(shielded(self._look(context)))
                if context.worker != before:
                    self.apply_changes(["worker"])
            await self._until_next_look(context)

    async def _until_next_look(self, context: Context) -> None:
        for _ in range(LOOK_AFTER_SECONDS):
            await asyncio.sleep(1.0)
            if context.worker == "started":
                return  # whether it came up is looked at soon

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

    async def _wake_worker(self, store: Store) -> str:
        if self._wake is not None:
            return await self._wake(store)
        from mission_control_tui.provisioning.launcher import (
            Presence,
            WorkerStartError,
            ensure_worker,
        )

        try:
            return str(await ensure_worker(store, self.settings))
        except WorkerStartError:
            return str(Presence.FAILED)

    # Verbs

    async def next_red(self) -> None:
        """Open the newest red light over this screen; pressed again there, the next older one in its place."""
        screen = self.screen
        if not isinstance(screen, BaseScreen):
            return
        if not self.is_open:
            screen.announce(self.why_not_open)
            return
        from mission_control_tui.model.services.attention import newest
        from mission_control_tui.model.states import Light

        context: Context = self.store
        at = (context.store, context.caller, context.account_id)
        again = self._red_screen is screen
        first = await newest(*at, Light.RED)
        if not screen.is_current:
            return
        if first is None:
            screen.announce("Nothing is red")
            return
        chosen, start, said = first, (first.since, first.id), ""
        if again and self._red_walk and start <= self._red_walk[0]:
            start, last = self._red_walk
            older = await newest(*at, Light.RED, before=last)
            chosen = older or first
            said = "" if older else "No older light is red: this is the newest one"
        self._red_walk = (start, (chosen.since, chosen.id))
        screen.keep()
        if again and len(self.screen_stack) > 1:
            self.pop_screen()
        if chosen.user_id:
            self._red_screen = self.make_screen("provision", chosen.user_id, chosen.id)
        elif chosen.object_id:
            self._red_screen = self.make_screen("object", chosen.object_id)
        else:
            self._red_screen = self.make_screen("requests", chosen.request_id)
        self.push_screen(self._red_screen)
        if said and isinstance(self._red_screen, BaseScreen):
            self._red_screen.announce(said)
