"""Drafts of unfinished forms, and the way back after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from textual.css.query import NoMatches

from mission_control_tui.console.account_switching import AccountContexts
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.console.memory_codec import decode, encode
from mission_control_tui.model.errors import Denied, NotFound
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.cells import fit, width_of

if TYPE_CHECKING:
    from textual.screen import Screen

    from mission_control_tui.model.operators.drafts import Draft
    from mission_control_tui.model.operators.sessions import ConsoleSession
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.tables.documents import StoredPlace
    from mission_control_tui.model.views import Account

KEEP_SECONDS = 3.0
"""How often it is looked whether the place or what is typed has changed: so much of it a killed console may lose."""

MOST_KEPT = 8
"""Screens of the stack that are gone back to."""

LEAST_TITLE = 8
"""Cells of a draft's title that are shown however long the rest is."""

LOST, LOST_PLACE = "lost", "Where the connection was lost"
"""The link of QUICK LINKS to the place that is offered, and its words."""

Key = tuple[int, str, str]
"""Of a draft: account, form, subject."""


@dataclass(frozen=True, slots=True)
class ConsoleSnapshot:
    """What is on the screens now: the place, and each form with what is typed in it (None where all was sent)."""

    context: Context
    place: StoredPlace
    forms: dict[Key, tuple[dict[str, object] | None, str]]


