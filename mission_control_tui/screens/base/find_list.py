"""What Find and the list of accounts share: a find box and, below it, what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import PAGE, LineList, RowPage
from mission_control_tui.widgets.rows import Column, CursorLines, Row

MOST = PAGE
"""Rows of an answer: one types more rather than to page through thousands."""


class FindingScreen(MissionScreen):
    """A find box that has the focus; each answer replaces the one before, and only the newest question is asked.

    What subclasses override fails only when it is called: Textual's metaclass is no ABCMeta.
    """

    VERBS: ClassVar[tuple[str, ...]] = ("find",)
    KEY_LABELS = (("back", "Back"),)
    AUTO_FOCUS = "FindInput"
    COLUMNS: ClassVar[tuple[Column, ...]] = (Column(),)
    EMPTY: ClassVar[str] = "Nothing is found"
    UNTYPED: ClassVar[str] = ""
    HOW: ClassVar[str] = "Type; Down goes to what is found, Enter opens it, Esc goes back"

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._first_text = text
        self._note = ""

    async def answer(self, text: str) -> tuple[Sequence[Row], str]:
        """Return what `text` finds, and a word about it for beside the box. Override this."""
        raise NotImplementedError

    def chosen(self, row: Row) -> None:
        """Somebody chose this row. Override this."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        box = FindBox(id="find")
        box.input.value = self._first_text
        box.input.select_all()
        yield box
        found = LineList(find_box=box, columns=self.COLUMNS, empty=self.EMPTY, id="found")
        found.arrival = self._tell_note
        yield found

    def on_mount(self) -> None:
        self.announce(self.HOW)

    def why_not(self, verb: str) -> str:
        if verb == "find" and self.in_field:
            return "You are in the find box: type"
        return super().why_not(verb)

    def remember(self) -> dict[str, object]:
        """Nothing: the next one begins with an empty box."""
        return {}

    async def load(self) -> None:
        self.look()

    def look(self) -> None:
        """Ask once more for what was asked for; the cursor stays on its row."""
        self.query_one(LineList).show(self._fetch, keep=True)

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self.query_one(LineList).show(self._fetch)

    def on_find_box_widened(self, event: FindBox.Widened) -> None:
        event.stop()

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        text = self.query_one(FindBox).text
        rows, note = await self.answer(text)
        self.query_one(LineList).empty = self.EMPTY if text.strip() else self.UNTYPED
        self._note = note
        return RowPage(rows[offset : offset + limit], len(rows))

    def _tell_note(self) -> None:
        """Say of the rows that arrived what is known of them, in the same frame."""
        self.query_one(FindBox).note = self._note

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "found":
            self.chosen(event.row)

    def verb_find(self) -> None:
        self.query_one(FindBox).focus()

    def verb_back(self) -> None:
        if self.in_field and self.prompts.is_clear:
            self.leave()
        else:
            super().verb_back()
