"""Seeded random keys over the real console: no crash, no hang, and every screen can still be reached by keys.

    MC_PROOF=50 ./run-tests tests/screens/test_random_keys.py

presses 50,000 keys, quitting now and then and starting again on the same database; without it, one short walk.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from textual.app import ScreenError
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.keys import keymap
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.registry import LINKS
from mission_control_tui.widgets.status_lines import TopLine
from tests.model.helpers import finish
from tests.screens import world
from tests.screens.driving import SIZES, burst, console, text_of, until
from tests.screens.hostile import bulk_subject
from tests.screens.places import PLACES
from tests.screens.users.driving import context_of
from tests.support import proof_factor

LONG = proof_factor() > 1
WALKS = 4 if LONG else 1
LEGS = 2 * proof_factor() if LONG else 2
BURSTS_OF_A_LEG = 25 if LONG else 12
BURST = 5
QUITS_AT = 0.015
"""How likely a burst ends with a key that quits, outside of fields."""
ESCAPES = 6
"""A screen takes at most so many: question, overlay, panel in a panel, text to find, field, the screen itself."""

FIRST = "This is the first screen"

VERBS = sorted(
    {key for verb in keymap.VERBS if verb.id != "quit" for key in (verb.key, verb.twin) if key}
)
MOVES = [
    *["down", "down", "up", "left", "right", "home", "end", "pageup", "pagedown"],
    *["tab", "tab", "shift+tab", "enter", "enter", "enter", " ", "escape"],
]
TYPED = ["a", "j", "o", "z", "1", "9", "-", ".", "@", "[", "]"]
OTHERS = [
    "backspace",
    "delete",
    "ctrl+c",
    "ctrl+z",
    "ctrl+u",
    "ctrl+w",
    "ctrl+a",
    "ctrl+v",
    "f3",
    "é",
    "界",
]
QUITS = ["q", "f10", "ctrl+q"]
KEYS = [*VERBS, *MOVES, *MOVES, *TYPED, *OTHERS]
ROUGH = [*SIZES, (60, 20), (81, 25), (20, 3)]


async def begin(app: MissionControlApp, place: str) -> None:
    """Open a screen over the one that is there, with a subject where it needs one."""
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    context = context_of(app)
    scope = context.scope
    arguments: tuple[Any, ...] = ()
    if place in ("provision", "user", "edit-user"):
        shown = await page(scope)
        binned = await page(scope, UserFilter(in_bin=True))
        arguments = ((*shown.rows, *binned.rows)[0].id,)
    elif place in ("product", "buy"):
        arguments = ("email",)
    elif place == "request":
        arguments = ((await list_requests(scope))[0].id,)
    elif place in ("bulk", "bulk-new"):
        arguments = (await bulk_subject(app, place),)
    elif place == "order":
        arguments = ((await list_orders(scope))[0].id,)
    screen.go_to(place, *arguments)


def has_ended(app: MissionControlApp) -> bool:
    """Whether somebody has quit."""
    return app.return_code is not None


async def home_by_keys(app: MissionControlApp, pilot: Pilot[int]) -> None:
    """Escape leads Home from wherever one is, and there it says that there is nothing before."""
    for _ in range(ESCAPES * len(app.screen_stack)):
        screen = app.screen
        assert isinstance(screen, MissionScreen)
        screen.announce("")
        await burst(app, pilot, ["escape"])
        await until(pilot, lambda: has_ended(app) or not app.is_behind)
        if has_ended(app):
            return  # a key that quits was still waiting
        if app.screen is screen and FIRST in text_of(app):
            assert app.screen.query_one(TopLine).title == "Home"
            return
    raise AssertionError(f"Escape does not lead Home from\n{text_of(app)}")


async def link_by_keys(app: MissionControlApp, pilot: Pilot[int], name: str) -> None:
    """QUICK LINKS lead to a screen from wherever one is."""
    place = [link[0] for link in LINKS].index(name)
    heading = "Home" if name == "home" else LINKS[place][1]
    await pilot.press("g", "home", *["down"] * place, "enter")
    await until(pilot, lambda: app.screen.query_one(TopLine).title == heading)


class Walk:
    """One sequence of keys, over as many starts of the console as it quits."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.chance = random.Random(number)
        self.legs = deque(range(LEGS))
        self.last: deque[str] = deque(maxlen=40)
        self.pressed = 0

    async def session(self, path: Path) -> None:
        """Walk until all legs are done or a key quits, which must end the console in order."""
        async with console(path) as (app, pilot):
            while self.legs and not has_ended(app):
                await self.leg(app, pilot)
            if not has_ended(app):
                for name, _words in LINKS if LONG else LINKS[1:3]:
                    await home_by_keys(app, pilot)
                    await link_by_keys(app, pilot, name)
        assert app.return_code in (None, 0)

    async def leg(self, app: MissionControlApp, pilot: Pilot[int]) -> None:
        """A screen, and keys from there; when they are all pressed, Home and a link by keys."""
        chance, leg = self.chance, self.legs.popleft()
        place = list(PLACES)[(self.number + leg * WALKS) % len(PLACES)]
        self.last.append(f"<{place}>")
        await begin(app, place)
        for _ in range(BURSTS_OF_A_LEG):
            keys = chance.choices(KEYS, k=BURST)
            if chance.random() < QUITS_AT:
                keys[-1] = chance.choice(QUITS)
            self.last.extend(keys)
            self.pressed += len(keys)
            try:
                await burst(app, pilot, keys)
            except ScreenError:
                if not has_ended(app):
                    raise
            if has_ended(app):
                return
            if chance.random() < 0.08:
                await pilot.resize_terminal(*chance.choice(ROUGH))
            if chance.random() < 0.04:
                context = context_of(app)
                await finish(context.store, world.CALLER, context.account)
        await pilot.resize_terminal(*chance.choice(SIZES))
        await home_by_keys(app, pilot)
        if has_ended(app):
            return
        await link_by_keys(app, pilot, LINKS[leg % len(LINKS)][0])


@pytest.mark.timeout(0)
@pytest.mark.proof
@pytest.mark.parametrize("number", range(WALKS))
async def test_random_keys(number: int, world_db: Path) -> None:
    walk = Walk(number)
    try:
        while walk.legs:
            await walk.session(world_db)
    except BaseException as error:
        error.add_note(f"walk {number}, after {walk.pressed} keys; the last: {' '.join(walk.last)}")
        raise
