"""A list that pages its rows in: a hundred thousand rows cost the same as a hundred."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from textual import events
from textual.message import Message
from textual.timer import Timer

from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.shielded import shielded

if TYPE_CHECKING:
    from mission_control_tui.widgets.find_box import FindBox

PAGE = 64
PAGES_KEPT = 12

SOUGHT_AGAIN = 5
"""How often a row is looked for that goes to another page while it is read, before its old place is taken."""

RETRY_SECONDS = 1.0
"""After so long rows that could not be read are asked for again."""


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows from an offset on, and how many there are in all."""

    rows: Sequence[Row]
    total: int


Fetch: TypeAlias = Callable[[int, int], Awaitable[RowPage]]
"""`await fetch(offset, limit)`: the rows from `offset` on, at most `limit` of them."""

Find: TypeAlias = Callable[[Hashable], Awaitable[int | None]]
"""`await find(key)`: the index that a key has now, or None when it is gone."""


class LineList(CursorLines):
    """Rows by callback. One fetch runs at a time, always for what is in view when it starts, so that held keys
    never queue up work; a row that is not there yet shows as a placeholder.
    """

    has_verbs_of_rows = True
    """Whether the screen's verbs are about the row under the cursor."""

    @dataclass
    class Loaded(Message):
        """Rows arrived; `total` may have changed."""

        rows: LineList

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineList.Loaded) and message.rows is self.rows

    @dataclass
    class Failed(Message):
        """Rows could not be read; the list asks again by itself, and whoever owns it says what `error` means."""

        rows: LineList
        error: Exception

    def __init__(
        self,
        fetch: Fetch | None = None,
        *,
        find: Find | None = None,
        find_box: FindBox | None = None,
        columns: Sequence[Column] = (Column(),),
        marking: bool = False,
        empty: str = "",
        id: str | None = None,
    ) -> None:
        """Keys that are about the rows wait until these are those of what is typed in `find_box`."""
        super().__init__(
            columns=columns,
            marking=marking,
            cursor_when_blurred=True,
            empty=empty,
            id=id,
        )
        self.find_box = find_box
        self.arrival: Callable[[], None] | None = None
        """Called with the rows that arrive, for what has to be shown in the same frame."""
        self._fetch = fetch
        self._find = find
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()
        self._stale: set[int] = set()
        self._total = 0
        self.known = False
        """Whether any answer has come yet; before it, the list shows placeholders and not `empty`."""
        self._loading = False
        self._generation = 0
        self._asked = 0
        self._again = False
        self.has_failed = False
        """Whether the rows that are to be shown could not be read, so that nothing may wait for them."""
        self._retry: Timer | None = None
        self._wanted: tuple[Hashable, int] | None = None

    @property
    def count(self) -> int:
        return self._total

    @property
    def is_due(self) -> bool:
        """Tell whether the cursor waits for rows: what is typed now is meant for them."""
        awaited = self._wanted is not None or not self.known or self.is_stale
        return self._fetch is not None and awaited and not self.has_failed

    @property
    def is_stale(self) -> bool:
        """Tell whether the rows are not those of what is typed in the find box."""
        return self.find_box is not None and self.find_box.is_stale

    def row_at(self, index: int) -> Row | None:
        page = self._pages.get(index // PAGE)
        offset = index % PAGE
        return page[offset] if page is not None and offset < len(page) else None

    def line(self, y: int, width: int) -> Iterable[Part]:
        if not self.known and y >= self.head:
            return [("  …", "dim")] if y == self.head else ()
        return super().line(y, width)

    def on_mount(self) -> None:
        self.view_moved()

    def on_resize(self, event: events.Resize) -> None:
        self.view_moved()

    # What is asked for

    def show(self, fetch: Fetch, *, find: Find | None = None, keep: bool = False) -> None:
        """Show other rows, such as those of another filter; `keep` keeps the cursor on its key."""
        self._fetch = fetch
        self._find = find
        self.reload(keep=keep)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show rows that are all held in memory, those of what is typed; the cursor stays on its key, else on top."""

        async def fetch(offset: int, limit: int) -> RowPage:
            return RowPage(rows[offset : offset + limit], len(rows))

        self.show(fetch, keep=self.find_box is None or not self.find_box.has_new_text)

    def reload(self, *, keep: bool = True) -> None:
        """Read the rows again. The old ones stay in view until the new ones are there.

        With `keep` the cursor stays on the row with the same key, wherever that is now, and the row stays where it is
        on the screen; without, the cursor goes to the top.
        """
        if keep and self.find_box is not None and self.find_box.has_new_text:
            self.find_box.send()  # its owner asks for other rows then, as when the typing pauses
            return
        if not keep:
            self.seek(None)
            return
        self._ask()
        self._again = self._again or self._wanted is None
        self._load()

    def seek(self, key: Hashable, fallback: int = 0) -> None:
        self._ask()
        self._generation += 1
        self._wanted = (key, fallback)
        self._load()

    def _ask(self) -> None:
        self._asked += 1
        self._set_failed(False)
        self._stale = set(self._pages)
        if self.find_box is not None:
            self.find_box.ask()

    def _set_failed(self, failed: bool) -> None:
        self.has_failed = failed
        if self.find_box is not None:
            self.find_box.has_failed = failed

    def view_moved(self) -> None:
        self._load()

    # Paging

    def _aim(self) -> tuple[Hashable, int] | None:
        """Return the row that the cursor is to be on, and where it was; None when the cursor is where it should be."""
        if self._wanted is not None:
            return self._wanted
        if self._again or not self.known:
            current = self.current
            return (current.key if current else None), self.cursor
        return None

    def _missing(self) -> int | None:
        if self.find_box is not None and self.find_box.has_new_text:
            return None  # the pages of what was looked for before are of no use any more
        aim = self._aim()
        if aim is not None:
            return aim[1] // PAGE
        first, last = self.top // PAGE, (self.top + self.room - 1) // PAGE
        for page in range(first, last + 1):
            if page * PAGE < max(self._total, 1) and (
                page not in self._pages or page in self._stale
            ):
                return page
        return None

    def _load(self) -> None:
        if self._loading or self._fetch is None or not self.is_mounted or self._missing() is None:
            return
        self._loading = True
        self.run_worker(
            shielded(self._load_pages()), group="pages", description="rows", exit_on_error=True
        )

    async def _load_pages(self) -> None:
        try:
            while (page := self._missing()) is not None and self._fetch is not None:
                generation, asked = self._generation, self._asked
                text = self.find_box.text if self.find_box is not None else ""
                moved: int | None = None
                if (aim := self._aim()) is not None:
                    page, moved, answer = await self._sought(*aim, self._fetch)
                else:
                    answer = await self._fetch(page * PAGE, PAGE)
                self._set_failed(False)
                if generation != self._generation:
                    continue
                if self.find_box is not None:
                    if text != self.find_box.text:
                        self.find_box.discard()
                        continue
                    self.find_box.answer(text)
                self._arrived(page, answer, moved, newest=asked == self._asked)
        except Exception as error:  # noqa: BLE001 - the owner raises a flaw of the program again
            self._set_failed(True)
            if self.is_attached:
                if self._retry is None:
                    self._retry = self.set_timer(RETRY_SECONDS, self._try_again)
                self.post_message(self.Failed(self, error))
        finally:
            self._loading = False

    def _try_again(self) -> None:
        self._retry = None
        # A screen that comes on top again reads its rows anyway.
        if self.screen.is_current:
            self._load()

    async def _sought(self, key: Hashable, fallback: int, fetch: Fetch) -> tuple[int, int, RowPage]:
        """Return the page with the row of this key, or with `fallback` where it is gone, and how far it went."""
        for _attempt in range(SOUGHT_AGAIN):
            found = None if key is None or self._find is None else await self._find(key)
            place = fallback if found is None else found
            page = place // PAGE
            answer = await fetch(page * PAGE, PAGE)
            # Two reads: what changed in between may have put the row on another page, or taken it away.
            if found is None or any(row.key == key for row in answer.rows):
                break
        return page, place - fallback, answer

    def _arrived(self, page: int, answer: RowPage, moved: int | None, *, newest: bool) -> None:
        """Take a page. `moved` says by how many rows the row went that the cursor is to be on, if that was asked."""
        before, row, sought = self.cursor, self.current, self._wanted
        self.known = True
        self._total = answer.total
        self._pages[page] = tuple(answer.rows)
        self._pages.move_to_end(page)
        self._stale.discard(page)
        if moved is not None:
            self._settle(page, row.key if row else None, moved)
            self._again = not newest
        if not newest:
            self._stale.update(self._pages)
        while len(self._pages) > PAGES_KEPT:
            dropped, _rows = self._pages.popitem(last=False)
            self._stale.discard(dropped)
        self.rows_changed()
        if sought is None:
            self.look_for_replaced(row)
        if self.arrival is not None:
            self.arrival()
        self.post_message(self.Loaded(self))
        if moved is not None or before != self.cursor:
            self.post_message(self.Moved(self, self.current))

    def _settle(self, page: int, key: Hashable, moved: int) -> None:
        """Put the cursor where it was wanted, or on its row again, which may have been left meanwhile."""
        sought, self._wanted = self._wanted, None
        if sought is not None:
            key, target = sought[0], sought[1] + moved
        else:
            target = self.cursor + moved
        for offset, row in enumerate(self._pages[page]):
            if key is not None and row.key == key:
                target = page * PAGE + offset
                break
        shift = target - self.cursor
        if shift or sought is not None:
            for number in [other for other in self._pages if other != page]:
                self._pages.pop(number)
            self._stale.clear()
        if sought is None and (self.top or target >= self.room):
            self.top = max(0, self.top + shift)
        self.cursor = target
