"""Pictures of Home and of buying; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.orders import OrderRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.field import ChoiceField, Field
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.picturing import Step, take


async def open_screen(
    app: MissionControlApp, pilot: Pilot[int], name: str, *arguments: Any
) -> None:
    await home(app, pilot)
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    screen.go_to(name, *arguments)
    await until(pilot, lambda: app.screen is not screen and app.screen.is_mounted)


async def home(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: "This month  AUD" in text_of(app))


async def quick_links(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await home(app, pilot)
    await pilot.press("g")
    await shows(pilot, "QUICK LINKS")


async def help_on_home(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await home(app, pilot)
    await pilot.press("question_mark")
    await shows(pilot, "Keys (the second one works in fields too)")


async def email(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "product", "email")
    await shows(pilot, "3/5 used, 2 free", "choose a level above")


async def email_chosen(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await email(app, pilot)
    await pilot.press("down", "space")
    await shows(pilot, "[ BUY EMAIL ]")


async def removal_refused(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await email(app, pilot)
    await pilot.press("down", "tab", "tab", "enter")
    await until(pilot, lambda: app.screen.query("#removed"))
    app.screen.query_one("#removed", Field).value = "3"
    app.screen.query_one("#remove").focus()
    await pilot.press("enter")
    await shows(pilot, "grace@acme.example.")


async def removal_asked(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await removal_refused(app, pilot)
    app.screen.query_one("#removed", Field).value = "1"
    await pilot.press("enter")
    await shows(pilot, "[ No ]")


async def databases(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "product", "databases")
    await shows(pilot, "PostgreSQL Small", "none yet")


async def domain_names(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "product", "domain-names")
    await shows(pilot, "Owned elsewhere", "[ BUY ]")


async def domain_refused(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "buy", "domain-names")
    await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
    await type_text(pilot, "under_score")
    await pilot.press("f7")
    await until(pilot, lambda: app.screen.query_one("#domain", Field).error)


async def domain_term(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "buy", "domain-names")
    await until(pilot, lambda: app.screen.in_field)  # type: ignore[attr-defined]
    await type_text(pilot, "new.com.au")
    await pilot.press("f7")
    await shows(pilot, "Step 2 of 6", "not checked")


async def registrant(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await domain_term(app, pilot)
    await pilot.press("f7")
    await shows(pilot, "Step 3 of 6")
    await pilot.press("f7")
    await shows(pilot, "2 fields need attention")


async def eligibility(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await registrant(app, pilot)
    app.screen.query_one("#ask-registrant-name", Field).value = "Acme Pty Ltd"
    app.screen.query_one("#ask-registrant-email", Field).value = "me@else.example"
    await pilot.press("f7")
    await shows(pilot, "Step 4 of 6")
    app.screen.query_one("#ask-eligibility-type", ChoiceField).value = "company"
    app.screen.query_one("#ask-eligibility-number", Field).value = "53004085617"
    await pilot.press("f7")
    await shows(pilot, "neither a valid ABN")


async def domain_review(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await eligibility(app, pilot)
    app.screen.query_one("#ask-eligibility-type", ChoiceField).value = "other"
    app.screen.query_one("#ask-eligibility-number", Field).value = "53004085616"
    await pilot.press("f7")
    await shows(pilot, "Step 5 of 6")
    await pilot.press("f7")
    await shows(pilot, "Step 6 of 6", "waits for approval")


async def mailboxes(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "buy", "email", "pc-web")
    await shows(pilot, "Step 1 of 2", "AUD 9.90")


async def mailboxes_review(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await mailboxes(app, pilot)
    await pilot.press("f7")
    await shows(pilot, "Step 2 of 2", "[ BUY EMAIL ]")


async def hosting_level(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "buy", "web-hosting")
    await shows(pilot, "Step 1 of 4", "( ) Premium")


async def order(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "order", 1)
    await shows(pilot, "Order 1 is complete", "now available")


async def orders(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "orders")
    await shows(pilot, "2 x Email: Standard Mail")


async def connectors(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await home(app, pilot)
    screen = app.screen
    assert isinstance(screen, MissionScreen)
    async with screen.context.store.write(world.CALLER) as tx:
        tx.session.add(
            ConnectorStateRow(
                name="simulator",
                paused=True,
                kind="unreachable",
                said="Nobody answers at 127.0.0.1:5432",
                remedy="See that it runs and that its address is right.",
                since=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
                next_check_at=0.0,
                wait=60.0,
            )
        )
    await open_screen(app, pilot, "connectors")
    await shows(pilot, "Checked again now")


async def service_area(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "service-area")
    await shows(pilot, "[ New User ]", "Ada Lovelace", "4 users")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        home,
        quick_links,
        help_on_home,
        email,
        email_chosen,
        removal_refused,
        removal_asked,
        databases,
        domain_names,
        domain_refused,
        domain_term,
        registrant,
        eligibility,
        domain_review,
        mailboxes,
        mailboxes_review,
        hosting_level,
        order,
        orders,
        connectors,
        service_area,
    )
}


async def fix_dates(path: Path) -> None:
    """Orders were placed on a day that stays the same."""
    store = await Store.open(path)
    async with store.write(world.CALLER, 1) as tx:
        day = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        await tx.session.execute(update(OrderRow).values(placed_at=day))
    await store.close()


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await fix_dates(world_db)
    await take(world.make_app(world_db), STATES[state], snapshot)


async def test_picture_of_a_new_account(new_db: Path, snapshot: SnapshotAssertion) -> None:
    await take(world.make_app(new_db), home, snapshot)
