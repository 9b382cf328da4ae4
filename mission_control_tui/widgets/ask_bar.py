"""A line to type in, in place, over the lowest lines: a ticket, a file, a date, a name to confirm by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from mission_control_tui.widgets.cells import fit, width_of, wrap
from mission_control_tui.widgets.field import FieldInput
from mission_control_tui.widgets.lines import LineWidget, Part

MARGINS = 4
MOST_TYPED = 1000
MOST_TOLD = 4
"""Lines below the box at most."""


class AskInput(FieldInput):
    """The text box of an AskBar: here Enter answers, for nothing else could be meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer", "Answer", show=False),
        Binding("escape", "give_up", "Give up", show=False),
        Binding("tab", "other", "Complete", show=False),
        Binding("up", "earlier", "Earlier", show=False),
        Binding("down", "later", "Later", show=False),
    ]

    @property
    def bar(self) -> AskBar:
        bar = self.parent
        if not isinstance(bar, AskBar):
            raise TypeError("an AskInput belongs to an AskBar")
        return bar

    def action_answer(self) -> None:
        self.bar.answer()

    def action_give_up(self) -> None:
        self.bar.action_say(False)

    def action_other(self) -> None:
        self.bar.complete()

    def action_earlier(self) -> None:
        self.bar.step(-1)

    def action_later(self) -> None:
        self.bar.step(1)


class AskBar(LineWidget):
    """Lines that say what is asked, a labelled text box, and below it what was wrong or how the text is understood.

    `answered` gets what was typed on Enter and None on Escape; the bar stays until it is removed, so that an error
    loses nothing. `understand` says below the box how the text is read, as one types.
    """

    is_modal_bar = True

    TYPED_OVER: ClassVar[bool] = True
    """Whether what stands in the box at first is marked, so that typing replaces it."""

    DEFAULT_CSS = """
    AskBar { layer: above; dock: bottom; height: 4; width: 100%; background: ansi_default; }
    """

    def __init__(
        self,
        lines: Sequence[str],
        label: str,
        answered: Callable[[str | None], None],
        *,
        value: str = "",
        hint: str = "",
        understand: Callable[[str], str] | None = None,
        help_text: str = "",
    ) -> None:
        super().__init__()
        self._asked = tuple(lines)
        self._lines: list[str] = []
        self.label = label
        self.help_text = help_text
        self._answered = answered
        self._hint = hint or "Enter accepts, Esc gives up"
        self._understand = understand
        self._said = ""
        self._told: list[str] = []
        self._wrong = False
        self.input = AskInput(value, password=False, max_length=MOST_TYPED)

    def compose(self) -> ComposeResult:
        yield self.input

    @property
    def text(self) -> str:
        return self.input.value

    def focus(self, scroll_visible: bool = True) -> AskBar:
        self.input.focus(scroll_visible)
        return self

    def say(self, text: str, *, error: bool = False) -> None:
        """Say something below the box: what is wrong, or how the text is understood."""
        self._said, self._wrong = text, error
        self._fit()
        self.repaint()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == 0:
            return [("─" * width, "orange")]
        if y <= len(self._lines):
            return [("  ", ""), (self._lines[y - 1], "strong" if y == 1 else "")]
        if y == len(self._lines) + 1:
            return [("  ", ""), (f"{self.label}: ", "")]
        at = y - len(self._lines) - 2
        if at < len(self._told):
            return [("  ", ""), (self._told[at], "error" if self._wrong else "")]
        return () if at else [("  ", ""), (self._hint, "dim")]

    def _fit(self) -> None:
        """Break the lines as wide as the terminal is, and put the box below them."""
        width = self.app.size.width - MARGINS
        self._lines = [part for line in self._asked for part in wrap(line, width)]
        self.input.styles.margin = (len(self._lines) + 1, 2, 0, 4 + width_of(self.label))
        told = wrap(self._said, width) if self._said else []
        self._told = told[:MOST_TOLD]
        if len(told) > MOST_TOLD:
            self._told[-1] = fit(f"{self._told[-1]} {told[MOST_TOLD]}", width)
        self.styles.height = len(self._lines) + 2 + max(len(self._told), 1)

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def on_mount(self) -> None:
        self._fit()
        if self.TYPED_OVER:
            self.input.select_all()
        else:
            self.input.cursor_position = len(self.text)
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wrong = False
        self._tell()

    def _tell(self) -> None:
        self.say(self._understand(self.text) if self._understand is not None else "")

    def answer(self) -> None:
        self._answered(self.text)

    def action_say(self, yes: bool) -> None:
        """Answer with what was typed, or give up."""
        self._answered(self.text if yes else None)

    def complete(self) -> None:
        """Tab: nothing to complete here, and nowhere to go."""

    def step(self, by: int) -> None:
        """Up and down: nothing earlier is kept here."""

    def on_blur(self, event: events.Blur) -> None:
        event.stop()
