"""QUICK LINKS: where one can go."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from mission_control_tui.model.text.clean import fold
from mission_control_tui.widgets.rows import Column, CursorLines, Row


class LinkList(CursorLines):
    """The screens that can be reached from anywhere, as (name, label).

    Letters go to the link of which a word begins so; a letter that finds none is the verb that it is elsewhere.
    """

    help_text = "Type the first letters of a screen's name, or move to it; Enter goes there."

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        super().__init__(columns=(Column("QUICK LINKS  first letters, Enter"),))
        self._links = tuple(links)
        self._typed = ""

    @property
    def count(self) -> int:
        return len(self._links)

    def row_at(self, index: int) -> Row | None:
        name, label = self._links[index]
        return Row(name, (label,))

    def move_to(self, index: int) -> None:
        self._typed = ""
        super().move_to(index)

    def _place_of(self, typed: str, after: int) -> int | None:
        """The first link from `after` on, round and round, that begins so, else of which another word does."""
        places = [*range(after, self.count), *range(after)]
        labels = [fold(label) for _name, label in self._links]
        begins = (place for place in places if labels[place].startswith(typed))
        has = (place for place in places if f" {typed}" in labels[place])
        return next(begins, next(has, None))

    def on_key(self, event: events.Key) -> None:
        letter = fold(event.character or "")
        if not letter.isalpha():
            return
        typed = self._typed + letter
        place = self._place_of(typed, self.cursor if self._typed else 0)
        if place is None:
            typed, place = letter, self._place_of(letter, self.cursor + 1)
        if place is not None:
            event.stop()
            event.prevent_default()
            self.move_to(place)
            self._typed = typed
