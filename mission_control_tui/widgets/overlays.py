"""What stands in place of a screen's body: help, a text to read and select, QUICK LINKS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual import events

from mission_control_tui.model.text.folding import fold
from mission_control_tui.widgets.cells import crop, shown, wrap
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import Column, HeldRows, Row, cell_parts

HELP_WIDTH = 76


class HelpLines(HeldRows):
    """Text to scroll through."""

    open_hint = False

    def __init__(
        self, about: str, field: tuple[str, str] | None, keys: Sequence[tuple[str, str, str]]
    ) -> None:
        super().__init__()
        texts: list[tuple[Part, ...]] = []
        if field is not None:
            name, text = field
            texts.append(((name, "title"),))
            texts += [((line, ""),) for line in wrap(text, HELP_WIDTH)]
            texts.append((("", ""),))
        if about:
            texts += [((line, ""),) for line in wrap(about, HELP_WIDTH)]
            texts.append((("", ""),))
        texts.append((("Keys (the second one works in fields too)", "title"),))
        for key, twin, text in keys:
            first, *rest = wrap(text, HELP_WIDTH - 18)
            texts.append(((f"{key:<9}{twin:<9}", "key"), (first, "")))
            texts += [((" " * 18 + line, ""),) for line in rest]
        self._rows = [Row(index, (text,)) for index, text in enumerate(texts)]


def broken(text: str, width: int) -> Iterator[str]:
    """Return the lines of `text`, spaces kept; what is longer than `width` cells goes on in the next line.

    It is broken at a space where that leaves at least half of the line.
    """
    for line in text.expandtabs().splitlines():
        rest = shown(line.rstrip())
        while True:
            part = crop(rest, width)
            if len(part) < len(rest) and not rest[len(part)].isspace():
                space = part.rfind(" ") + 1
                part = part[:space] if space > len(part) // 2 else part
            yield part.rstrip()
            rest = rest[len(part) :].lstrip(" ") if part else ""
            if not rest:
                break


class PlainLines(HeldRows):
    """Lines to read, scroll through and select."""

    open_hint = False

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def on_mount(self) -> None:
        self._break()

    def _break(self) -> None:
        lines = broken(self._text, self.app.size.width - 1)
        self._rows = [Row(index, (line,)) for index, line in enumerate(lines)]

    def on_resize(self, event: events.Resize) -> None:
        self._break()
        self.move_to(self.top)

    @property
    def jump(self) -> int:
        return self.room - 1

    def line(self, y: int, width: int) -> Iterable[Part]:
        row = self.row_at(self.top + y) if self.top + y < self.count else None
        return cell_parts(row.cells[0]) if row is not None else ()

    def move_to(self, index: int) -> None:
        """Scroll until the line stands first, or until the last one is in view."""
        self.top = self.cursor = max(0, min(index, self.count - self.room))
        self.repaint()


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
