"""Pictures of Find, of the accounts, of Red and waiting; look at each before you accept it with --snapshot-update."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.dates import months_later
from mission_control_tui.model.orders import buying
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.picturing import Step, take
from tests.screens.two_accounts import add_globex, make_app


async def find_nothing_yet(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await pilot.press("slash")
    await shows(pilot, "Find anyone", "in all accounts")


async def find(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_nothing_yet(app, pilot)
    await type_text(pilot, "a")
    await shows(pilot, "Ada Lovelace", "Adam", "4 found")


async def find_a_phone(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_nothing_yet(app, pilot)
    await type_text(pilot, "123 456")
    await shows(pilot, "mobile +61 400 123", "1 found")


async def another_account(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await find_a_phone(app, pilot)
    await pilot.press("enter", "enter")
    await shows(pilot, "Account changed: acme -> globex", "User Functions")
    await until(pilot, lambda: "mine: 3 orange" in text_of(app))


async def find_recent(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await another_account(app, pilot)
    await pilot.press("slash")
    await shows(pilot, "whom you looked at last", "Homer Simpson")


async def switcher(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await pilot.press("o")
    await shows(pilot, "you are here", "2 accounts")


async def users_elsewhere(app: MissionControlApp, pilot: Pilot[int]) -> None:
    app.follow_link("users")
    await shows(pilot, "4 users")
    await pilot.press("slash")
    await type_text(pilot, "homer")
    await shows(pilot, "1 in other accounts: F3")


STATES: dict[str, Step] = {
    step.__name__: step
    for step in (
        find_nothing_yet,
        find,
        find_a_phone,
        another_account,
        find_recent,
        switcher,
        users_elsewhere,
    )
}


async def trouble(path: Path) -> None:
    """Red lights in both accounts, one of them a domain past its term; each of an age of its own."""
    store = await Store.open(path)
    scope = AccountScope(store, world.CALLER, "globex")
    registrant = {"registrant-name": "Globex", "registrant-email": "owner@globex.example"}
    await buying.buy(scope, "domain-names", domain="a-new-one.com", fields=registrant)
    async with store.write(world.CALLER) as tx:
        # Terms end at midnight, and an age is rounded to whole days: 34 of them at any hour.
        days = 35 if tx.now.hour < 12 else 34
        began = datetime.combine(
            months_later(tx.now.date() - timedelta(days=days), -12), time(), UTC
        )
        await tx.session.execute(update(DomainRow).where(DomainRow.bought).values(added_at=began))
        registered = {"light": Light.GREEN, "word": Word.PROVISIONED, "step": ""}
        of_domain = update(AssignmentRow).where(AssignmentRow.domain_id.is_not(None))
        await tx.session.execute(
            of_domain.values(**registered, since=tx.now - timedelta(days=400, hours=1))
        )
        homer = select(UserRow.id).where(UserRow.upn == "homer@globex.example").scalar_subquery()
        await tx.session.execute(
            update(AssignmentRow)
            .where(AssignmentRow.user_id == homer)
            .values(
                light=Light.RED,
                word=Word.ERROR,
                error_said="The mailbox server answered: 503 [Unavailable]",
                since=tx.now - timedelta(days=3, hours=1),
            )
        )
        for minutes, upn in enumerate(("jo@acme.example", "grace.kelly@globex.example"), 40):
            waits = select(UserRow.id).where(UserRow.upn == upn).scalar_subquery()
            of_user = update(AssignmentRow).where(AssignmentRow.user_id == waits)
            await tx.session.execute(
                of_user.values(since=tx.now - timedelta(minutes=minutes, seconds=30))
            )
    await store.close()


async def red_and_waiting(app: MissionControlApp, pilot: Pilot[int]) -> None:
    app.follow_link("attention")
    await shows(pilot, "homer@globex", "a-new-one.com", "the oldest first")


async def red_by_account(app: MissionControlApp, pilot: Pilot[int]) -> None:
    await red_and_waiting(app, pilot)
    await pilot.press("s", "s", "slash")
    await type_text(pilot, "red globex")
    await shows(pilot, "2, by account")


@pytest.mark.parametrize("state", [red_and_waiting, red_by_account])
async def test_picture_of_red_and_waiting(
    state: Step, world_db: Path, snapshot: SnapshotAssertion
) -> None:
    await add_globex(world_db)
    await trouble(world_db)
    await take(make_app(world_db), state, snapshot)


@pytest.mark.parametrize("state", STATES)
async def test_picture(state: str, world_db: Path, snapshot: SnapshotAssertion) -> None:
    await add_globex(world_db)
    await take(make_app(world_db), STATES[state], snapshot)