class SessionRestore:
    """Notes where its operator is and what is typed in forms, and goes back there.

    With `stays` the account was named on the command line: no place elsewhere is gone back to then.
    """

    def __init__(
        self, app: MissionControlApp, accounts: AccountContexts, *, stays: bool = False
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._stays = stays
        self._opened: WeakKeyDictionary[Screen[Any], tuple[Any, ...]] = WeakKeyDictionary()
        self._place: Any = None
        self._drafts: dict[Key, Any] = {}
        self._last_seen: ConsoleSnapshot | None = None
        self._offered: Callable[[], Awaitable[None]] | None = None
        self._touched = asyncio.Event()
        self._turn = asyncio.Lock()
        self._is_noted = False

    def note_opened(self, screen: Screen[Any], arguments: tuple[Any, ...]) -> None:
        """Keep what a screen was opened with, where it can be opened so again."""
        if all(isinstance(argument, str | int | None) for argument in arguments):
            self._opened[screen] = arguments

    def touch(self) -> None:
        """Note that place or forms may have changed: by a key, or by a screen that came on top."""
        self._touched.set()

    # The place

    def _stack_of(self, context: Context) -> StoredPlace:
        """Return the screens on top of each other, and what they remember."""
        screens: list[tuple[str, list[object]]] = []
        memory: dict[str, object] = {}
        for screen in self._app.screen_stack[-MOST_KEPT:]:
            arguments = self._opened.get(screen)
            if arguments is None or not isinstance(screen, MissionScreen):
                continue
            if screen.context.account_id != context.account_id:
                continue
            screens.append((screen.NAME, list(arguments)))
            if screen.is_mounted:
                memory[screen.memory_key] = encode(screen.remember())
        return {"account": context.account_id, "screens": screens, "memory": memory}

    def _see(self) -> ConsoleSnapshot | None:
        """Look at place and forms; nothing is read or written."""
        if not self._app.is_open or not isinstance(self._app.store, Context):
            return None
        forms = {}
        try:
            for screen in self._app.screen_stack:
                if isinstance(screen, MissionScreen) and screen.is_mounted:
                    forms.update(self._form(screen))
            return ConsoleSnapshot(self._app.store, self._stack_of(self._app.store), forms)
        except NoMatches:
            return None  # a screen is being built or taken down: the next look sees all of it

    def _form(self, screen: MissionScreen) -> dict[Key, tuple[dict[str, object] | None, str]]:
        """Return a form with what is typed in it; nothing for what is no form or cannot be opened again."""
        arguments = self._opened.get(screen)
        if arguments is None:
            return {}
        subject = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        key = (screen.context.account_id, screen.NAME, subject)
        if not screen.unfinished:
            return {key: (None, "")}
        content = {"arguments": list(arguments), "memory": encode(screen.remember())}
        return {key: (content, screen.draft_title)}

    def see_the_end(self) -> None:
        """Look a last time at place and forms, before the screens are taken down."""
        self._last_seen = self._see()

    async def keep_places(self) -> None:
        """Note place and drafts, as long as the console runs; what it ends with `see_the_end` sees."""
        while True:
            # Looking at every widget costs more than an idle console may.
            await self._touched.wait()
            await asyncio.sleep(KEEP_SECONDS)
            self._touched.clear()
            if self._last_seen is not None:
                return
            await self._kept(self._see)

    async def _kept(self, look: Callable[[], ConsoleSnapshot | None]) -> None:
        """Note what `look` sees when it is its turn: one after the other, or an older look would come last."""
        async with self._turn:
            if (seen := look()) is not None:
                # The next look tries again; a database that cannot be written says so where it matters.
                await self._app.if_it_answers(self._keep(seen))

    async def _keep(self, seen: ConsoleSnapshot) -> None:
        from mission_control_tui.model.operators import drafts
        from mission_control_tui.model.operators.sessions import keep_place
        from mission_control_tui.model.store.scope import AccountScope

        context = seen.context
        known = (seen.place, context.caller.ticket)
        if known != self._place and seen.place:
            await keep_place(context.store, context.caller, seen.place)
            self._place = known
        for key, (content, title) in seen.forms.items():
            scope = AccountScope(context.store, context.caller, key[0])
            if content is not None and self._drafts.get(key) != content:
                await drafts.save_draft(scope, key[1], content, subject=key[2], title=title)
                self._drafts[key] = content
            elif content is None and key in self._drafts:
                del self._drafts[key]
                await drafts.discard_drafts_of(scope, key[1], key[2])

    # Drafts

    def keep_draft(self, screen: MissionScreen) -> None:
        """Keep the draft of a screen that is being left."""
        store = self._app.store
        if self._app.is_open and isinstance(store, Context) and (form := self._form(screen)):
            seen = ConsoleSnapshot(store, {}, form)
            self._app.start_task(self._kept(lambda: seen))

    async def open_draft(self, draft: Draft) -> None:
        """Open the form of a draft, in its account, with what was typed."""
        from mission_control_tui.model.accounts.editing import resolve_account

        current: Context = self._app.store
        account = await resolve_account(current.store, current.caller, draft.account_id)
        context = self._accounts.context_for(account)
        arguments = draft.content.get("arguments")
        screen = self._made_again(
            draft.kind, tuple(arguments if isinstance(arguments, list) else ())
        )
        if screen is None:
            raise NotFound(
                f"This version has no form {draft.kind!r}.",
                hint=f"Look at it: mission-control drafts show {draft.id}",
            )
        screen.bind(context)
        self._app.memory[screen.memory_key] = _memory(draft.content.get("memory"))
        self._drafts[account.id, draft.kind, draft.subject] = None
        self._app.push_screen(screen)

    # The way back

    async def lost_account(self, store: Store) -> Account | None:
        """Return the account in which the operator's last console was lost, where there is one to go back to.

        Whoever comes back is not asked for the account again.
        """
        from mission_control_tui.model.operators import sessions

        if not self._accounts.caller.session:
            return None
        lost = await sessions.lost(store, self._accounts.caller)
        return await self._account_of(store, lost.place) if lost is not None else None

    async def _account_of(self, store: Store, place: StoredPlace) -> Account | None:
        from mission_control_tui.model.accounts.editing import resolve_account

        account_id = place.get("account")
        if not isinstance(account_id, int):
            return None
        try:
            return await resolve_account(store, self._accounts.caller, account_id)
        except (NotFound, Denied):
            return None  # it is gone, or no longer this operator's

    async def begin(self, context: Context) -> None:
        """Note that this console runs, and go back to where the operator's last one was lost."""
        from mission_control_tui.model.operators import drafts, sessions

        # A console that is lost at once waits here for its session: its place could not be noted before.
        async with self._turn:
            lost = await sessions.lost(context.store, context.caller)
            if lost is None:
                self._app.is_arriving = False  # keys need not wait for what is written
            await self._note(context)
        waiting = await drafts.list_drafts(context.store, context.caller)
        if lost is not None:
            if not context.store.is_read_only:
                await sessions.take_over(context.store, context.caller, lost.id)
            await self._go_back(context, lost)
        elif waiting:
            self._app.notify(self._told_of(context, waiting))

    async def _note(self, context: Context) -> None:
        """Note that this console runs, where that can be and was not done."""
        from mission_control_tui.model.operators import sessions

        if not self._is_noted and not context.store.is_read_only:
            self._is_noted = True
            await sessions.begin(context.store, context.caller)

    def _told_of(self, context: Context, waiting: Sequence[Draft]) -> str:
        """What is said of drafts: the newest, its account where that is another; the title gives way to the keys."""
        newest, others = waiting[0], len(waiting) - 1
        where = "" if newest.account_id == context.account_id else f" in {newest.account_code}"
        title = newest.title or self._app.form_name(newest.kind)
        after = f"{f', and {others} more' if others else ''}. g, then Drafts goes on with it"
        room = self._app.size.width - width_of(f"Unfinished{where}: {after}")
        return (
            f"Unfinished{where}: {fit(title, max(min(room, width_of(title)), LEAST_TITLE))}{after}"
        )

    async def _go_back(self, context: Context, lost: ConsoleSession) -> None:
        place = lost.place
        screens = [(str(name), tuple(arguments)) for name, arguments in place.get("screens", ())]
        account = await self._account_of(context.store, place)
        if account is None or not screens:
            return
        if self._stays and account.id != context.account_id:
            self._app.notify(f"The last connection was lost in {account.code}: o goes there")
            return
        back = self._accounts.context_for(account)

        async def go() -> None:
            if lost.ticket and not self._accounts.caller.ticket:
                self._accounts.change_caller(ticket=lost.ticket)
            for key, kept in place.get("memory", {}).items():
                self._app.memory.setdefault(key, _memory(kept))
            if back is not self._app.store:
                self._accounts.home_of(back)
            for name, arguments in screens:
                screen = (
                    self._made_again(name, arguments) if name != self._app.links[0][0] else None
                )
                if screen is not None:
                    screen.bind(back)
                    await self._app.push_screen(screen)
            self._app.notify("Back where the connection was lost. g goes elsewhere")

        if self._app.is_behind:
            # What was typed was meant for Home, which is what one sees: it must not act elsewhere.
            self._offered = go
            self._app.notify(f"The connection was lost elsewhere: g, then {LOST_PLACE} goes back")
            return
        await go()
        self._app.arrive()

    @property
    def offers(self) -> tuple[str, str] | None:
        """The link to the place where the connection was lost, where Home was shown instead."""
        return None if self._offered is None else (LOST, LOST_PLACE)

    def take_offer(self) -> None:
        """Go back to where the connection was lost."""
        go, self._offered = self._offered, None
        if go is not None:
            self._app.start_task(self._app.guarded(go()))

    def _made_again(self, name: str, arguments: tuple[Any, ...]) -> MissionScreen | None:
        """Return a screen that was noted; None where it was another version of the program that knew it."""
        try:
            return cast(MissionScreen, self._app.make_screen(name, *arguments))
        except (KeyError, TypeError):
            return None

    async def end(self, *, lost: bool) -> None:
        """Note how the console ended, with place and drafts as they are."""
        from mission_control_tui.model.operators.sessions import SessionEnding, end

        seen = self._last_seen
        if seen is not None:
            context = seen.context
            async with self._turn:
                # One that is lost while it fills its first screen has not begun yet.
                await self._app.if_it_answers(self._note(context))
            await self._kept(lambda: seen)
            how = SessionEnding.LOST if lost else SessionEnding.QUIT
            await self._app.if_it_answers(end(context.store, context.caller, how))


def _memory(kept: object) -> dict[str, object]:
    """Return what a screen remembered; nothing where another version of the program wrote it."""
    if not isinstance(kept, Mapping):
        return {}
    try:
        found = decode(kept)
    except (ValueError, TypeError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
