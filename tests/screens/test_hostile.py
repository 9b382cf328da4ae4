"""Whatever got into the database is shown as data on every screen: harmless, in its columns, without a crash."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot
from wcwidth import wcswidth

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.screens.base.mission_screen import MissionScreen
from tests.screens import world
from tests.screens.driving import burst, text_of, until
from tests.screens.hostile import TEXT, poison, subject
from tests.screens.places import PLACES
from tests.support import is_everything_tried

FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def look_at(app: MissionControlApp, where: str) -> None:
    """No harmful character is on the screen, and every line takes the cells that it should."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    for y, strip in enumerate(strips):
        said = f"{where}, line {y}: {strip.text!r}"
        harmful = [c for c in strip.text if unicodedata.category(c) in FORBIDDEN]
        assert not harmful, f"{harmful} in {said}"
        assert cell_len(strip.text) == width, said
        assert wcswidth(strip.text) == width, said
        for segment in strip:
            assert segment.control is None, said
            if segment.style is not None:
                assert not segment.style.link, said
                assert "@click" not in segment.style.meta, said


async def walk_about(app: MissionControlApp, pilot: Pilot[int], where: str) -> None:
    """Look, open what can be opened, go down, ask for help, copy, and look again each time."""
    await pilot.pause(0.05)
    await until(pilot, lambda: text_of(app))
    look_at(app, where)
    keys = ("end", "enter", "tab", "f1", "pagedown")
    for key in keys if is_everything_tried() else keys[:2]:
        await burst(app, pilot, [key])
        look_at(app, f"{where} after {key}")


async def test_hostile_text_is_harmless_on_every_screen(world_db: Path) -> None:
    await poison(world_db, TEXT)
    app = world.make_app(world_db)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open)
        home = app.screen
        assert isinstance(home, MissionScreen)
        go_to = home.go_to
        await until(pilot, lambda: "This month  AUD" in text_of(app))
        for place in PLACES:
            if place != "home":
                go_to(place, *await subject(app, place))
                await until(pilot, lambda: app.screen is not home and app.screen.is_mounted)
            await walk_about(app, pilot, place)
            while app.screen is not home:
                app.pop_screen()
                await pilot.pause()
