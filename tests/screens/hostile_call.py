"""The console in a terminal, where F12 goes to the next screen: `python -m tests.screens.hostile_call DATABASE FILE`.

FILE says the name of each screen once it is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mission_control_tui.terminal.lifecycle import TerminalOptions, start

if TYPE_CHECKING:
    from mission_control_tui.console.base_app import MissionControlApp
    from mission_control_tui.screens.base.mission_screen import MissionScreen


def make(options: TerminalOptions) -> MissionControlApp:
    """The application with one more key; Textual is imported only now, as in the real console."""
    from textual.binding import Binding

    from tests.screens import world
    from tests.screens.places import PLACES

    app = world.make_app(sys.argv[1], options)
    places = iter(PLACES)

    async def onwards() -> None:
        await go_on(app, places)

    app.action_onwards = onwards  # type: ignore[attr-defined]
    app._bindings.key_to_bindings["f12"] = [Binding("f12", "app.onwards", "Next", priority=True)]
    return app


async def go_on(app: MissionControlApp, places: Iterator[str]) -> None:
    """Back to Home, and to the next screen."""
    from tests.screens.hostile import subject

    place = next(places)
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    if place != "home":
        cast("MissionScreen", app.screen).go_to(place, *await subject(app, place))
    app.call_after_refresh(Path(sys.argv[2]).write_text, place)


if __name__ == "__main__":
    sys.exit(start(TerminalOptions(), make))
