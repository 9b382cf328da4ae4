"""QUICK LINKS: where one can go."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from mission_control_tui.model.text.clean import fold
from mission_control_tui.widgets.rows import Column, HeldRows, Row


class LinkList(HeldRows):
    """The screens that can be reached from anywhere, as (name, label).

    Letters go to the link of which a word begins so; a letter that finds none is the verb that it is elsewhere.
    """

    help_text = "Type the first letters of a screen's name, or move to it; Enter goes there."

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        super().__init__(columns=(Column("QUICK LINKS  first letters, Enter"),))
        self._rows = [Row(name, (label,)) for name, label in links]
        self._labels = [fold(label) for _name, label in links]
        self._typed = ""

    def move_to(self, index: int) -> None:
        self._typed = ""
        super().move_to(index)

    def _place_of(self, typed: str, after: int) -> int | None:
        """Return the first link from `after` on, round and round, that begins so, else of which another word does."""
        places = [*range(after, self.count), *range(after)]
        begins = (place for place in places if self._labels[place].startswith(typed))
        has = (place for place in places if f" {typed}" in self._labels[place])
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
