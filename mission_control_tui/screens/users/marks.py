"""Marks on lists of users, and what is done with all who are marked."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.timer import Timer

from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.search.filters import UserFilter, UserOrder
from mission_control_tui.model.search.light_matrix import among, ids
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.retry_all import retry_red
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.marks import with_all, with_range, words
from mission_control_tui.widgets.rows import Cell, CursorLines

MARKING = ("act", "retry_all", "mark_range", "mark_all")
"""Its verbs."""

HOW = "Space marks"
"""What stands beside the number found while nobody is marked."""

LOOK_SECONDS = 2.0
"""While others change much, it is looked no more often than this who of the marked is still there."""


def name_cell(name: str, *, disabled: bool, locked: bool) -> Cell:
    """Return a user's name as a cell, with why nobody can log in as this user."""
    flags = ", ".join(["disabled"] * disabled + ["locked"] * locked)
    return ((name, ""), (f"  {flags}", "error")) if flags else name


class MarkingScreen(MissionScreen):
    """A screen with a list of users, by id, that can be marked. Marks stay until they are taken away."""

    MARKED_LIST: ClassVar[str] = "users"
    """The id of the list."""

    _hidden = 0
    _looked_at = 0.0
    _later: Timer | None = None

    def sight(self) -> UserFilter:
        """Return whom the list shows now."""
        return UserFilter()

    def order(self) -> UserOrder:
        """Return the order in which the list shows them."""
        return UserOrder.NAME

    def say_marks(self, text: str) -> None:
        """Show how many marks there are; `text` is empty without any. Override this."""

    @property
    def unhinted(self) -> frozenset[str]:
        """Without marks Space is told of, with marks what can be done with them."""
        return frozenset(() if self.marked_list.marks else ("act",))

    @property
    def marked_list(self) -> LineList:
        return self.query_one(f"#{self.MARKED_LIST}", LineList)

    @property
    def marked(self) -> tuple[str, ...]:
        """The ids of all who are marked, shown or not."""
        return tuple(sorted(str(mark) for mark in self.marked_list.marks))

    def _set_marks(self, marks: set[object]) -> None:
        rows = self.marked_list
        rows.marks = marks
        rows.repaint()
        self._tell_marks()

    def _tell_marks(self) -> None:
        self.say_marks(words(len(self.marked_list.marks), self._hidden))
        self.refresh_keys()

    def on_cursor_lines_marked(self, event: CursorLines.Marked) -> None:
        if event.rows.id == self.MARKED_LIST:
            self._tell_marks()

    def look_at_marks(self, *, soon: bool = False) -> None:
        """See who of the marked is still there, and how many of them are not shown; call when either may differ."""
        if not self.marked_list.marks:
            self._hidden = 0
            self._tell_marks()
            return
        wait = self._looked_at + LOOK_SECONDS - time.monotonic()
        if soon or wait <= 0:
            self._looked_at = time.monotonic()
            self.loader.do_latest(self._look_at_marks(), "marks")
        elif self._later is None:
            self._later = self.set_timer(wait, self._look_later)

    def _look_later(self) -> None:
        self._later = None
        if self.is_here:
            self.look_at_marks(soon=True)

    async def _look_at_marks(self) -> None:
        asked = self.marked
        there = await among(self.context.scope, asked)
        sight = self.sight()
        shown = there if sight.is_all else await among(self.context.scope, there, sight)
        if not self.is_here:
            return
        gone = set(asked) - there
        self.marked_list.marks.difference_update(gone)
        self._hidden = len(there) - len(shown)
        if gone:
            self.marked_list.repaint()
        self._tell_marks()

    # Verbs

    async def verb_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        rows = self.marked_list
        row = rows.current
        if row is None:
            raise UsageError("Put the cursor on a user first.")
        if rows.last_mark is None:
            raise UsageError("Mark one end with Space first.")
        first, last = str(rows.last_mark), str(row.key)
        found = await ids(self.context.scope, self.sight(), self.order(), first=first, last=last)
        if not found:
            raise UsageError("The last mark is not shown any more: mark one end with Space.")
        if self.is_here:
            self._set_marks(with_range(rows.marks, found))
            rows.last_mark = row.key
            self.announce(f"{len(rows.marks):,} marked")

    async def verb_mark_all(self) -> None:
        """Mark all that the filter finds, also what no page was read of; again takes these marks away."""
        sight = self.sight()
        found = await ids(self.context.scope, sight)
        if not found:
            raise UsageError("Nobody is found, so nobody is marked.")
        if not self.is_here:
            return
        rows = self.marked_list
        before = len(rows.marks)
        marks = with_all(rows.marks, found)
        if sight == self.sight():
            self._hidden = len(marks - set(found))
        self._set_marks(marks)
        changed = len(marks) - before
        self.announce(
            f"{changed:,} more marked" if changed > 0 else f"{-changed:,} marks taken away"
        )

    def verb_act(self) -> None:
        """One action for all who are marked, or for the user under the cursor."""
        self.need_write()
        users = self.marked
        if not users:
            row = self.marked_list.current
            if row is None:
                raise UsageError("Mark somebody first, or put the cursor on a user.")
            users = (str(row.key),)
        self.go_to("bulk-new", users)

    async def verb_retry_all(self) -> None:
        sight = self.sight()
        users = sight if sight.is_all else await ids(self.context.scope, sight)
        if not users:
            raise UsageError("Nobody is found, so nothing is red in view.")
        self.still_here()
        await retry_red(self, users)

    # Memory

    def remember(self) -> dict[str, object]:
        rows = self.marked_list
        return {**super().remember(), "marks": (set(rows.marks), rows.last_mark)}

    def recall(self, memory: dict[str, object]) -> None:
        super().recall(memory)
        marks = memory.pop("marks", None)
        if isinstance(marks, tuple):
            rows = self.marked_list
            rows.marks, rows.last_mark = set(marks[0]), marks[1]
            rows.repaint()
            if self.console.is_open:
                self.look_at_marks(soon=True)
