"""A question in place that is answered by pressing a key, whichever it is: the new key of a verb."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual import events

from mission_control_tui.widgets.cells import wrap
from mission_control_tui.widgets.lines import LineWidget, Part

WIDTH = 76
HINT = "Esc gives up"


class KeyBar(LineWidget, can_focus=True):
    """Lines that say which key is asked for. `pressed` gets each key by its name, and None on Escape.

    The bar stays until it is removed, so that a key that cannot be taken is followed by another.
    """

    is_modal_bar = True

    DEFAULT_CSS = """
    KeyBar { layer: above; dock: bottom; height: 4; width: 100%; background: ansi_default; }
    """

    def __init__(self, lines: Sequence[str], pressed: Callable[[str | None], None]) -> None:
        super().__init__()
        self._lines = [part for line in lines for part in wrap(line, WIDTH)]
        self._pressed = pressed
        self._said: list[str] = []

    def on_mount(self) -> None:
        self._fit()

    def _fit(self) -> None:
        self.styles.height = len(self._lines) + len(self._said) + 2

    def say(self, text: str) -> None:
        """Say below the question why a key cannot be taken."""
        self._said = wrap(text, WIDTH)
        self._fit()
        self.refresh(layout=True)

    def line(self, y: int, width: int) -> Iterable[Part]:
        if y == 0:
            return [("─" * width, "orange")]
        lines = [(line, "strong" if not at else "") for at, line in enumerate(self._lines)]
        lines += [(line, "error") for line in self._said]
        return [("  ", ""), lines[y - 1] if y <= len(lines) else (HINT, "dim")]

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._pressed(None)
        elif event.character and event.character.isprintable() and event.key != "space":
            self._pressed(event.character)
        else:
            self._pressed(event.key)

    def action_say(self, yes: bool) -> None:
        """Give up."""
        self._pressed(None)
