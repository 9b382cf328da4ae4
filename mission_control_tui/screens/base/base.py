"""What all screens share: one table of verbs for keys and hints, over the frame.

A screen says which verbs it has (`VERBS`), what its body is (`body`), and how it reads its data (`load`). It owns its
`frame` (lines), `loader` (data and work), `memory` (places), `prompts` (overlays, questions) and `key_gate`; what only
some screens have are objects of theirs, those with verbs of their own its `parts`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Any, ClassVar

from textual import events, on
from textual._styles_cache import StylesCache
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from mission_control_tui.keys import keymap
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.screens.base.frame import Frame
from mission_control_tui.screens.base.host import Host
from mission_control_tui.screens.base.key_gate import LEADS_AWAY, WITH_OVERLAY, KeyGate
from mission_control_tui.screens.base.loading import Loader
from mission_control_tui.screens.base.memory import Memory
from mission_control_tui.screens.base.prompts import Prompts
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.overlays import HelpLines, LinkList
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import CursorLines

NEEDS_ROW = frozenset({"edit", "retry", "retry_all", "discard", "like", "schedule", "copy", "act"})
"""Verbs that the key hints leave out where nothing is in the lists of a screen."""

HINTED_OVER = frozenset({"back", "help", "quit"})
"""What the key hints show beside what the overlay has: the letters of others may be names of screens there."""


class BaseScreen(Screen[None]):
    """The base of every screen."""

    AUTO_FOCUS = "Body *"

    HEADING: ClassVar[str] = ""
    """What the top line calls this screen."""

    ABOUT: ClassVar[str] = ""
    """What help says about this screen, in plain text."""

    VERBS: ClassVar[tuple[str, ...]] = ()
    """Ids of its verbs beside those that are everywhere; each needs a `verb_<id>`, here or in one of its `parts`."""

    KEY_LABELS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What verbs are called in the key hints of this screen, where not as ever."""

    OF_ROWS: ClassVar[frozenset[str]] = frozenset()
    """Further verbs that are about the row under the cursor here."""

    MEMORY_NAME: ClassVar[str] = ""
    """What the place of this screen is remembered under. It is stored: it never changes again."""

    MAIN: ClassVar[str] = ""
    """The id of the button where Escape in a field goes; else it goes to the first thing that is no field."""

    ONLY_FINDS: ClassVar[bool] = False
    """Whether it is a find box and what that finds: Escape in the box leaves, and the next one begins empty."""

    # Textual's own screen repaints everything when the focus changes; here only what differs is.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls.BINDINGS = keymap.bindings(*cls.all_verbs(), action="verb('{id}')")  # type: ignore[assignment]
        super().__init_subclass__(**kwargs)

    def __init__(self) -> None:
        super().__init__()
        self.frame = Frame(self, self.HEADING, self._hints)
        self.loader = Loader(self, self.frame, self.load)
        self.prompts = Prompts(self, self.frame, self.loader)
        self.memory = Memory(self.frame.body, lambda: self.focus_behind)
        self.key_gate = KeyGate(
            self, self.frame, self.prompts, self.memory, holds_keys=lambda: self.holds_keys
        )
        self.mounted_at = math.inf
        """When it came, on the clock of events: nobody has seen it before."""
        self.parts: tuple[object, ...] = ()
        """Objects that a screen owns and that do some of its verbs."""

    class ChangesArrived(Message):
        """Others changed something; `App.take_changes` says what."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, BaseScreen.ChangesArrived)

    @classmethod
    def all_verbs(cls) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*cls.VERBS, *keymap.EVERYWHERE)))

    @property
    def console(self) -> Host:
        """The application, as what screens may ask of it."""
        return self.frame.console

    @property
    def is_here(self) -> bool:
        """Whether the screen is mounted and among those that one can come back to."""
        return self.frame.is_here

    def body(self) -> Iterable[Widget]:
        """Yield the widgets between top line and announcement line. Override this."""
        return ()

    def why_not(self, verb: str) -> str:
        """Return why a verb cannot be used just now; empty when it can."""
        return ""

    async def load(self) -> None:
        """Read what is shown. Called when the database is open, on coming back, and when others changed something."""

    def may_leave(self) -> bool:
        """Tell whether Escape may leave this screen now; a screen that says no asks first by itself."""
        return True

    def compose(self) -> ComposeResult:
        yield self.frame.top
        with self.frame.body:
            yield from self.body()
        yield self.frame.announcement
        yield self.frame.keys

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except NoMatches:
            # A screen that was left loses its widgets before the last messages about them arrive.
            if self.is_here:
                raise
        except MissionControlError as error:
            # What a button asks for may be refused just as what a verb asks for.
            if self.is_here:
                self.announce_error(error)

    async def _invoke_and_clear_callbacks(self) -> None:
        try:
            await super()._invoke_and_clear_callbacks()
        except NoMatches:
            # What was to be done after a refresh that never came, because the screen was left.
            if self.is_here:
                raise

    def _compositor_refresh(self) -> None:
        # What is painted while frames are held back is thrown away, and would no longer be known as changed.
        if not self.app._batch_count:
            super()._compositor_refresh()

    def paint_now(self) -> None:
        """Lay out and paint what changed, instead of at the next tick of Textual's clock."""
        self._on_timer_update()

    def on_mount(self) -> None:
        self.mounted_at = monotonic()
        self.update_top()
        self.memory.kept = dict(self.console.memory.get(self.memory_key, {}))
        self.frame.fit(self.app.size.width, self.app.size.height)
        self.refresh_keys()
        if self.memory.kept:
            self.call_after_refresh(self.go_back)
        if self.console.is_open:
            self.reload()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.refresh_keys()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.refresh_keys()

    @property
    def focus_chain(self) -> list[Widget]:
        """Where Tab may go: never behind an overlay or a question."""
        chain, front = super().focus_chain, self.prompts.front
        if front is None:
            return chain
        return [widget for widget in chain if front in widget.ancestors_with_self]

    @property
    def focus_behind(self) -> Widget | None:
        """The focused widget, or the one that gets the focus back when what stands before it goes."""
        return self.prompts.kept_focus or self.frame.kept_focus or self.focused

    def _focus_path(self) -> list[Widget]:
        """Return the focused widget and what it is in, innermost first, without the screen."""
        nodes = self.focused.ancestors_with_self if self.focused is not None else []
        return [node for node in nodes if isinstance(node, Widget) and node is not self]

    @property
    def in_field(self) -> bool:
        """Whether the focus is in a field, where letters are text."""
        return bool(getattr(self.focused, "is_field", False))

    def on_resize(self, event: events.Resize) -> None:
        self.frame.fit(event.size.width, event.size.height)
        self.refresh_keys()

    # Lines

    def update_top(self) -> None:
        self.frame.top.info = self.console.top_info

    def announce(
        self, text: str, *, error: bool = False, of_overlay: bool = False, stays: bool = False
    ) -> None:
        """Say what happened on the line above the key hints, as the frame does."""
        self.frame.announce(text, error=error, of_overlay=of_overlay, stays=stays)

    def answer(self, text: str, *, error: bool = False) -> None:
        """Say what a key did or why it did nothing, until the next one is pressed."""
        self.frame.answer(text, error=error)

    def announce_error(self, error: MissionControlError) -> None:
        self.frame.announce_error(error)

    @property
    def announced(self) -> str:
        return self.frame.announcement.text

    def refresh_keys(self) -> None:
        """Show the key hints that hold now."""
        self.frame.refresh_keys()

    @property
    def _has_no_rows(self) -> bool:
        """Whether there are lists here, and nothing in any of them."""
        found = self.frame.body.query("LineList, RowList")
        lists = [rows for rows in found if isinstance(rows, LineList | RowList) and rows.display]
        return bool(lists) and not any(rows.count or not rows.known for rows in lists)

    def _hints(self) -> list[tuple[str, str]]:
        hidden = self.unhinted | (keymap.HINTED_WHERE_NAMED - {*self.VERBS})
        if has_no_rows := self._has_no_rows:
            hidden |= NEEDS_ROW | self.OF_ROWS
        if self.prompts.overlay is not None:
            hidden |= {*self.all_verbs()} - HINTED_OVER
        ids = [verb for verb in self.all_verbs() if verb not in hidden and not self.why_not(verb)]
        focused = self.focused
        if focused is not None:
            own = {binding.id for _key, binding in focused._bindings if binding.id}
            shown = [verb for verb in ("open", "mark") if getattr(focused, f"{verb}_hint", True)]
            if not (has_no_rows and isinstance(focused, CursorLines)):
                ids += [verb for verb in shown if verb in own]
        return keymap.hints(
            ids,
            self.app.size.width,
            in_field=self.in_field,
            overrides=self.console.keys,
            labels={**self.key_labels, **getattr(focused, "key_labels", {})},
        )

    @property
    def unhinted(self) -> frozenset[str]:
        """Verbs that can be used just now and that the key hints leave out, for others matter more."""
        return frozenset()

    @property
    def key_labels(self) -> Mapping[str, str]:
        """What verbs are called just now in the key hints, by their ids, where not as ever."""
        return dict(self.KEY_LABELS)

    # Verbs

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.frame.too_small is not None and action == "verb":
            return parameters == ("quit",)
        if self.prompts.is_asking and action == "verb":
            return parameters in (("back",), ("quit",), ("redraw",))
        return True

    def action_verb(self, verb: str) -> None:
        """Do a verb: call `verb_<id>` of this screen or of its parts; a coroutine runs as a worker, so that keys go on.

        Over help, QUICK LINKS and the like none acts on the screen behind, which cannot be seen.
        """
        overlay = self.prompts.overlay
        leads_away = verb in LEADS_AWAY and not isinstance(overlay, HelpLines)
        if overlay is not None and verb not in WITH_OVERLAY and not leads_away:
            self.announce("Esc closes this first", of_overlay=True)
            return
        if reason := self.why_not(verb):
            self.answer(reason, error=True)
            return
        if overlay is not None and verb in LEADS_AWAY - {"go"}:
            self.prompts.close_overlay()
        try:
            name = f"verb_{verb}"
            doer = next((part for part in self.parts if hasattr(part, name)), self)
            self.run_or_do(getattr(doer, name))
        except MissionControlError as error:
            self.announce_error(error)

    def on_action_button_pressed(self, event: ActionButton.Pressed) -> None:
        button = event.button
        if button.verb:
            self.action_verb(button.verb)
        elif button.run is not None:
            self.run_or_do(button.run)

    def run_or_do(self, work: Callable[[], object]) -> None:
        """Call `work`; where it is a coroutine, it runs beside the keys."""
        result = work()
        if inspect.iscoroutine(result):
            self.do(result)

    def verb_back(self) -> None:
        """Leave the innermost of: question, overlay, field, open panel, screen. Nothing typed is lost by it."""
        if (bar := self.prompts.bar) is not None:
            bar.action_say(False)
        elif self.prompts.overlay is not None:
            self.prompts.close_overlay()
        elif not self._step_out() and self.may_leave():
            self.leave()

    def _step_out(self) -> bool:
        """Leave the field or close the panel that the focus is in; whether it is in one."""
        panel = next((n for n in self._focus_path() if isinstance(n, Fold) and n.is_open), None)
        if panel is not None:
            if self.focused is panel.title_line:
                panel.close()
            else:
                panel.focus()
        elif self.in_field and not self.ONLY_FINDS:
            outside = [node for node in self.focus_chain if not getattr(node, "is_field", False)]
            main = [widget for widget in outside if widget.id == self.MAIN]
            self.set_focus(next(iter(main or outside), None))
        else:
            return False
        return True

    def leave(self) -> None:
        """Go back to the screen before, remembering this one."""
        self.keep()
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.answer("This is the first screen; q quits")

    def verb_quit(self) -> None:
        self.console.action_leave()

    def verb_redraw(self) -> None:
        self.console.redraw()

    def verb_next_red(self) -> Any:
        return self.console.next_red()

    def verb_find(self) -> None:
        self.console.find_anyone("")

    def verb_account(self) -> None:
        self.console.choose_account()

    def verb_help(self) -> None:
        if isinstance(self.prompts.overlay, HelpLines):
            self.prompts.close_overlay()
            return
        keys = keymap.help_rows((*self.all_verbs(), "open", "mark"), self.console.keys)
        self.prompts.show_overlay(HelpLines(self.ABOUT, self._field_help(), keys))

    def _field_help(self) -> tuple[str, str] | None:
        for node in self._focus_path():
            text = getattr(node, "help_text", "")
            if isinstance(text, str) and text:
                return str(getattr(node, "label", "") or getattr(node, "title", "") or "Here"), text
        return None

    def verb_go(self) -> None:
        if isinstance(self.prompts.overlay, LinkList):
            self.prompts.close_overlay()
            return
        links, follow = self.console.quick_links, self.console.follow_link
        self.prompts.choose(LinkList(links), lambda row: follow(str(row.key)))

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.then is not None:
            event.stop()
            self.run_or_do(partial(event.rows.then, event.row))

    # Work beside the keys

    @property
    def holds_keys(self) -> bool:
        """Whether what is typed now is meant for what comes."""
        return self.loader.holds_keys

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside the keys; an error that a person can act upon is announced."""
        self.loader.do(work)

    def reload(self) -> None:
        self.loader.reload()

    def on_line_list_failed(self, event: LineList.Failed) -> None:
        event.stop()
        self.loader.announce_failure(event.error)

    @on(CursorLines.Filled)
    def _hint_what_rows_need(self) -> None:
        self.refresh_keys()

    def on_base_screen_changes_arrived(self, event: ChangesArrived) -> None:
        event.stop()
        changes = self.console.take_changes()
        if changes and self.concerns(changes):
            self.reload()

    def concerns(self, changes: Collection[object]) -> bool:
        """Tell whether these changes can alter what this screen shows."""
        return True

    # Memory

    @property
    def memory_key(self) -> str:
        """Under which name cursor, filter and open panels are remembered; add the subject's id where there is one."""
        return self.MEMORY_NAME

    @property
    def unfinished(self) -> bool:
        """Whether something is typed here that nobody was asked for yet; it is kept when one leaves."""
        return False

    def remember(self) -> dict[str, object]:
        """Return where everything with an id is; a screen adds what else it wants to find again."""
        return {} if self.ONLY_FINDS else self.memory.remember()

    def recall(self, memory: dict[str, object]) -> None:
        """Go back to what `remember` found; a screen takes what it added."""

    def keep(self) -> None:
        if not self.is_mounted:
            return  # it was left before it was there, and has nothing to remember
        self.console.memory[self.memory_key] = self.remember()

    def go_back(self) -> None:
        self.recall(self.memory.kept)
        self.memory.recall()

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        event.fold.is_opening = False
        if self.memory.kept:
            self.memory.recall()

    # Coming and going

    def on_unmount(self) -> None:
        # Textual keeps what its widgets have drawn here (its key is the widget's own cache), a thousand widgets long.
        StylesCache.get_inner_outer.cache_clear()

    def on_screen_suspend(self) -> None:
        self.keep()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.update_top()
            self.refresh_keys()
            if self.console.is_open:
                self.reload()
