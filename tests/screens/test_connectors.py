"""Connectors: whether each answers, why one is paused, what is nearly full there; a check now, and from a red light."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, update

from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.screens.attention import AttentionScreen
from mission_control_tui.screens.connectors import ConnectorsScreen
from mission_control_tui.screens.services.provision import ProvisionScreen
from tests.screens import world
from tests.screens.driving import shows, until
from tests.screens.two_accounts import console
from tests.screens.users.driving import context_of, opened, user_id

USAGE = {
    "mailbox": {"value": 4812.8, "limit": 5120, "unit": "MB", "at": "2026-11-30T05:00:00+00:00"}
}


def paused(**said: str) -> ConnectorStateRow:
    """The simulator cannot be reached."""
    state = {"paused": True, "kind": "unreachable", "since": datetime.now(UTC)}
    return ConnectorStateRow(name="simulator", next_check_at=4e9, wait=60.0, **state, **said)


async def test_a_paused_connector_says_why_and_is_checked_by_a_key(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        store = await Store.open(world_db)
        async with store.write(world.CALLER) as tx:
            tx.session.add(paused(said="Nobody [b]answers[/]", remedy="See that it runs."))
            first = select(AssignmentRow.id).where(AssignmentRow.user_id.is_not(None)).limit(1)
            await tx.session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.id.in_(first))
                .values(usage=USAGE, fullness=0.94, light=Light.GREEN)
            )
        app.follow_link("connectors")
        await until(pilot, lambda: isinstance(app.screen, ConnectorsScreen))
        await shows(pilot, "Paused: Nobody [b]", "See that it runs.", "4.7 of 5 GB (94 %)")
        await pilot.press("r")
        await shows(pilot, "simulator is checked now")
        async with store.read() as session:
            row = await session.get_one(ConnectorStateRow, "simulator")
            assert (row.asked, row.next_check_at) == (True, 0.0)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AttentionScreen))
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ConnectorsScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AttentionScreen))
        await pilot.press("slash", "ctrl+a", "ctrl+k", *"full", "enter")
        await shows(pilot, "Find: full", "• mailbox 4")
        await store.close()


async def test_a_light_leads_to_its_connector_and_back(world_db: Path) -> None:
    async with opened(world_db, "provision", "ada") as (app, pilot):
        await shows(pilot, "• Provisioned")
        store = await Store.open(world_db)
        red = {
            "light": Light.RED,
            "word": Word.ERROR,
            "error_said": "No room",
            "error_remedy": "Wait",
        }
        orange = {
            "light": Light.ORANGE,
            "word": Word.WAITING,
            "step": "Waits for connector simulator",
        }
        async with store.write(world.CALLER) as tx:
            mine = AssignmentRow.user_id == await user_id(context_of(app), "ada")
            await tx.session.execute(update(AssignmentRow).where(mine).values(**red))
        app.apply_changes(["store"])
        await shows(pilot, "Error")
        await pilot.press("enter")
        await shows(pilot, "Failed at connector simulator", "No room", "i to its connector")
        async with store.write(world.CALLER) as tx:
            tx.session.add(paused(said="mail1 is away", remedy="See that it runs."))
            await tx.session.execute(update(AssignmentRow).where(mine).values(**orange))
        app.apply_changes(["store"])
        await shows(pilot, "simulator is paused: mail1 is away", "What to do: See that it runs.")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ConnectorsScreen))
        await shows(pilot, "> simulator", "Paused: mail1 is away")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await store.close()
