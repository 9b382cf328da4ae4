"""What tests of the screens do to an application: open it, press keys, wait, read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from textual import events
from textual.css.query import NoMatches
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.screens.base.base import BaseScreen
from tests.screens import world

SIZES = [(80, 24), (120, 40)]

at_both_sizes = pytest.mark.parametrize(
    "size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.proof)], ids=["size0", "size1"]
)
"""Runs a test at the size of the design, and for proof at the wide one."""


def text_of(app: MissionControlApp) -> str:
    """What is on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def until(pilot: Pilot[int], done: Callable[[], object]) -> None:
    """Wait until `done` is true; looks less and less often, as a look may draw the screen."""
    app = pilot.app
    pause = 0.015
    for _ in range(500):
        with suppress(NoMatches):
            if done():
                return
        # Pilot's own pause sends a message to each widget, awaits all, and draws a frame more.
        await asyncio.sleep(pause)
        if app._exception is not None:
            raise app._exception
        pause = min(1.25 * pause, 0.05)
    assert isinstance(app, MissionControlApp)
    raise AssertionError(f"never so; the screen:\n{text_of(app)}")


async def shows(pilot: Pilot[int], *texts: str) -> None:
    """Wait until all of `texts` are on the screen."""
    app = pilot.app
    assert isinstance(app, MissionControlApp)
    await until(pilot, lambda: all(text in text_of(app) for text in texts))


async def type_text(pilot: Pilot[int], text: str) -> None:
    """Type `text` as keys: all at once, because Pilot waits after each key that it presses itself."""
    app = pilot.app
    assert isinstance(app, MissionControlApp)
    await arrived(app, pilot)  # a focus that the test itself has set comes first
    await burst(app, pilot, text)
    await arrived(app, pilot)


async def answer(pilot: Pilot[int], *keys: str) -> None:
    """Press `keys` as a person does: once what was asked for is there to be answered."""
    app = pilot.app
    assert isinstance(app, MissionControlApp)
    await until(pilot, lambda: not app.is_behind and not waits(app.screen))
    await pilot.press(*keys)


def waits(screen: object) -> bool:
    """Whether keys would wait at this screen."""
    return isinstance(screen, BaseScreen) and screen.holds_keys


async def arrived(app: MissionControlApp, pilot: Pilot[int]) -> None:
    """Wait until the application and then what has the focus have handled what was sent to them."""
    await until(pilot, lambda: not app.is_behind)
    await reached(pilot, app)
    if app.focused is not None:
        await reached(pilot, app.focused)


async def reached(pilot: Pilot[int], pump: MessagePump) -> None:
    """Wait until `pump` has handled what it was sent, or has ended."""
    handled = asyncio.Event()
    if pump.call_later(handled.set):
        await until(pilot, lambda: handled.is_set() or not pump.is_running)


async def burst(app: MissionControlApp, pilot: Pilot[int], keys: Iterable[str]) -> None:
    """Keys as a terminal hands them over: all at once, whatever the one before opens or closes."""
    for key in keys:
        char = key if len(key) == 1 else None
        event = events.Key(_character_to_key(key) if char and not key.isalnum() else key, char)
        event.set_sender(app)
        app.post_message(event)
    await pilot.pause()


@asynccontextmanager
async def console(
    path: Path, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[MissionControlApp, Pilot[int]]]:
    """The console on the database at `path`, once its numbers are there."""
    app = world.make_app(path)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.is_open and not waits(app.screen))
        await until(pilot, lambda: "This month  AUD" in text_of(app))
        yield app, pilot
