"""The command line in place: Tab completes, up and down go through what was typed before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mission_control_tui.widgets.bars import AskBar
from mission_control_tui.widgets.shielded import shielded

Complete = Callable[[str], Awaitable[Sequence[str]]]
"""`await complete(text)`: what the last word of the text can become."""

SHOWN = 12


def _common(words: Sequence[str]) -> str:
    """Return what all of them begin with."""
    first, last = min(words, default=""), max(words, default="")
    same = 0
    while same < len(first) and first[same] == last[same]:
        same += 1
    return first[:same]


class CommandBar(AskBar):
    """`: ` and a command. `earlier` is the history, the newest last."""

    TYPED_OVER = False

    def __init__(
        self,
        answered: Callable[[str | None], None],
        *,
        earlier: Sequence[str],
        complete: Complete,
        value: str = "",
    ) -> None:
        super().__init__(
            (),
            "mission-control",
            answered,
            value=value,
            hint="Tab completes, Up shows earlier ones, Enter runs, Esc gives up",
            help_text="A command of the command line, as in: users list ada. `docs cli` shows them all.",
        )
        self._earlier = list(earlier)
        self._at = len(self._earlier)
        self._typed = value
        self._complete = complete

    def action_step(self, by: int) -> None:
        at = min(max(self._at + by, 0), len(self._earlier))
        if at == self._at:
            return
        if self._at == len(self._earlier):
            self._typed = self.text
        self._at = at
        self.put(self._earlier[at] if at < len(self._earlier) else self._typed)

    def put(self, text: str) -> None:
        """Have `text` in the box, the cursor behind it."""
        self.input.value = text
        self.input.cursor_position = len(text)

    def action_complete(self) -> None:
        self.run_worker(shielded(self._completed(self.text)), exclusive=True, exit_on_error=True)

    async def _completed(self, text: str) -> None:
        found = await self._complete(text)
        if text != self.text:
            return
        before, space, word = text.rpartition(" ")
        common = _common(found)
        if len(found) == 1:
            self.put(f"{before}{space}{found[0]} ")
        elif len(common) > len(word):
            self.put(f"{before}{space}{common}")
        more = f" ... {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        if len(found) != 1:
            self.call_after_refresh(self.say, "  ".join(found[:SHOWN]) + more or "Nothing fits")
