"""Red and waiting: what wants an eye in any account; the account stays until one goes to a panel of another."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.screens.attention import AttentionScreen
from mission_control_tui.screens.services.provision import ProvisionScreen
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.two_accounts import console
from tests.screens.users.driving import context_of


async def test_what_waits_in_another_account_is_gone_to_and_come_back_from(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        store = await Store.open(world_db)
        async with store.write(world.CALLER) as tx:
            of_globex = update(AssignmentRow).where(AssignmentRow.account_id == 2)
            await tx.session.execute(of_globex.values(light=Light.RED, error_said="No [b]room[/]"))
        await store.close()
        app.follow_link("attention")
        await until(pilot, lambda: isinstance(app.screen, AttentionScreen))
        await shows(pilot, "globex", "acme", "the oldest first")
        assert context_of(app).account.code == "acme"
        await pilot.press("s", "s")
        await shows(pilot, "Sorted by account", "by account")
        await pilot.press("slash")
        await type_text(pilot, "red globex homer")
        await shows(pilot, "homer@globex", "No [b]r", "1, by account")
        await until(pilot, lambda: "grace@acme" not in text_of(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProvisionScreen))
        await shows(pilot, "Account changed: acme -> globex")
        assert context_of(app).account.code == "globex"
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, AttentionScreen))
        await until(pilot, lambda: context_of(app).account.code == "acme")
