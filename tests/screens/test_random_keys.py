"""Seeded random keys over all screens: no crash, no hang, and every screen can still be reached."""

from __future__ import annotations

import random

import pytest

from mission_control_tui import keymap

from .demo import make_app

KEYS = [
    *{verb.key for verb in keymap.VERBS if verb.id not in ("quit", "buy")},
    *{verb.twin for verb in keymap.VERBS if verb.twin and verb.id not in ("quit", "buy")},
    *["tab", "shift+tab", "j", "o", "1", "backspace", "delete", "down", "up", "enter", "escape"],
]


@pytest.mark.parametrize("seed", range(4))
async def test_random_keys(seed: int) -> None:
    chance = random.Random(seed)
    app = make_app()
    async with app.run_test() as pilot:
        for number in range(250):
            await pilot.press(chance.choice(KEYS))
            if number % 60 == 59:
                size = chance.choice([(80, 24), (120, 40), (60, 20), (81, 25)])
                await pilot.resize_terminal(*size)
        await pilot.resize_terminal(80, 24)
        for name, _words, _place in app.links:
            app.follow_link(name)
            await pilot.pause()
            assert len(app.screen_stack) <= 2
