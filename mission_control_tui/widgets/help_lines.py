"""Help in place: what this screen is for, what the focused field wants, and which keys there are."""

from __future__ import annotations

from collections.abc import Sequence

from mission_control_tui.widgets.cells import wrap
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.rows import HeldRows, Row

WIDTH = 76


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
            texts += [((line, ""),) for line in wrap(text, WIDTH)]
            texts.append((("", ""),))
        if about:
            texts += [((line, ""),) for line in wrap(about, WIDTH)]
            texts.append((("", ""),))
        texts.append((("Keys (the second one works in fields too)", "title"),))
        for key, twin, text in keys:
            first, *rest = wrap(text, WIDTH - 18)
            texts.append(((f"{key:<9}{twin:<9}", "key"), (first, "")))
            texts += [((" " * 18 + line, ""),) for line in rest]
        self._rows = [Row(index, (text,)) for index, text in enumerate(texts)]
