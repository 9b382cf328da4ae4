"""Questions in place, over the lowest lines of a screen: yes or no, a line to type in, a key to press."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from mission_control_tui.widgets.cells import fit, width_of, wrap
from mission_control_tui.widgets.field import FieldInput
from mission_control_tui.widgets.lines import LineWidget, Part

MARGINS = 4


class QuestionBar(LineWidget):
    """Lines broken as wide as the terminal is, the first one strong; as high as these and those of `below`."""

    DEFAULT_CSS = """
    QuestionBar { layer: above; dock: bottom; height: 4; width: 100%; background: ansi_default; }
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._asked = tuple(lines)
        self._lines: list[Part] = []
        self._said = ""
        self._wrong = False
        self.painted_at = math.inf
        """When it was painted first, on the clock of events."""

    def say(self, text: str, *, error: bool = False) -> None:
        """Say something below what is asked."""
        self._said, self._wrong = text, error
        self.fit()
        self.repaint()

    @property
    def said(self) -> list[list[Part]]:
        """What was said last, as lines."""
        lines = self.wrapped(self._said) if self._said else []
        return [[(line, "error" if self._wrong else "")] for line in lines]

    def below(self) -> list[list[Part]]:
        """Return the lines below what is asked. Override this."""
        return []

    def action_say(self, yes: bool) -> None:
        """Answer, or give up. Override this."""

    def wrapped(self, text: str) -> list[str]:
        """Return `text` as lines of the bar."""
        return wrap(text, self.app.size.width - MARGINS)

    def fit(self) -> None:
        """Break the lines as wide as the terminal is, and take as many rows as there are."""
        self._lines = [
            (part, "" if number else "strong")
            for number, line in enumerate(self._asked)
            for part in self.wrapped(line)
        ]
        self.styles.height = 1 + len(self._lines) + len(self.below())

    def on_mount(self) -> None:
        self.fit()

    def on_resize(self, event: events.Resize) -> None:
        self.fit()

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == 0:
            self.painted_at = min(self.painted_at, monotonic())
            return [("─" * width, "orange")]
        lines = [*([line] for line in self._lines), *self.below()]
        return [("  ", ""), *lines[y - 1]] if y <= len(lines) else ()


class ConfirmBar(QuestionBar, can_focus=True):
    """Lines of consequences above `No` and `Yes`. Escape, n and Enter on No all refuse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right,tab,shift+tab,up,down", "other", "Other answer", show=False),
        Binding("enter,space", "answer", "Answer", show=False),
        Binding("y", "say(True)", "Yes", show=False),
        Binding("n,escape", "say(False)", "No", show=False),
    ]

    def __init__(
        self, lines: Sequence[str], answered: Callable[[bool], None], yes: str = "Yes"
    ) -> None:
        super().__init__(lines)
        self._answered = answered
        self._yes_word = yes
        self.yes = False

    def below(self) -> list[list[Part]]:
        return [
            [
                ("[ No ]", "" if self.yes else "cursor"),
                ("  ", ""),
                (f"[ {self._yes_word} ]", "cursor" if self.yes else ""),
                ("   Left/Right choose, Enter answers, y, n", "dim"),
            ],
            *self.said,
        ]

    def action_other(self) -> None:
        self.yes = not self.yes
        self.repaint(len(self._lines) + 1)

    def action_answer(self) -> None:
        self._answered(self.yes)

    def action_say(self, yes: bool) -> None:
        self._answered(yes)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isprintable() and character not in "yn "


MOST_TYPED = 1000
MOST_TOLD = 4
"""Lines below the box at most."""


class AskBar(QuestionBar):
    """Lines that say what is asked, a labelled text box, and below it what was wrong or how the text is understood.

    `answered` gets what was typed on Enter and None on Escape; the bar stays until it is removed, so that an error
    loses nothing. `understand` says below the box how the text is read, as one types.
    """

    # Before those of the text box: here Enter answers, for nothing else could be meant.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "say(True)", "Answer", show=False, priority=True),
        Binding("escape", "say(False)", "Give up", show=False, priority=True),
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("up", "step(-1)", "Earlier", show=False, priority=True),
        Binding("down", "step(1)", "Later", show=False, priority=True),
    ]

    TYPED_OVER: ClassVar[bool] = True
    """Whether what stands in the box at first is marked, so that typing replaces it."""

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
        super().__init__(lines)
        self.label = label
        self.help_text = help_text
        self._answered = answered
        self._hint = hint or "Enter accepts, Esc gives up"
        self._understand = understand
        self.input = FieldInput(value, password=False, max_length=MOST_TYPED)

    def compose(self) -> ComposeResult:
        yield self.input

    @property
    def text(self) -> str:
        return self.input.value

    def focus(self, scroll_visible: bool = True) -> AskBar:
        self.input.focus(scroll_visible)
        return self

    def below(self) -> list[list[Part]]:
        box: list[Part] = [(f"{self.label}: ", "")]
        if not self._said:
            return [box, [(self._hint, "dim")]]
        told = self.wrapped(self._said)
        if len(told) > MOST_TOLD:
            rest = f"{told[MOST_TOLD - 1]} {told[MOST_TOLD]}"
            told = [*told[: MOST_TOLD - 1], fit(rest, self.app.size.width - MARGINS)]
        return [box, *([(line, "error" if self._wrong else "")] for line in told)]

    def fit(self) -> None:
        super().fit()
        self.input.styles.margin = (len(self._lines) + 1, 2, 0, 4 + width_of(self.label))

    def on_mount(self) -> None:
        if self.TYPED_OVER:
            self.input.select_all()
        else:
            self.input.cursor_position = len(self.text)
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell()

    def _tell(self) -> None:
        self.say(self._understand(self.text) if self._understand is not None else "")

    def action_say(self, yes: bool) -> None:
        """Answer with what was typed, or give up."""
        self._answered(self.text if yes else None)

    def action_complete(self) -> None:
        """Tab: nothing to complete here, and nowhere to go."""

    def action_step(self, by: int) -> None:
        """Up and down: nothing earlier is kept here."""

    def on_blur(self, event: events.Blur) -> None:
        event.stop()


HINT = "Esc gives up"


class KeyBar(QuestionBar, can_focus=True):
    """Lines that say which key is asked for. `pressed` gets each key by its name, and None on Escape.

    The bar stays until it is removed, so that a key that cannot be taken is followed by another.
    """

    def __init__(self, lines: Sequence[str], pressed: Callable[[str | None], None]) -> None:
        super().__init__(lines)
        self._pressed = pressed

    def below(self) -> list[list[Part]]:
        return [*self.said, [(HINT, "dim")]]

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._pressed(None)
        elif event.character and event.character.isprintable() and event.key != "space":
            self._pressed(event.character)
        else:
            self._pressed(event.key)

    def action_say(self, yes: bool) -> None:
        """Give up."""
        self._pressed(None)
