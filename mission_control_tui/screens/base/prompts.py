"""What is asked and shown in place, over a screen that is kept: questions, help, QUICK LINKS."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widget import Widget

from mission_control_tui.model.errors import InvalidInput, MissionControlError
from mission_control_tui.screens.base.memory import RememberingScreen
from mission_control_tui.widgets.ask_bar import AskBar
from mission_control_tui.widgets.confirm_bar import ConfirmBar

if TYPE_CHECKING:
    from mission_control_tui.widgets.key_bar import KeyBar


class AskingScreen(RememberingScreen):
    """A screen with at most one overlay in place of its body, and one question over its lowest lines."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._confirm: ConfirmBar | AskBar | KeyBar | None = None
        self._overlay: Widget | None = None

    @property
    def focus_chain(self) -> list[Widget]:
        """Where Tab may go: never behind an overlay or a question."""
        chain = super().focus_chain
        front = self._confirm or self._overlay
        return (
            chain if front is None else [one for one in chain if front in one.ancestors_with_self]
        )

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
            if self._said_of_overlay:
                self.announce("")

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

        self.show_bar(ConfirmBar(lines, answered, yes))

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
    ) -> None:
        """Ask for a line of text in place. `then` gets it, on Enter.

        `then` may be a coroutine; while it raises a MissionControlError, the line stays with what was typed and the
        error below it. `understand` says as one types how the text is read. Escape gives up, and changes nothing.
        """
        if self._confirm is not None:
            return

        def answered(text: str | None) -> None:
            if text is None:
                self._close_bar(bar)
                self.announce("Nothing was changed")
            else:
                self.do(self._take(bar, text, then))

        bar = AskBar(
            lines,
            label,
            answered,
            value=value,
            hint=hint,
            understand=understand,
            help_text=help_text,
        )
        self.show_bar(bar)

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
        )

    def show_bar(self, bar: ConfirmBar | AskBar | KeyBar) -> None:
        """Show a question over the lowest lines and give it the focus."""
        self._kept_focus = self.focused
        self._confirm = bar
        self.set_focus(None)
        self.do(self._mount_bar(bar))

    async def _mount_bar(self, bar: ConfirmBar | AskBar | KeyBar) -> None:
        """Keys that come meanwhile are held: they are the answer."""
        await self.mount(bar)
        if bar is self._confirm:
            bar.focus()

    def _close_bar(self, bar: AskBar | KeyBar) -> None:
        if self._confirm is bar:
            self._confirm = None
            bar.remove()
            self._focus_again()

    async def _take(self, bar: AskBar, text: str, then: Callable[[str], object]) -> None:
        try:
            result = then(text)
            if inspect.iscoroutine(result):
                await result
        except MissionControlError as error:
            if not bar.is_attached:
                raise
            problems = "; ".join(str(problem) for problem in error.problems[:1])
            bar.say(problems or f"{error.what} {error.hint}".strip(), error=True)
        else:
            self._close_bar(bar)

    @property
    def is_asking(self) -> bool:
        return self._confirm is not None


def file_named(text: str) -> Path:
    """The file that was typed; ~ is the operator's home. Raises UsageError where ~ is nobody's."""
    from mission_control_tui.model.store.private_files import path_named

    return path_named(text)
