"""Keys on every screen while the database does not answer: the console stays, and goes on once it does again.

    MC_PROOF=20 ./run-tests tests/screens/test_outage_keys.py

presses twenty times as many.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from tests.screens.driving import burst, console, shows, until
from tests.screens.places import PLACES
from tests.screens.test_outage import change
from tests.screens.test_random_keys import BURST, KEYS, begin, has_ended, home_by_keys
from tests.support import proof_factor

BURSTS = 2 * proof_factor()
SHARES = 3
"""So many consoles have the screens between them."""

TABLES = ("accounts", "users")
"""What nearly everything reads: without them any statement fails as one does that no server answers."""


async def rename(path: Path, before: str, after: str) -> None:
    for table in TABLES:
        await change(path, f"ALTER TABLE {table}{before} RENAME TO {table}{after}")


async def outage(
    app: MissionControlApp, pilot: Pilot[int], path: Path, place: str, last: deque[str]
) -> None:
    """Keys on a screen while the database is away, and the way Home once it is back."""
    chance = random.Random(place)
    last.append(f"<{place}>")
    await begin(app, place)
    await until(pilot, lambda: app.screen.is_mounted)
    await rename(path, "", "_away")
    try:
        for _ in range(BURSTS):
            keys = chance.choices(KEYS, k=BURST)
            last.extend(keys)
            await burst(app, pilot, keys)
            assert not has_ended(app)
        await until(pilot, lambda: not app.is_behind)
    finally:
        await rename(path, "_away", "")
    await home_by_keys(app, pilot)
    app.follow_link("users")
    await shows(pilot, "@acme.example")
    await home_by_keys(app, pilot)


@pytest.mark.timeout(0)
@pytest.mark.proof
@pytest.mark.parametrize("share", range(SHARES))
async def test_keys_during_an_outage(share: int, world_db: Path) -> None:
    last: deque[str] = deque(maxlen=40)
    try:
        async with console(world_db) as (app, pilot):
            for place in list(PLACES)[share::SHARES]:
                await outage(app, pilot, world_db, place, last)
        assert app.return_code in (None, 0)
    except BaseException as error:
        error.add_note(f"the last keys: {' '.join(last)}")
        raise
