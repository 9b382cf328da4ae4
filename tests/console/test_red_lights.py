"""The operator's own lights in the top line, and the key that leads from red light to red light, newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.screens.services.provision import ProvisionScreen
from mission_control_tui.settings.settings import Settings
from tests.screens import world
from tests.screens.driving import shows, text_of, until
from tests.screens.users.driving import context_of, opened

OTHER = replace(world.CALLER, operator="wilma")
MANY = 600
"""Red lights; more than a page of anything."""


async def turn_red(path: Path, local: str, minutes_ago: int) -> None:
    """This user's services have been red for so long."""
    store = await Store.open(path)
    async with store.write(world.CALLER) as tx:
        user = select(UserRow.id).where(UserRow.upn == f"{local}@{world.DOMAIN}").scalar_subquery()
        since = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        row = update(AssignmentRow).where(AssignmentRow.user_id == user)
        await tx.session.execute(row.values(light=Light.RED, word=Word.ERROR, since=since))
    await store.close()


async def many_red(path: Path) -> None:
    """Hundreds of users whose names come before everybody's, red since long ago."""
    store = await Store.open(path)
    async with store.write(world.CALLER) as tx:
        known = (await tx.session.scalars(select(AssignmentRow).limit(1))).one()
        owner = (await tx.session.scalars(select(UserRow).limit(1))).one()
        users = [c.name for c in UserRow.__table__.columns]
        given = [c.name for c in AssignmentRow.__table__.columns]
        for number in range(MANY):
            ident, name = f"{number:032x}", f"a{number:04d}"
            user = {column: getattr(owner, column) for column in users} | {
                "id": ident,
                "upn": f"{name}@{world.DOMAIN}",
                "username": name,
                "username_key": name,
                "secret_id": None,
            }
            service = {column: getattr(known, column) for column in given} | {
                "id": ident,
                "user_id": ident,
                "subject_id": ident,
                "backend_name": name,
                "secret_id": None,
                "light": Light.RED,
                "since": datetime(2020, 1, 1, tzinfo=UTC),
            }
            await tx.session.execute(insert(UserRow).values(user))
            await tx.session.execute(insert(AssignmentRow).values(service))
    await store.close()


async def next_red(app: MissionControlApp, pilot: Pilot[int], who: str) -> None:
    before = app.screen
    await pilot.press("exclamation_mark")
    await until(pilot, lambda: app.screen is not before)
    await shows(pilot, who)


@pytest.mark.proof
async def test_the_newest_red_light_is_found_among_hundreds_and_then_the_next_older(
    world_db: Path,
) -> None:
    await many_red(world_db)
    await turn_red(world_db, "jo", 10)
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, f"{MANY + 4} users")
        below = len(app.screen_stack)
        await next_red(app, pilot, "jo@acme.example")
        seen = [app.screen]
        while "grace@acme.example" not in text_of(app):
            await next_red(app, pilot, "@acme.example")
            seen.append(app.screen)
            assert len(seen) < 6, "the services of jo come first, then those of grace"
        assert len(app.screen_stack) == below + 1
        assert all(isinstance(screen, ProvisionScreen) for screen in seen)


async def test_a_red_light_that_comes_meanwhile_is_next_and_the_oldest_is_followed_by_the_newest(
    world_db: Path,
) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        await next_red(app, pilot, "grace@acme.example")
        await turn_red(world_db, "ada", 1)
        await next_red(app, pilot, "ada@acme.example")
        for _ in range(6):
            await next_red(app, pilot, "@acme.example")
            if "No older light is red" in text_of(app):
                break
        await shows(pilot, "ada@acme.example", "No older light is red: this is the newest one")


async def test_from_elsewhere_it_leads_to_the_newest_again(world_db: Path) -> None:
    await turn_red(world_db, "jo", 10)
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Grace Hopper")
        users = app.screen
        await next_red(app, pilot, "jo@acme.example")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is users)
        await next_red(app, pilot, "jo@acme.example")


async def test_the_top_line_counts_what_the_operator_asked_for(world_db: Path) -> None:
    for operator, counted, of_all in (
        (world.CALLER, "mine: 1 orange 1 red", False),
        (OTHER, "mine: 0 orange 0 red", True),
    ):
        app = console_of(world_db, operator)
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "This month  AUD")
            top = text_of(app).splitlines()[0]
            assert top.startswith(f"{counted}")
            assert len(top) <= 80
            assert f"Acme Pty Ltd · {operator.operator}" in top
            assert (f"{operator.operator}  all: 1 red " in top) is of_all


async def test_the_count_follows_what_the_operator_asks_for_elsewhere(world_db: Path) -> None:
    app = console_of(world_db, OTHER)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "mine: 0 orange 0 red")
        context = context_of(app)
        wanted = [ActionParams("managed-exchange", "popx")]
        upn = f"ada@{world.DOMAIN}"
        await provision(AccountScope(context.store, OTHER, context.account_id), upn, wanted)
        await shows(pilot, "mine: 1 orange 0 red")


def console_of(path: Path, caller: Caller) -> ConsoleApp:
    """The console of this operator."""
    return ConsoleApp(Settings(), str(path), None, None, caller, world.no_wake)
