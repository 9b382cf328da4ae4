"""One page of a flow: what is asked, a remark that may change, the fields, and the button that goes on."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import AnyField, Field
from mission_control_tui.widgets.text_lines import TextLines


class StepPage(Widget):
    """The pages of a flow stay mounted, so that going back finds everything that was typed."""

    DEFAULT_CSS = """
    StepPage { height: auto; layout: vertical; }
    StepPage > ActionButton { margin: 1 0 0 0; }
    StepPage > .note { margin: 0 0 1 0; }
    """

    def __init__(self, fields: Sequence[Widget], verb: str) -> None:
        super().__init__()
        self.title = TextLines("", "title")
        self.note = TextLines("", "dim", classes="note")
        self.problem = TextLines("", "error")
        self.fields = tuple(fields)
        self.button = ActionButton("Next", verb=verb, id="next")

    def compose(self) -> ComposeResult:
        yield self.title
        yield self.note
        yield from self.fields
        yield self.button
        yield self.problem

    def field(self, name: str) -> AnyField | None:
        """Return the field with this id."""
        return next((field for field in self._asked if field.id == name), None)

    def remark(self, text: str, style: str = "dim") -> None:
        """Say something above the fields."""
        self.note.set(text, style)

    @property
    def wrong(self) -> list[str]:
        """The labels of the fields that have an error, from the top."""
        return [field.label for field in self._asked if field.error]

    @property
    def _asked(self) -> list[AnyField]:
        return [field for field in self.fields if isinstance(field, AnyField)]

    def explain(self, text: str) -> None:
        """Say below the button what is wrong and belongs to no field. An empty text clears it."""
        self.problem.set(f"\n{text}" if text else "")

    def focus_first(self) -> None:
        """Put the focus on the first field that is wrong, else the first of all, else the button."""
        wrong = [field for field in self.fields if getattr(field, "error", "")]
        able = [field for field in self.fields if field.can_focus or isinstance(field, Field)]
        (wrong or able or [self.button])[0].focus()
