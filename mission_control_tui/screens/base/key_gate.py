"""Whose row a key is for, and when it has to wait or is refused."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from textual import events
from textual.actions import parse as parse_action
from textual.screen import Screen

from mission_control_tui.screens.base.frame import Frame
from mission_control_tui.screens.base.memory import Memory
from mission_control_tui.screens.base.prompts import Prompts
from mission_control_tui.terminal.key_queue import Typed
from mission_control_tui.widgets.bars import ConfirmBar

WITH_OVERLAY = frozenset({"back", "help", "quit", "redraw"})
"""Verbs that hold while something stands in place of the body."""

LEADS_AWAY = frozenset({"go", "next_red", "account", "command", "find", "ticket"})
"""Verbs that are not about what is behind it, and hold too, but for help, where a key is looked up and not meant."""

ABOUT_NO_ROW = WITH_OVERLAY | LEADS_AWAY | {"new", "undo", "sort", "write", "arm"}
"""Verbs that are not about the row under the cursor."""

ACTS_ON_ROW = frozenset({"open", "mark"})
"""What a list itself does with the row under its cursor."""

LEAVES = frozenset({"leave", "how_to_quit", "suspend_process"})
"""What the application does with a key whatever stands on the screen."""

ARRIVING = "the console is still being made ready"
NOT_DONE = "what was asked for before is not done yet"
NOT_YET = "the rows of what was typed are not there yet"
NOT_SHOWN = "this was typed before the question was there"
REPLACED = "another row came under the cursor as you pressed"


class KeyGate:
    """What the queue of keys asks on behalf of a screen (`KeyRecipient`)."""

    def __init__(
        self,
        screen: Screen[Any],
        frame: Frame,
        prompts: Prompts,
        memory: Memory,
        *,
        holds_keys: Callable[[], bool],
    ) -> None:
        """`holds_keys` tells whether what is typed now is meant for what comes."""
        self._screen = screen
        self._frame = frame
        self._prompts = prompts
        self._memory = memory
        self._holds_keys = holds_keys

    def awaited(self, event: Typed) -> str:
        """Return what a key waits for: the first place, what is being read, a panel, the rows of what was typed."""
        if self._frame.console.is_arriving:
            return ARRIVING
        if self._holds_keys() or self._memory.is_going_back:
            return NOT_DONE
        if not getattr(self._screen.focused, "is_due", False):
            return ""
        is_for_now = getattr(self._screen.focused, "is_stale", False) and not self._is_about_row(
            event
        )
        return "" if is_for_now else NOT_YET

    def refusal(self, event: Typed) -> str:
        """Return why a key must not act: it would on another row than it was pressed for, or answer what was not shown.

        Rows may not have come in time, or others' changes put another row under the cursor after the key was pressed.
        """
        if self._prompts.is_guarded:
            is_late = event.time > self._prompts.shown_at
            return "" if is_late or self.leads_out(event) else NOT_SHOWN
        if getattr(self._screen.focused, "is_stale", False):
            refused = NOT_YET
        elif event.time < getattr(self._screen.focused, "replaced_at", 0.0):
            refused = REPLACED
        else:
            return ""
        return refused if self._is_about_row(event, ACTS_ON_ROW) else ""

    def leads_out(self, event: Typed) -> bool:
        """Tell whether a key only leaves what is there: Escape of a question too, however long its work takes."""
        is_text = getattr(self._screen.focused, "is_field", False) or self._prompts.is_asking
        if isinstance(event, events.Paste) or (is_text and event.is_printable):
            return False
        name, parameters = self._action_of(event)
        if name == "verb":
            return parameters[0] in WITH_OVERLAY
        return name in LEAVES or (name == "say" and parameters == (False,))

    def is_answer(self, event: Typed) -> bool:
        return (
            self._prompts.is_guarded
            and isinstance(self._prompts.bar, ConfirmBar)
            and isinstance(event, events.Key)
            and (event.is_printable or event.key == "enter")
        )

    def refuse(self, why: str) -> None:
        said = f"Nothing was done: {why}"
        self._frame.announce(said, error=True)
        if self._prompts.bar is not None:
            self._prompts.bar.say(said, error=True)

    def _is_about_row(self, event: Typed, actions: Collection[str] | None = None) -> bool:
        """Tell whether a key acts on a row or leads to the rows; with `actions`, of widgets only what is among them."""
        is_for_now = getattr(self._screen.focused, "is_for_now", None)
        if isinstance(event, events.Paste) or (is_for_now is not None and is_for_now(event)):
            return False
        name, parameters = self._action_of(event)
        if name == "verb":
            of_rows = getattr(self._screen.focused, "has_verbs_of_rows", False)
            return of_rows and parameters[0] not in ABOUT_NO_ROW
        return bool(name) and (actions is None or name in actions)

    def _action_of(self, event: events.Key) -> tuple[str, tuple[object, ...]]:
        """Return the action that a key does here, and what it is given; without a name where it does none."""
        active = self._screen.active_bindings.get(event.key)
        return parse_action(active.binding.action)[1:] if active is not None else ("", ())
