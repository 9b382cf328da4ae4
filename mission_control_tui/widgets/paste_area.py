"""A text box of many lines for lists that are pasted: no blinking, no borders, whatever is pasted made harmless."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widgets import TextArea

from mission_control_tui.model.text.clean import harmless
from mission_control_tui.widgets.cells import shown

LIMIT = 2_000_000
"""Characters that are taken of one paste."""


def harmless_lines(text: str) -> str:
    """`text` with its lines and tabs, and nothing in them that a terminal would act upon."""
    lines = text[:LIMIT].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(
        "\t".join(shown(harmless(part)) for part in line.split("\t")) for line in lines
    )


class PasteArea(TextArea):
    """Numbered lines; Enter begins another, Tab goes on."""

    is_field = True
    help_text = ""

    DEFAULT_CSS = """
    PasteArea, PasteArea:focus, PasteArea:ansi {
        border: none; padding: 0; background: transparent; background-tint: transparent;
        color: ansi_default;
    }
    PasteArea > .text-area--cursor-line, PasteArea > .text-area--cursor-gutter {
        background: transparent;
    }
    PasteArea > .text-area--cursor, PasteArea:ansi > .text-area--cursor {
        text-style: reverse; background: ansi_default; color: ansi_default;
    }
    """

    def __init__(self, *, id: str | None = None, help_text: str = "") -> None:
        super().__init__(
            id=id,
            soft_wrap=False,
            show_line_numbers=True,
            tab_behavior="focus",
            compact=True,
        )
        self.cursor_blink = False
        self.help_text = help_text

    def cursor_cell(self) -> Offset:
        """Return the cell of the cursor."""
        return self.cursor_screen_offset - self.content_region.offset

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(harmless_lines(event.text), *self.selection):
            self.move_cursor(result.end_location)

    def remember(self) -> object:
        """Return what is typed."""
        return self.text

    def recall(self, memory: object) -> None:
        """Put it back."""
        if isinstance(memory, str) and memory != self.text:
            self.load_text(memory)

    def on_mount(self) -> None:
        self.theme = "css"
