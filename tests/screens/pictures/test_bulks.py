"""Pictures of Lights and the bulk screens; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.bulk.control import start
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.orders import buying
from mission_control_tui.model.people import password_policy
from mission_control_tui.model.search.light_matrix import ids
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from tests.screens import world
from tests.screens.bulk.test_bulks import act_on_all, choose
from tests.screens.driving import answer, shows, type_text, until
from tests.screens.pictures.test_users import go
from tests.screens.picturing import Step, take
from tests.screens.users.driving import context_of


async def prepare(app: MissionControlApp) -> None:
    """Ages that stay the same, and more services across."""
    context = context_of(app)
    async with context.store.write(context.caller, context.account_id) as tx:
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.light == "orange")
            .values(since=datetime.now(UTC) - timedelta(hours=2))
        )
    await buying.buy(
        AccountScope(context.store, world.CALLER, context.account_id),
        "databases",
        level="small",
        quantity=2,
    )


async def lights(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await prepare(app)
    await go(app, pilot, "lights")
    await shows(pilot, "4 users", "Databases")
    await pilot.press("space", "space", "right")
    await shows(pilot, "2 marked")


async def lights_narrowed(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await lights(app, pilot)
    await pilot.press("left", "slash")
    await type_text(pilot, "red pc-web")
    await shows(pilot, "2 marked, 2 not shown; 1 user", "PC & Web Access: Error for 3 h")


async def retry_all(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await lights(app, pilot)
    await pilot.press("R")
    await shows(pilot, "1 red light in view?")


async def users_marked(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await prepare(app)
    await go(app, pilot, "users")
    await shows(pilot, "4 users")
    await pilot.press("asterisk")
    await shows(pilot, "4 marked")


async def plan(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await lights(app, pilot)
    await pilot.press("asterisk", "x")
    await shows(pilot, "For 4 users", "Managed Exchange")
    await choose(pilot, "action", "change")
    await choose(pilot, "service", "managed-exchange")
    await choose(pilot, "level", "popx")
    app.screen.query_one("#go").focus()
    await pilot.press("p")
    await shows(pilot, "would be done", "with tax")


async def settings(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await plan(app, pilot)
    app.screen.query_one("#settings").focus()
    await pilot.press("enter")
    await shows(pilot, "Mailbox quota", "▼ Settings")


async def question(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await plan(app, pilot)
    await pilot.press("p")
    await shows(pilot, "[ No ]")


async def age(app: MissionControlApp) -> None:
    """The bulk began on a moment that stays the same."""
    context = context_of(app)
    async with context.store.write(context.caller) as tx:
        ago = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(BulkRow).values(created_at=ago))


async def bulk(app: MissionControlApp, pilot: Pilot[int]) -> None:
    context = context_of(app)
    await prepare(app)
    everybody = await ids(context_of(app).scope)
    params = ActionParams("managed-exchange", "popx")
    await start(context_of(app).scope, everybody, "change", params)
    await age(app)
    for _ in range(3):  # one at a time, for a slice ends early on a slow machine
        await work_slice(context.store, 1, limit=1)
    await go(app, pilot, "bulk", 1)
    await shows(pilot, "Change Managed Exchange to Standard Mail (POPX)", "1 left", "[ Stop ]")


async def bulks(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await bulk(app, pilot)
    app.screen.go_to("bulks")  # type: ignore[attr-defined]
    await until(pilot, lambda: bool(app.screen.query("#bulks")))
    await shows(pilot, "2 h", "Change Managed Exchange")


async def delete_user(app: MissionControlApp, pilot: Pilot[int]) -> None:
    from mission_control_tui.model.users.provisioning import deprovision_all
    from tests.model.helpers import finish

    context = context_of(app)
    await deprovision_all(context_of(app).scope, "ada@acme.example")
    await finish(context.store, world.CALLER, context.account)
    await go(app, pilot, "user", "ada")
    await shows(pilot, "User Functions", "Not provisioned")
    await pilot.press("end", "enter")
    await shows(pilot, "Type the UPN")


async def passwords_wait(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "lights")
    await act_on_all(app, pilot, "password")
    await pilot.press("p")
    await shows(pilot, "[ Start ]")
    await pilot.press("p")
    await answer(pilot, "y")
    await shows(pilot, "File:")
    await pilot.press("ctrl+u", "enter")
    await shows(pilot, "4 passwords wait here to be shown once", "0 left")
    await age(app)
    await shows(pilot, "2 h ago")
    app.screen.query_one("#reveal").focus()


async def passwords_shown(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await passwords_wait(app, pilot)
    await pilot.press("enter")
    await shows(pilot, "Shown once")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        lights,
        lights_narrowed,
        retry_all,
        users_marked,
        plan,
        settings,
        question,
        bulk,
        bulks,
        delete_user,
        passwords_wait,
        passwords_shown,
    )
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(
    state: str, world_db: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_policy, "generate", lambda *_policy: "Kp7m-xR4w-Tz9c-Vd2q")
    await take(world.make_app(world_db), STATES[state], snapshot, quiet=True)
