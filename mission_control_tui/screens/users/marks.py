"""Marks on lists of users, and what is done with all who are marked."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer

from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.search.filters import UserFilter, UserOrder
from mission_control_tui.model.search.light_matrix import among, ids
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.base.retry_all import retry_red
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.marks import with_all, with_range, words
from mission_control_tui.widgets.rows import Cell

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


class Marks:
    """Marks on the list of users of a screen, by id, and what is done with all of them. They stay until taken away."""

    def __init__(
        self,
        screen: MissionScreen,
        list_id: str,
        *,
        sight: Callable[[], UserFilter],
        say: Callable[[str], object],
        order: Callable[[], UserOrder] = lambda: UserOrder.NAME,
    ) -> None:
        """`sight` and `order` say whom the list shows now and how; `say` gets in words how many marks there are."""
        self._screen = screen
        self._list_id = list_id
        self._sight = sight
        self._order = order
        self._say = say
        self._hidden = 0
        self._looked_at = 0.0
        self._later: Timer | None = None

    @property
    def rows(self) -> LineList:
        """The list."""
        return self._screen.query_one(f"#{self._list_id}", LineList)

    @property
    def unhinted(self) -> frozenset[str]:
        """Without marks Space is told of, with marks what can be done with them."""
        return frozenset(() if self.rows.marks else ("act",))

    @property
    def users(self) -> tuple[str, ...]:
        """The ids of all who are marked, shown or not."""
        return tuple(sorted(str(mark) for mark in self.rows.marks))

    def _set_marks(self, marks: set[object]) -> None:
        rows = self.rows
        rows.marks = marks
        rows.repaint()
        self.tell()

    def tell(self) -> None:
        """Say how many marks there are."""
        self._say(words(len(self.rows.marks), self._hidden))
        self._screen.refresh_keys()

    def look(self, *, soon: bool = False) -> None:
        """See who of the marked is still there, and how many of them are not shown; call when either may differ."""
        if not self.rows.marks:
            self._hidden = 0
            self.tell()
            return
        wait = self._looked_at + LOOK_SECONDS - time.monotonic()
        if soon or wait <= 0:
            self._looked_at = time.monotonic()
            self._screen.loader.do_latest(self._look(), "marks")
        elif self._later is None:
            self._later = self._screen.set_timer(wait, self._look_later)

    def _look_later(self) -> None:
        self._later = None
        if self._screen.is_here:
            self.look(soon=True)

    async def _look(self) -> None:
        asked = self.users
        there = await among(self._screen.context.scope, asked)
        sight = self._sight()
        shown = there if sight.is_all else await among(self._screen.context.scope, there, sight)
        if not self._screen.is_here:
            return
        gone = set(asked) - there
        self.rows.marks.difference_update(gone)
        self._hidden = len(there) - len(shown)
        if gone:
            self.rows.repaint()
        self.tell()

    # Verbs

    async def verb_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        rows = self.rows
        row = rows.current
        if row is None:
            raise UsageError("Put the cursor on a user first.")
        if rows.last_mark is None:
            raise UsageError("Mark one end with Space first.")
        first, last = str(rows.last_mark), str(row.key)
        found = await ids(
            self._screen.context.scope, self._sight(), self._order(), first=first, last=last
        )
        if not found:
            raise UsageError("The last mark is not shown any more: mark one end with Space.")
        if self._screen.is_here:
            self._set_marks(with_range(rows.marks, found))
            rows.last_mark = row.key
            self._screen.answer(f"{len(rows.marks):,} marked")

    async def verb_mark_all(self) -> None:
        """Mark all that the filter finds, also what no page was read of; again takes these marks away."""
        sight = self._sight()
        found = await ids(self._screen.context.scope, sight)
        if not found:
            raise UsageError("Nobody is found, so nobody is marked.")
        if not self._screen.is_here:
            return
        rows = self.rows
        before = len(rows.marks)
        marks = with_all(rows.marks, found)
        if sight == self._sight():
            self._hidden = len(marks - set(found))
        self._set_marks(marks)
        changed = len(marks) - before
        self._screen.answer(
            f"{changed:,} more marked" if changed > 0 else f"{counted(-changed, 'mark')} taken away"
        )

    def verb_act(self) -> None:
        """One action for all who are marked, or for the user under the cursor."""
        self._screen.need_write()
        users = self.users
        if not users:
            row = self.rows.current
            if row is None:
                raise UsageError("Mark somebody first, or put the cursor on a user.")
            users = (str(row.key),)
        self._screen.go_to("bulk-new", users)

    async def verb_retry_all(self) -> None:
        sight = self._sight()
        users = sight if sight.is_all else await ids(self._screen.context.scope, sight)
        if not users:
            raise UsageError("Nobody is found, so nothing is red in view.")
        self._screen.still_here()
        await retry_red(self._screen, users)

    # Memory

    def remember(self) -> dict[str, object]:
        return {"marks": (set(self.rows.marks), self.rows.last_mark)}

    def recall(self, memory: dict[str, object]) -> None:
        marks = memory.pop("marks", None)
        if isinstance(marks, tuple):
            rows = self.rows
            rows.marks, rows.last_mark = set(marks[0]), marks[1]
            rows.repaint()
            if self._screen.console.is_open:
                self.look(soon=True)
