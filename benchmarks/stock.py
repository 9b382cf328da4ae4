"""What Textual gives without our doing, to measure against: `python -m benchmarks.stock hello|home`."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Collapsible, Footer, Header, OptionList, RadioSet, Static
from textual.widgets.option_list import Option


class Hello(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("READY")


class Home(App[None]):
    """Four quadrants of stock widgets."""

    CSS = """
    Grid { grid-size: 2 2; }
    VerticalScroll, OptionList { border: round $primary; height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield Header()
        with Grid():
            yield OptionList(*(Option(f"Service {n}  {n}/{2 * n}") for n in range(1, 15)))
            with VerticalScroll():
                for n in range(8):
                    with Collapsible(title=f"Service {n}"):
                        yield RadioSet("PC & Web Access", "Standard Mail (POPX)")
            yield OptionList("New User", "All Users")
            with VerticalScroll():
                yield Static("READY", id="light")
        yield Footer()


if __name__ == "__main__":
    {"hello": Hello, "home": Home}[sys.argv[1]]().run(mouse=False)
