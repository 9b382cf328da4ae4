"""Pictures of pasted lists, templates and New User made like another; look at each before you accept it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual import events
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.templates import save_template
from mission_control_tui.model.store.tables.templates import TemplateRow
from tests.screens import world
from tests.screens.driving import shows, until
from tests.screens.pictures.test_users import go
from tests.screens.picturing import Step, take
from tests.screens.users.driving import context_of, user_id

LIST = (
    "1. Mary Jackson\nVaughan, Dorothy <dorothy@nasa.example>\n\n\u2022 Ada Lovelace\n12345\n"
    "Katherine Johnson\tx\ty\tz\n"
)


async def with_templates(app: MissionControlApp) -> None:
    context = context_of(app)
    scope = context.scope
    mail = TemplateService("managed-exchange", "pc-web", {"quota": 2048})
    sales = TemplateContent({"department": "Sales", "city": "Perth", "test_user": True}, (mail,))
    await save_template(scope, "Sales", sales)
    await save_template(scope, "[b]Kiosk[/] 名前", TemplateContent({"department": "Shop"}))
    async with context.store.write(context.caller) as tx:
        past = datetime.now(UTC) - timedelta(hours=2)
        await tx.session.execute(update(TemplateRow).values(updated_at=past))


async def templates(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await with_templates(app)
    await go(app, pilot, "templates")
    await shows(pilot, "Kiosk", "2 h")
    await pilot.press("end")
    await shows(pilot, "Mailbox quota 2048")


async def paste(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "paste")
    await until(pilot, lambda: app.screen.query_one("#list").has_focus)
    app.post_message(events.Paste(LIST))
    await shows(pilot, "2 to correct")


async def paste_plan(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await with_templates(app)
    await paste(app, pilot)
    await pilot.press("tab", "tab", "tab", "end")
    await shows(pilot, "PC & Web Access (2 free)")
    await pilot.press("f2")
    await shows(pilot, "will get none")


async def made_like(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await go(app, pilot, "new-user", await user_id(context_of(app), "ada"))
    await shows(pilot, "Like Ada Lovelace: gives")


STATES: dict[str, Step] = {
    "templates": templates,
    "paste": paste,
    "paste_plan": paste_plan,
    "made_like": made_like,
}


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(world_db), STATES[state], snapshot, quiet=True)
