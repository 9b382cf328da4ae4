"""What screens work with: the open store, who calls, which account, the catalogue in force, and where to go.

A screen inherits `MissionScreen`. It belongs to one account for as long as it is there, whichever account the console
goes on to: what it reads and writes is always that account's. It must not import the command line, the engine or the
provisioning package: what wakes the worker is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from mission_control_tui.keys import keymap
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, StoreError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.limits import TICKET
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.command_prompt import GOES_BACK, CommandPrompt
from mission_control_tui.screens.base.context import Context
from mission_control_tui.widgets.cells import width_of
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.overlays import PlainLines

COPIED = "Copied: "
IN_THE_BOX = "You are in the find box: type"


class MissionScreen(BaseScreen):
    """The base of the screens of Mission Control, each bound to the account that it was opened in."""

    _bound: Context | None = None

    subject: str = ""
    """What of several of its kind it is about, as its place is remembered by; stored like `MEMORY_NAME`."""

    NAME: ClassVar[str] = ""
    """What `go_to` and the registry call this screen; it takes what its `__init__` takes. It is stored with places."""

    DRAFT: ClassVar[str] = ""
    """What the list of drafts calls a form that is left unfinished here."""

    NEED_STORE: ClassVar[tuple[str, ...]] = ("provision", "edit", "retry", "buy")
    """Verbs that wait for the database."""

    def __init__(self) -> None:
        super().__init__()
        self.command_prompt = CommandPrompt(self, lambda: self.context.account.code)

    @classmethod
    def all_verbs(cls) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*super().all_verbs(), *keymap.OPERATING)))

    @property
    def context(self) -> Context:
        """The open session, of the account that this screen is about. Raises StoreError until the database is open."""
        if self._bound is None:
            if not self.console.is_open or not isinstance(self.console.store, Context):
                raise StoreError(self.console.why_not_open)
            self._bound = self.console.store
        return self._bound

    def bind(self, context: Context) -> None:
        """Say which account this screen is about, before it is shown; without, it is the console's at that moment."""
        self._bound = context

    @property
    def memory_key(self) -> str:
        """Each account's screens are remembered by themselves."""
        own = f"{super().memory_key}{self.subject}"
        return own if self._bound is None else f"{self._bound.account_id} {own}"

    def on_mount(self) -> None:
        self._take_account()

    def on_screen_resume(self) -> None:
        self._take_account()

    def _take_account(self) -> None:
        """Have the console follow the account of the screen that is on top."""
        if self.console.is_open and self.app.screen is self:
            self.console.enter(self.context)

    def why_not(self, verb: str) -> str:
        if verb in self.NEED_STORE and not self.console.is_open:
            return self.console.why_not_open
        if verb == "find" and self.ONLY_FINDS and self.in_field:
            return IN_THE_BOX
        return ""

    def go_to(self, name: str, *arguments: Any, **named: Any) -> None:
        """Open another screen over this one; Escape there comes back here."""
        # Before the database is open the account is not known; whoever is in the stack then is bound when it is.
        context = self.context if self.console.is_open else None
        self.open_in(context, name, *arguments, **named)

    def open_in(self, context: Context | None, name: str, *arguments: Any, **named: Any) -> None:
        """The same for a screen of another account, to which the console changes; Escape there changes it back."""
        self.keep()
        screen = self.console.make_screen(name, *arguments, **named)
        if context is not None:
            screen.bind(context)
        self.console.go_on_to(screen)

    def turn_into(self, name: str, *arguments: Any, says: str = "", **named: Any) -> None:
        """Open another screen in place of this one, unless one has gone elsewhere meanwhile.

        Where one is then, it `says` what was done.
        """
        if self.is_current:
            screen = self.console.make_screen(name, *arguments, **named)
            screen.bind(self.context)
            self.app.switch_screen(screen)
        if says:
            top = cast(MissionScreen, self.app.screen)
            top.call_after_refresh(top.announce, says)

    # Drafts

    @property
    def draft_title(self) -> str:
        """What the list of drafts calls what is typed here."""
        return self.frame.top.title

    def keep(self) -> None:
        super().keep()
        self.console.session.keep_draft(self)

    # Ticket

    def verb_ticket(self) -> None:
        current = self.console.accounts.caller.ticket
        self.prompts.ask(
            ["The ticket that every change carries from now on; empty for none."],
            "Ticket",
            self._set_ticket,
            value=current,
            help_text="A reference of your ticket system. It sticks until it is changed or cleared.",
        )

    def _set_ticket(self, text: str) -> None:
        ticket = harmless(text).strip()
        if len(ticket) > TICKET:
            raise InvalidInput(f"A ticket has at most {TICKET} characters.")
        self.console.accounts.change_caller(ticket=ticket)
        self.announce(f"Every change carries ticket {ticket}" if ticket else "No ticket any more")

    # Arming

    def verb_arm(self) -> None:
        armed = not self.console.accounts.caller.may_write
        if armed:
            self.context.store.require_room()
        self.console.accounts.change_caller(may_write=armed)
        self.announce(
            "Armed: changes are made again; a makes the console read-only"
            if armed
            else "Read-only: nothing is changed until you press a again"
        )
        self.refresh_keys()

    # Copying

    def copy(self, text: str | Sequence[str]) -> None:
        """Hand `text` to the terminal's clipboard, and show it without borders, for selecting it by mouse.

        A text is one harmless line, whatever it says: it may be pasted into a shell. Several lines are made here.
        """
        lines = [harmless(line) for line in ([text] if isinstance(text, str) else text)]
        whole = "\n".join(lines)
        if not whole.strip():
            self.answer("There is nothing to copy here", error=True)
            return
        self.console.copy_to_clipboard(whole, lines=len(lines) > 1)
        if len(lines) == 1 and width_of(whole) <= self.app.size.width - len(COPIED) - 1:
            self.answer(f"{COPIED}{whole}")
        else:
            self.prompts.show_overlay(PlainLines(whole))
            self.announce(f"Copied. {GOES_BACK}", of_overlay=True)

    # Command line

    def verb_command(self) -> None:
        commands = self.console.commands
        if commands is None:
            self.answer("There is no command line here", error=True)
        elif not self.prompts.is_asking:
            self.command_prompt.open(commands)

    # History

    def about_user(self) -> str | None:
        """Return the user whom verbs are about, by id."""
        return None

    def chosen_user(self) -> str | None:
        """Return the same user for a verb that needs one; says so where there is none."""
        user_id = self.about_user()
        if user_id is None:
            self.answer("Put the cursor on a user first", error=True)
        return user_id

    def verb_history(self) -> None:
        self.go_to("history", self.about_user())

    def verb_like(self) -> None:
        """A new user like the one that verbs are about."""
        if (user_id := self.chosen_user()) is not None:
            self.go_to("new-user", user_id)

    def verb_undo(self) -> Any:
        """Show what was changed in this session, where it can be taken back."""
        self.go_to("history", None, "session")

    # Finding

    def find_box(self) -> FindBox | None:
        """Return the screen's own find box, where it has one that can be used now."""
        boxes = self.frame.body.query(FindBox)
        return next((box for box in boxes if box.display and not box.disabled), None)

    def verb_find(self) -> None:
        """Go to this screen's own find box; from there, or without one, find anyone."""
        box = self.find_box()
        if box is None:
            self.console.find_anyone("")
        elif box.has_focus_within and not self.ONLY_FINDS:
            self.console.find_anyone(box.text)
        else:
            box.focus()

    def on_find_box_widened(self, event: FindBox.Widened) -> None:
        event.stop()
        if self.ONLY_FINDS:
            self.answer(IN_THE_BOX)
        else:
            self.console.find_anyone(event.text)

    def looked_at(self, user_id: str) -> None:
        """Note for the list of recent people that the operator looks at this user."""
        self.console.accounts.remember_user(self.context, user_id)

    def open_buy(self, service_id: str, level_id: str, return_to: str = "") -> None:
        """Open the buy flow for seats of a service's level; it comes back here when the order is placed.

        `return_to` says in words where that is. Raises NotFound where nothing on sale grants the level.
        """
        for product, level in self.context.catalogue.granting(service_id, level_id):
            if not product.withdrawn and not level.withdrawn:
                self.go_to("buy", product.id, level.id, return_to=return_to or self.HEADING)
                return
        service = self.context.catalogue.service(service_id)
        raise NotFound(
            f"{service.level(level_id).name} is no longer sold.", hint="Choose another level."
        )

    async def queue_changed(self) -> None:
        """Call after a change that queued something: sees to it that a worker does it."""
        context = self.context
        context.worker = await context.wake()

    async def done(self, said: str) -> None:
        """Say what was done, see to it that a worker does what was queued, and read again."""
        self.announce(said)
        await self.queue_changed()
        await self.load()

    def need_write(self) -> None:
        """Raise Denied where this console may only look."""
        self.context.caller.require_write()

    def still_here(self) -> None:
        """Raise Conflict after a wait when the screen has been left meanwhile."""
        if not self.is_here:
            raise Conflict("The screen was left meanwhile.")


UNKNOWN = "-"
"""Stands for a number until the database has answered."""


def number(count: int | None) -> str:
    """Return a count as people read it."""
    return UNKNOWN if count is None else f"{count:,}"
