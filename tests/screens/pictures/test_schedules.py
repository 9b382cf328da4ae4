"""Pictures of schedules and the recycling bin; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.schedules.editing import cancel_schedule, schedule
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.users.actions.params import ActionParams
from tests.screens import world
from tests.screens.driving import shows
from tests.screens.pictures.test_users import go
from tests.screens.picturing import Step, take
from tests.screens.test_schedules import binned
from tests.screens.users.driving import context_of


async def schedules(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    scope = context.scope
    mail = ActionParams("managed-exchange", "popx")
    for user, action, params, text in (
        ("ada", "disable", None, "2030-01-07 09:00"),
        ("jo", "provision", mail, "2030-01-04 17:00"),
        ("grace", "deprovision", None, "2030-02-01 00:00"),
        ("alan", "suspend", ActionParams("managed-exchange"), "2030-01-05 08:00"),
    ):
        await schedule(scope, f"{user}@acme.example", action, params, text)
    await cancel_schedule(scope, 4)
    async with context.store.write(context.caller) as tx:
        past = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(ScheduleRow).values(created_at=past))
        await tx.session.execute(
            update(ScheduleRow)
            .where(ScheduleRow.id == 3)
            .values(state="failed", said="No seat is free.", ended_at=past)
        )
    await go(app, pilot, "schedules")
    await shows(pilot, "Disable the user", "Failed", "2 h ago")


async def cancel(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await schedules(app, pilot)
    await pilot.press("tab", "tab", "enter")
    await shows(pilot, "[ No ]")


async def what_to_schedule(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "user", "ada")
    await shows(pilot, "Disable")
    await pilot.press("d")
    await shows(pilot, "At a date and time")


async def recycling_bin(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    never = msgspec.structs.replace(context.settings.worker, bin_days=0)
    context.settings = msgspec.structs.replace(context.settings, worker=never)
    await binned(app)
    await go(app, pilot, "bin")
    await shows(pilot, "ada@acme.example", "1 user")


async def purge(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await recycling_bin(app, pilot)
    await pilot.press("tab", "tab", "enter")
    await shows(pilot, "for good?")


STATES: dict[str, Step] = {
    step.__name__: step for step in (schedules, cancel, what_to_schedule, recycling_bin, purge)
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(world_db), STATES[state], snapshot, quiet=True)
