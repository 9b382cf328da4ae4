"""Help in place: what this screen is for, what the focused field wants, and which keys there are."""

from __future__ import annotations

from collections.abc import Sequence

from mission_control_tui.widgets.cells import wrap
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import CursorLines, Row

WIDTH = 76


class HelpLines(CursorLines):
    """Text to scroll through."""

    open_hint = False

    def __init__(
        self, about: str, field: tuple[str, str] | None, keys: Sequence[tuple[str, str, str]]
    ) -> None:
        super().__init__()
        self._texts: list[tuple[Part, ...]] = []
        if field is not None:
            name, text = field
            self._texts.append(((name, "title"),))
            self._texts += [((line, ""),) for line in wrap(text, WIDTH)]
            self._texts.append((("", ""),))
        if about:
            self._texts += [((line, ""),) for line in wrap(about, WIDTH)]
            self._texts.append((("", ""),))
        self._texts.append((("Keys (the second one works in fields too)", "title"),))
        for key, twin, text in keys:
            first, *rest = wrap(text, WIDTH - 18)
            self._texts.append(((f"{key:<9}{twin:<9}", "key"), (first, "")))
            self._texts += [((" " * 18 + line, ""),) for line in rest]

    @property
    def count(self) -> int:
        return len(self._texts)

    def row_at(self, index: int) -> Row | None:
        return Row(index, (self._texts[index],))
