"""What is asked and shown in place, over a screen that is kept: questions, help, QUICK LINKS."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from mission_control_tui.model.errors import InvalidInput, MissionControlError
from mission_control_tui.screens.base.frame import Frame
from mission_control_tui.screens.base.loading import Loader
from mission_control_tui.widgets.bars import AskBar, ConfirmBar, QuestionBar
from mission_control_tui.widgets.rows import CursorLines, Row


class Prompts:
    """At most one overlay in place of a screen's body, and one question over its lowest lines."""

    def __init__(self, screen: Screen[Any], frame: Frame, loader: Loader) -> None:
        self._screen = screen
        self._frame = frame
        self._loader = loader
        self.bar: QuestionBar | None = None
        self.overlay: Widget | None = None
        self.kept_focus: Widget | None = None
        """What gets the focus back."""
        self._takes_away = False
        self.shown_at = math.inf
        """When the question was on the terminal, as the clock of events says it."""

    @property
    def is_asking(self) -> bool:
        return self.bar is not None

    @property
    def is_guarded(self) -> bool:
        """Whether a yes takes something away: it has to be pressed after the question was shown."""
        return self.bar is not None and self._takes_away

    @property
    def is_clear(self) -> bool:
        """Whether nothing is asked, and nothing stands in place of the body."""
        return self.bar is None and self.overlay is None

    @property
    def front(self) -> Widget | None:
        """What Tab may not lead out of: a question, else an overlay."""
        return self.bar or self.overlay

    # Overlay

    def show_overlay(self, widget: Widget) -> None:
        """Show `widget` in place of the body, which is kept; Escape closes it."""
        if self.overlay is not None:
            self.close_overlay()
        self.kept_focus = self._screen.focused
        self.overlay = widget
        widget.add_class("overlay")
        self._screen.mount(widget)
        widget.focus()

    def choose(self, rows: CursorLines, then: Callable[[Row], object]) -> None:
        """Show a list in place of the body; a choice closes it, and `then` gets the row."""

        def chosen(row: Row) -> object:
            self.close_overlay()
            return then(row)

        rows.then = chosen
        self.show_overlay(rows)

    def close_overlay(self) -> None:
        overlay, self.overlay = self.overlay, None
        if overlay is not None:
            overlay.remove()
            self._focus_again()
            if self._frame.said_of_overlay:
                self._frame.announce("")

    def _focus_again(self) -> None:
        kept, self.kept_focus = self.kept_focus, None
        if kept is not None and kept.is_attached:
            self._screen.set_focus(kept, scroll_visible=False)
        else:
            self._screen.set_focus(None)
        self._frame.refresh_keys()

    # Questions

    def confirm(
        self,
        lines: Sequence[str],
        then: Callable[[], object],
        *,
        yes: str = "Yes",
        takes_away: bool = True,
    ) -> None:
        """Ask in place; the answer is No until Yes is chosen. `then` is called on Yes alone.

        What `then` returns is called after it, where it can be: a question that follows. The first line names account,
        user and service; the others say what is lost, seats and money. What was typed
        before the question was shown answers it only where it `takes_away` nothing.
        """
        if self.bar is not None:
            return

        def answered(agreed: bool) -> None:
            bar, self.bar = self.bar, None
            if bar is None:
                return
            bar.remove()
            self._focus_again()
            if agreed:
                result = then()
                if inspect.iscoroutine(result):
                    self._loader.do(result)
                elif callable(result):
                    result()
            else:
                self._frame.answer("Nothing was changed")

        self.show_bar(ConfirmBar(lines, answered, yes), takes_away=takes_away)

    def ask(
        self,
        lines: Sequence[str],
        label: str,
        then: Callable[[str], object],
        *,
        value: str = "",
        hint: str = "",
        understand: Callable[[str], str] | None = None,
        help_text: str = "",
        takes_away: bool = False,
    ) -> None:
        """Ask for a line of text in place. `then` gets it, on Enter.

        `then` may be a coroutine; while it raises a MissionControlError, the line stays with what was typed and the
        error below it. What it returns is called once the line has closed, where it can be: a question that follows.
        `understand` says as one types how the text is read. Escape gives up, and changes nothing.
        """
        if self.bar is not None:
            return

        def answered(text: str | None) -> None:
            if text is None:
                self.close(bar)
                self._frame.answer("Nothing was changed")
            else:
                self._loader.do(self.take(bar, text, then))

        bar = AskBar(
            lines,
            label,
            answered,
            value=value,
            hint=hint,
            understand=understand,
            help_text=help_text,
        )
        self.show_bar(bar, takes_away=takes_away)

    def ask_typed(
        self, lines: Sequence[str], expected: str, then: Callable[[], object], *, what: str
    ) -> None:
        """Ask for `expected` to be typed before `then` is called, for what must not be done by a slip of the hand.

        `what` names it, such as "the UPN". Anything else that is typed is refused in place; Escape gives up.
        """

        def typed(text: str) -> object:
            if text.strip().casefold() != expected.casefold():
                raise InvalidInput(f"This is not {what}: type {expected}, or Esc gives up.")
            return then()

        self.ask(
            lines,
            f"Type {expected}",
            typed,
            hint=f"Type {what} to confirm, then Enter; Esc gives up",
            help_text=f"What this does cannot be meant by accident, so {what} has to be typed.",
            takes_away=True,
        )

    def show_bar(self, bar: QuestionBar, *, takes_away: bool = False) -> None:
        """Show a question over the lowest lines and give it the focus."""
        self.kept_focus = self._screen.focused
        self.bar = bar
        self._takes_away, self.shown_at = takes_away, math.inf
        self._screen.set_focus(None)
        self._loader.do(self._mount_bar(bar))

    async def _mount_bar(self, bar: QuestionBar) -> None:
        """Keys that come meanwhile are held: they are the answer."""
        await self._screen.mount(bar)
        if bar is self.bar:
            bar.focus()
            late = await self._frame.drawn()
            painted = self._frame.console.shown_since(bar.painted_at)
            self.shown_at = painted if late is None else late

    def close(self, bar: QuestionBar) -> None:
        """Take a question away that was answered or given up."""
        if self.bar is bar:
            self.bar = None
            bar.remove()
            self._focus_again()

    async def take(self, bar: AskBar, text: str, then: Callable[[str], object]) -> None:
        """Hand what was typed to `then`, and close the question unless it is refused."""
        try:
            result = then(text)
            if inspect.iscoroutine(result):
                result = await result
        except MissionControlError as error:
            if not bar.is_attached:
                raise
            problems = "; ".join(str(problem) for problem in error.problems[:1])
            bar.say(problems or f"{error.what} {error.hint}".strip(), error=True)
        else:
            self.close(bar)
            if callable(result) and self._frame.is_here:
                result()
