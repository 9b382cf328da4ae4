"""Pictures of the console, compared with those that somebody has looked at.

One console is driven to a state at 80x24 and, with --all, made larger for the other picture: a terminal that
was made larger has to show what one that started so shows. Accepting pictures takes both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from tests.screens.driving import SIZES, text_of, until
from tests.support import is_everything_tried

Step = Callable[[MissionControlApp, Pilot[int]], Awaitable[None]]
NAMES = {f"{width}x{height}": (width, height) for width, height in SIZES}
PAUSE, STILL, MOST = 0.05, 8, 60
"""A picture is taken once so many looks, so many seconds apart, showed the same; after the most of them as it is.

What was changed comes back by the feed of changes, later than what the screen itself says of it.
"""

RESIZED = 3
"""As many looks are enough where nothing was changed."""


class Picture(SVGImageExtension):  # type: ignore[misc]
    """Names a picture by its state and size: `test_picture[users-80x24].svg`."""

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        name: str = super().get_snapshot_name(test_location=test_location, index=index)
        return name.replace("][", "-")


async def settle(app: MissionControlApp, pilot: Pilot[int], looks: int = STILL) -> None:
    """Wait until nothing changes on the screen any more."""
    seen, still = "", 0
    for _ in range(MOST):
        await pilot.pause(PAUSE)
        text = text_of(app)
        still = still + 1 if text == seen else 1
        if still == looks:
            return
        seen = text


def picture_of(app: MissionControlApp) -> tuple[str, str]:
    """The screen as SVG, and its text."""
    return app.export_screenshot(simplify=True), text_of(app)


async def take(
    app: MissionControlApp,
    reach: Step,
    snapshot: SnapshotAssertion,
    *,
    quiet: bool = False,
    sizes: Mapping[str, tuple[int, int]] = NAMES,
) -> None:
    """Drive `app` to a state and compare its pictures of all `sizes`; `quiet` clears what was announced."""
    pictures = snapshot.use_extension(Picture)
    differ = []
    (first, size), *others = sizes.items()
    if sizes is NAMES and not (is_everything_tried() or snapshot.session.update_snapshots):
        others = []
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.is_open)
        await reach(app, pilot)
        if quiet:
            app.screen.announce("")  # type: ignore[attr-defined]
        await settle(app, pilot)
        shown = {first: picture_of(app)}
        for name, (width, height) in others:
            await pilot.resize_terminal(width, height)
            await settle(app, pilot, RESIZED)
            shown[name] = picture_of(app)
    for name, (svg, text) in shown.items():
        if pictures(name=name) != svg:
            differ.append(f"{name} is not the accepted picture; now:\n{text}")
    assert not differ, "\n".join(differ)
