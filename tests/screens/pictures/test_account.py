"""Pictures of Account and of an order that waits; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.billing import statements
from mission_control_tui.model.money import Money
from mission_control_tui.model.orders import approval, buying
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.billing import StatementRow
from mission_control_tui.model.users import editing
from mission_control_tui.screens.accounts.forms import ContactsForm
from mission_control_tui.widgets.field import ChoiceField
from mission_control_tui.widgets.row_list import RowList
from tests.screens import world
from tests.screens.driving import shows, until
from tests.screens.pictures.test_home import fix_dates, open_screen
from tests.screens.picturing import Step, take

REGISTRANT = {"registrant-name": "Acme", "registrant-email": "owner@acme.example"}


async def prepare(path: Path) -> None:
    """An order and a domain that wait, and a user who does not use a seat."""
    store = await Store.open(path)
    scope = AccountScope(store, world.CALLER, "acme")
    await approval.set_approval_limit(scope, Money(1000, "AUD"))
    await buying.buy(scope, "email", level="popx", quantity=4)
    await buying.buy(scope, "domain-names", domain="new.com", fields=REGISTRANT)
    await editing.disable_user(scope, "ada")
    await store.close()


async def account(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account")
    await shows(pilot, "4 of 7 seats held")


async def contacts_refused(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account", "contacts")
    await shows(pilot, "[Rita Field")
    fields = app.screen.query_one(ContactsForm).fields
    fields["secondary email"].value = "nonsense"
    fields["secondary phone"].value = "12"
    await pilot.press("tab", *["tab"] * 6, "enter")
    await shows(pilot, "a name is required", "too few digits")


async def account_orders(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account", "orders")
    await until(pilot, lambda: app.screen.query_one("#order-list", RowList).count == 4)


async def account_approval(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account", "approval")
    await shows(pilot, "[10.00", "awaiting approval: 4 x Email")


async def account_usage(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account", "usage")
    await shows(pilot, "ada@acme.example", "disabled")


async def account_domains(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "account", "domains")
    await shows(pilot, "new.com", "waiting for approval")


async def order_waits(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await open_screen(app, pilot, "order", 3)
    await shows(pilot, "is awaiting approval", "[ Decline ]")


async def approval_asked(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await order_waits(app, pilot)
    await pilot.press("enter")
    await shows(pilot, "approve order 3", "[ No ]  [ Approve ]")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        account,
        contacts_refused,
        account_orders,
        account_approval,
        account_usage,
        account_domains,
        order_waits,
        approval_asked,
    )
}


async def close(path: Path) -> None:
    """A month that was closed on a day that stays the same."""
    store = await Store.open(path)
    async with store.write(world.CALLER, 1) as tx:
        made = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
        await tx.session.execute(update(AccountRow).values(created_at=made))
    await statements.statement(AccountScope(store, world.CALLER, "acme"), "2026-01")
    async with store.write(world.CALLER, 1) as tx:
        ended = datetime(2026, 2, 1, 0, 5, tzinfo=UTC)
        await tx.session.execute(update(StatementRow).values(closed_at=ended))
    await store.close()


async def test_picture_of_a_statement(
    world_db: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reach(app: MissionControlApp, pilot: Pilot[int]) -> None:
        await open_screen(app, pilot, "account", "statement")
        await until(pilot, lambda: app.screen.query("#month"))
        month = app.screen.query_one("#month", ChoiceField)
        await until(pilot, lambda: month.value)
        month.value = "2026-01"
        await shows(pilot, "Closed on 2026-02-01 00:05 UTC")

    now = datetime(2026, 2, 3, tzinfo=UTC)
    monkeypatch.setattr(statements, "list_statements", partial(statements.list_statements, now=now))
    await prepare(world_db)
    await fix_dates(world_db)
    await close(world_db)
    await take(world.make_app(world_db), reach, snapshot)


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await prepare(world_db)
    await fix_dates(world_db)
    await take(world.make_app(world_db), STATES[state], snapshot)
