"""What screens work with: the open store, who calls, which account, the catalogue in force, and where to go.

A screen inherits `MissionScreen`. It belongs to one account for as long as it is there, whichever account the console
goes on to: what it reads and writes is always that account's. It must not import the command line, the engine or the
provisioning package: what wakes the worker is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from mission_control_tui.keys import keymap
from mission_control_tui.model.errors import Conflict, NotFound, StoreError
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.operator_actions import OperatingScreen

if TYPE_CHECKING:
    from mission_control_tui.widgets.find_box import FindBox


class MissionScreen(OperatingScreen):
    """The base of the screens of Mission Control, each bound to the account that it was opened in."""

    _bound: Context | None = None

    NAME: ClassVar[str] = ""
    """What `go_to` and the registry call this screen; it takes what its `__init__` takes. It is stored with places."""

    DRAFT: ClassVar[str] = ""
    """What the list of drafts calls a form that is left unfinished here."""

    NEED_STORE: ClassVar[tuple[str, ...]] = ("provision", "edit", "retry", "buy")
    """Verbs that wait for the database."""

    @classmethod
    def all_verbs(cls) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*super().all_verbs(), *keymap.OPERATING)))

    @property
    def account_code(self) -> str:
        return self.context.account.code

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
        own = super().memory_key
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
        if isinstance(screen, MissionScreen) and context is not None:
            screen.bind(context)
        self.app.push_screen(screen)

    def turn_into(self, name: str, *arguments: Any, **named: Any) -> None:
        """Open another screen in place of this one, unless one has gone elsewhere meanwhile."""
        if not self.is_current:
            return
        screen = self.console.make_screen(name, *arguments, **named)
        if isinstance(screen, MissionScreen):
            screen.bind(self.context)
        self.app.switch_screen(screen)

    # Drafts

    @property
    def draft_title(self) -> str:
        """What the list of drafts calls what is typed here."""
        return self._top.title

    def keep(self) -> None:
        super().keep()
        self.console.session.keep_draft(self)

    # History

    def about_user(self) -> str | None:
        """The user whom verbs are about, by id."""
        return None

    def verb_history(self) -> None:
        self.go_to("history", self.about_user())

    def verb_like(self) -> None:
        """A new user like the one that verbs are about."""
        user_id = self.about_user()
        if user_id is None:
            self.announce("Put the cursor on a user first", error=True)
        else:
            self.go_to("new-user", user_id)

    def verb_undo(self) -> Any:
        """Show what was changed in this session, where it can be taken back."""
        self.go_to("history", None, "session")

    # Finding

    def find_box(self) -> FindBox | None:
        """The screen's own find box, where it has one that can be used now."""
        boxes = (cast("FindBox", one) for one in self._body.query("FindBox"))
        return next((box for box in boxes if box.display and not box.disabled), None)

    def verb_find(self) -> None:
        """Go to this screen's own find box; from there, or without one, find anyone."""
        box = self.find_box()
        if box is None:
            self.console.find_anyone("")
        elif box.has_focus_within:
            self.console.find_anyone(box.text)
        else:
            box.focus()

    def on_find_box_widened(self, event: FindBox.Widened) -> None:
        event.stop()
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

    def need_write(self) -> None:
        """Raise Denied where this console may only look."""
        self.context.caller.require_write()

    def still_here(self) -> None:
        """Raise Conflict after a wait when the screen has been left meanwhile."""
        if not self.is_here:
            raise Conflict("The screen was left meanwhile.")


UNKNOWN = "-"
"""Stands for a number until the database has answered."""
