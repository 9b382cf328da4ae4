"""One screen of stock widgets, on Textual's screen or on ours: `python -m tests.screens.focus_call stock|ours`."""

from __future__ import annotations

import sys
from inspect import getattr_static

from textual.app import App, ComposeResult
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Collapsible, Footer, Input, OptionList, RadioSet

from mission_control_tui.screens.base.base import BaseScreen


class Stock(Screen[None]):
    def compose(self) -> ComposeResult:
        first = Input(placeholder="Name")
        first.cursor_blink = False
        yield first
        yield OptionList("one", "two", "three")
        yield RadioSet("red", "green")
        with Collapsible(title="More", collapsed=False):
            yield Button("Press")
        yield Footer()


class Ours(Stock):
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class FocusApp(App[None]):
    CSS = (
        "Input, OptionList, RadioSet { border: round $primary; } *:focus { border: round $error; }"
    )

    def get_default_screen(self) -> Screen[None]:
        ours, same = (getattr_static(cls, "focused")._repaint for cls in (BaseScreen, Ours))
        return Ours() if sys.argv[1] == "ours" and ours == same else Stock()


if __name__ == "__main__":
    FocusApp().run(mouse=False)
