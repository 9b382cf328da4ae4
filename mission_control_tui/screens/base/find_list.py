"""What Find and the lists of accounts share: a find box and, below it, what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.line_list import PAGE, LineList, RowPage
from mission_control_tui.widgets.rows import Column, Row

MOST = PAGE
"""Rows of an answer: one types more rather than to page through thousands."""

HOW = "Type; Down goes to what is found, Enter opens it, Esc goes back"


class FindList(Vertical):
    """Each answer replaces the one before, and only the newest question is asked."""

    def __init__(
        self,
        answer: Callable[[str], Awaitable[tuple[Sequence[Row], str]]],
        chosen: Callable[[Row], object],
        *,
        columns: Sequence[Column],
        empty: str,
        untyped: str = "",
        text: str = "",
    ) -> None:
        """`answer` finds rows for what is typed, with a word about them for beside the box; `chosen` opens one."""
        super().__init__()
        self.answer = answer
        self._empty, self._untyped = empty, untyped
        self._answered = self._note = ""
        self.box = FindBox(id="find")
        self.box.input.value = text
        self.box.input.select_all()
        self.rows = LineList(find_box=self.box, columns=columns, empty=empty, id="found")
        self.rows.arrival = self._tell_note
        self.rows.then = chosen

    def compose(self) -> ComposeResult:
        yield self.box
        yield self.rows

    def look(self) -> None:
        """Ask once more for what was asked for; the cursor stays on its row."""
        self.rows.show(self._fetch, keep=True)

    def on_find_box_changed(self) -> None:
        self.rows.show(self._fetch)

    async def _fetch(self, offset: int, limit: int) -> RowPage:
        text = self.box.text
        found, note = await self.answer(text)
        self.rows.empty = self._empty if text.strip() else self._untyped
        self._answered, self._note = text, note
        return RowPage(found[offset : offset + limit], len(found))

    def _tell_note(self) -> None:
        """Say of the rows that arrived what is known of them, in the same frame."""
        if self._answered == self.box.text:
            self.box.note = self._note
