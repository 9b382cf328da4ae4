"""What all screens share: top line, body, announcements, key hints, questions and help in place, memory, the feed.

A screen says which verbs it has (`VERBS`), what its body is (`body`), and how it reads its data (`load`). Focus changes
repaint only what differs: Textual's own screen repaints everything on each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.css.query import NoMatches
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from mission_control_tui import keymap
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.unbroken import unbroken
from mission_control_tui.widgets.confirm_bar import ConfirmBar
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.help_lines import HelpLines
from mission_control_tui.widgets.link_list import LinkList
from mission_control_tui.widgets.remembering import Remembering
from mission_control_tui.widgets.rows import CursorLines
from mission_control_tui.widgets.status_lines import Announcement, KeyLine, TopLine
from mission_control_tui.widgets.too_small import MIN_HEIGHT, MIN_WIDTH, TooSmall

if TYPE_CHECKING:
    from mission_control_tui.app import MissionControlApp


WITH_OVERLAY = frozenset({"back", "help", "go", "quit", "redraw"})
"""Verbs that see to the overlay themselves; before any other it is closed."""


def _error_of(widget: Widget) -> str:
    error = getattr(widget, "cut_error", "")
    return error if isinstance(error, str) else ""


class Body(Container):
    """What is between the lines that every screen has."""


class BaseScreen(Screen[None]):
    """The base of every screen."""

    AUTO_FOCUS = "Body *"

    HEADING: ClassVar[str] = ""
    """What the top line calls this screen."""

    ABOUT: ClassVar[str] = ""
    """What help says about this screen, in plain text."""

    VERBS: ClassVar[tuple[str, ...]] = ()
    """Ids of verbs that this screen has beside those that are everywhere; each needs a method `verb_<id>`."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    class ChangesArrived(Message):
        """Others changed something; `App.take_changes` says what."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, BaseScreen.ChangesArrived)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls.BINDINGS = keymap.bindings(*cls.all_verbs(), action="verb('{id}')")  # type: ignore[assignment]
        super().__init_subclass__(**kwargs)

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._top = TopLine(self.HEADING)
        self._announcement = Announcement()
        self._keys = KeyLine()
        self._body = Body(id="body")
        self._confirm: ConfirmBar | None = None
        self._overlay: Widget | None = None
        self._too_small: TooSmall | None = None
        self._kept_focus: Widget | None = None
        self._memory: dict[str, object] = {}
        self._loading = False
        self._load_again = False
        self._stale = False

    @classmethod
    def all_verbs(cls) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*cls.VERBS, *keymap.EVERYWHERE)))

    # What a screen says of itself

    def body(self) -> Iterable[Widget]:
        """The widgets between top line and announcement line. Override this."""
        return ()

    async def load(self) -> None:
        """Read what is shown. Called when the database is open, on coming back, and when others changed something."""

    @property
    def memory_key(self) -> str:
        """Under which name cursor, filter and open panels are remembered; add the subject's id where there is one."""
        return type(self).__name__

    def may_leave(self) -> bool:
        """Whether Escape may leave this screen now; a screen that says no asks first by itself."""
        return True

    def why_not(self, verb: str) -> str:
        """Why a verb cannot be used just now; empty when it can."""
        return ""

    # Composition

    @property
    def console(self) -> MissionControlApp:
        """The application, as what screens may ask of it."""
        return cast("MissionControlApp", self.app)

    def compose(self) -> ComposeResult:
        yield self._top
        with self._body:
            yield from self.body()
        yield self._announcement
        yield self._keys

    def on_mount(self) -> None:
        self._top.set(self.console.top_info)
        self._memory = dict(self.console.memory.get(self.memory_key, {}))
        self._fit(self.app.size.width, self.app.size.height)
        self.refresh_keys()
        if self._memory:
            self.call_after_refresh(self._recall)
        if self.console.is_open:
            self.reload()

    # Lines

    def set_heading(self, text: str) -> None:
        self._top.set_title(text)

    def update_top(self) -> None:
        self._top.set(self.console.top_info)

    def announce(self, text: str, *, error: bool = False) -> None:
        """Say what happened on the line above the key hints."""
        self._announcement.set(text, error=error)

    @property
    def announced(self) -> str:
        return self._announcement.text

    def announce_error(self, error: MissionControlError) -> None:
        problems = "; ".join(str(problem) for problem in error.problems[:2])
        self.announce(
            " - ".join(filter(None, (error.what, problems, error.hint))).replace("\n", " "),
            error=True,
        )

    def refresh_keys(self) -> None:
        """Show the key hints that hold now."""
        verbs = [verb for verb in self.all_verbs() if not self.why_not(verb)]
        focused = self.focused
        ids: list[str] = list(verbs)
        if focused is not None:
            own = {binding.id for _key, binding in focused._bindings if binding.id}
            if not getattr(focused, "mark_hint", True):
                own.discard("mark")
            ids += [verb for verb in ("open", "mark") if verb in own]
        width = self.app.size.width
        self._keys.set(
            keymap.hints(ids, width, in_field=self.in_field, overrides=self.console.keys)
        )

    @property
    def in_field(self) -> bool:
        """Whether the focus is in a field, where letters are text."""
        return bool(getattr(self.focused, "is_field", False))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.refresh_keys()
        error = next((text for node in self._focus_path() if (text := _error_of(node))), "")
        if error:
            self.announce(error, error=True)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.refresh_keys()

    # Verbs

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self._too_small is not None and action == "verb":
            return parameters == ("quit",)
        if self._confirm is not None and action == "verb":
            return parameters in (("back",), ("quit",), ("redraw",))
        return True

    @property
    def focus_chain(self) -> list[Widget]:
        """Where Tab may go: never behind an overlay or a question."""
        chain = super().focus_chain
        front = self._confirm or self._overlay
        return (
            chain if front is None else [one for one in chain if front in one.ancestors_with_self]
        )

    def action_verb(self, verb: str) -> None:
        """Do a verb: call `verb_<id>`; one that is a coroutine runs as a worker, so that keys go on."""
        reason = self.why_not(verb)
        if reason:
            self.announce(reason, error=True)
            return
        if self._overlay is not None and verb not in WITH_OVERLAY:
            self.close_overlay()
        result = getattr(self, f"verb_{verb}")()
        if inspect.iscoroutine(result):
            self.do(result)

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside the keys; an error that a person can act upon is announced."""
        self.run_worker(
            unbroken(self._guard(work)), group="do", description="do", exit_on_error=True
        )

    async def _guard(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except MissionControlError as error:
            screen = self if self.is_here else self.app.screen
            if isinstance(screen, BaseScreen):
                screen.announce_error(error)
        except NoMatches:
            if (
                self.is_here
            ):  # while a screen is taken down, its widgets go before its work is cancelled
                raise

    def verb_back(self) -> None:
        """Leave the innermost of: question, overlay, field, screen."""
        if self._confirm is not None:
            self._confirm.action_say(False)
        elif self._overlay is not None:
            self.close_overlay()
        elif self.in_field and self._leave_field():
            return
        elif self.may_leave():
            self.leave()

    def _leave_field(self) -> bool:
        field = self.focused
        for widget in self.focus_chain:
            if not getattr(widget, "is_field", False):
                widget.focus()
                return True
        self.set_focus(None)
        return field is not None

    def leave(self) -> None:
        """Go back to the screen before, remembering this one."""
        self.keep()
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.announce("This is the first screen; q quits")

    def verb_quit(self) -> None:
        self.console.leave()

    def verb_redraw(self) -> None:
        self.console.redraw()

    def verb_next_red(self) -> Any:
        return self.console.next_red()

    def verb_help(self) -> None:
        if isinstance(self._overlay, HelpLines):
            self.close_overlay()
            return
        self.show_overlay(HelpLines(self.ABOUT, self._field_help(), self._key_help()))

    def _field_help(self) -> tuple[str, str] | None:
        for node in self._focus_path():
            text = getattr(node, "help_text", "")
            if isinstance(text, str) and text:
                return str(getattr(node, "label", "") or getattr(node, "title", "") or "Here"), text
        return None

    def _focus_path(self) -> list[Widget]:
        """The focused widget and what it is in, innermost first, without the screen."""
        if self.focused is None:
            return []
        nodes = (node for node in self.focused.ancestors_with_self if isinstance(node, Widget))
        return [node for node in nodes if node is not self]

    def _key_help(self) -> list[tuple[str, str, str]]:
        return keymap.help_rows((*self.all_verbs(), "open", "mark"), self.console.keys)

    def verb_go(self) -> None:
        if isinstance(self._overlay, LinkList):
            self.close_overlay()
            return
        self.show_overlay(LinkList([(name, label) for name, label, _open in self.console.links]))

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if isinstance(event.rows, LinkList):
            event.stop()
            self.close_overlay()
            self.console.follow_link(str(event.row.key))

    # Overlay

    def show_overlay(self, widget: Widget) -> None:
        """Show `widget` in place of the body, which is kept; Escape closes it."""
        if self._overlay is not None:
            self.close_overlay()
        self._kept_focus = self.focused
        self._overlay = widget
        widget.add_class("overlay")
        self.mount(widget)
        widget.focus()

    def close_overlay(self) -> None:
        overlay, self._overlay = self._overlay, None
        if overlay is not None:
            overlay.remove()
            self._focus_again()

    def _focus_again(self) -> None:
        kept, self._kept_focus = self._kept_focus, None
        if kept is not None and kept.is_attached:
            self.set_focus(kept, scroll_visible=False)
        else:
            self.set_focus(None)
        self.refresh_keys()

    # Questions

    def confirm(
        self, lines: Sequence[str], then: Callable[[], object], *, yes: str = "Yes"
    ) -> None:
        """Ask in place; the answer is No until Yes is chosen. `then` is called on Yes alone.

        The first line names account, user and service; the others say what is lost, seats and money.
        """
        if self._confirm is not None:
            return

        def answered(agreed: bool) -> None:
            bar, self._confirm = self._confirm, None
            if bar is None:
                return
            bar.remove()
            self._focus_again()
            if agreed:
                result = then()
                if inspect.iscoroutine(result):
                    self.do(result)
            else:
                self.announce("Nothing was changed")

        self._kept_focus = self.focused
        self._confirm = ConfirmBar(lines, answered, yes)
        self.mount(self._confirm)
        self._confirm.focus()

    @property
    def is_asking(self) -> bool:
        return self._confirm is not None

    # Size

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)
        self.refresh_keys()

    def _fit(self, width: int, height: int) -> None:
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        if small and self._too_small is None:
            self._small_focus = self.focused
            self._too_small = TooSmall()
            self.mount(self._too_small)
            self.set_focus(None)
        elif small and self._too_small is not None:
            self._too_small.refresh()
        elif not small and self._too_small is not None:
            notice, self._too_small = self._too_small, None
            notice.remove()
            if self._small_focus is not None and self._small_focus.is_attached:
                self.set_focus(self._small_focus, scroll_visible=False)
            self._small_focus = None

    _small_focus: Widget | None = None

    # Memory

    def remember(self) -> dict[str, object]:
        """Where everything with an id is; a screen adds what else it wants to find again."""
        found: dict[str, object] = dict(self._memory)
        for widget in self._body.walk_children(Widget):
            if widget.id and isinstance(widget, Remembering):
                place = widget.remember()
                if place is not None:
                    found[widget.id] = place
        node: Any = self._kept_focus or self._small_focus or self.focused
        while isinstance(node, Widget) and not node.id and node is not self:
            node = node.parent
        if isinstance(node, Widget) and node is not self and node.id:
            found["focus"] = node.id
        return found

    def recall(self, memory: dict[str, object]) -> None:
        """Go back to what `remember` found; a screen takes what it added."""

    def keep(self) -> None:
        self.console.memory[self.memory_key] = self.remember()

    def _recall(self) -> None:
        self.recall(self._memory)
        self._recall_widgets()

    def _recall_widgets(self) -> None:
        for widget in list(self._body.walk_children(Widget)):
            if widget.id and widget.id in self._memory and isinstance(widget, Remembering):
                widget.recall(self._memory.pop(widget.id))
        focus = self._memory.get("focus")
        if isinstance(focus, str):
            for widget in self._body.walk_children(Widget):
                if widget.id == focus:
                    del self._memory["focus"]
                    widget.focus()
                    break

    def on_fold_toggled(self, event: Fold.Toggled) -> None:
        if self._memory:
            self._recall_widgets()

    def on_screen_suspend(self) -> None:
        self.keep()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.update_top()
            self.refresh_keys()
            if self.console.is_open:
                self.reload()

    # Data

    @property
    def is_here(self) -> bool:
        """Whether the screen is mounted and among those that one can come back to."""
        return self.is_mounted and self.is_attached and self in self.app.screen_stack

    def reload(self) -> None:
        """Read the data again; requests that come while it is being read are one more reading, never a queue."""
        if not self.is_here:
            return
        if self._loading:
            self._load_again = True
            return
        self._loading = True
        self.run_worker(
            unbroken(self._load()), group="load", description="load", exit_on_error=True
        )

    async def _load(self) -> None:
        try:
            while True:
                self._load_again = False
                await self._read()
                if not self._load_again or not self.is_here:
                    return
        finally:
            self._loading = False

    async def _read(self) -> None:
        try:
            await self._guard(self.load())
        except NoMatches:
            # A screen that was left while it read has lost its widgets, and nobody looks at it.
            if self.is_here:
                raise

    def on_base_screen_changes_arrived(self, event: ChangesArrived) -> None:
        event.stop()
        changes = self.console.take_changes()
        if changes and self.concerns(changes):
            self.reload()

    def concerns(self, changes: Collection[object]) -> bool:
        """Whether these changes can alter what this screen shows."""
        return True
