"""Home: complete before the database is open, then with numbers, live, and leading everywhere."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.accounts import contacts
from mission_control_tui.model.accounts.editing import resolve_account
from mission_control_tui.model.accounts.overview import FAILED_DAYS
from mission_control_tui.model.groups import editing as objects
from mission_control_tui.model.orders import buying
from mission_control_tui.model.schedules.editing import schedule
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store import trusted_clock
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.screens.registry import LINKS
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.status_lines import TopLine
from tests.screens import world
from tests.screens.driving import at_both_sizes, console, shows, text_of, until


@at_both_sizes
async def test_first_frame_is_complete_before_the_database_is_open(
    world_db: Path, size: tuple[int, int]
) -> None:
    app = world.make_app(world_db)
    go = threading.Event()
    opener = app._opener
    assert opener is not None

    def slowly() -> Any:
        go.wait(30)
        return opener()

    app._opener = slowly
    async with app.run_test(size=size) as pilot:
        await shows(
            pilot, "Services", "Users", "Account", "Activity", "New User", "All Users", "This month"
        )
        text = text_of(app)
        assert "Service Management Area" in text
        assert "This month  -" in text
        assert "SIMULATOR" in text
        assert not app.is_open
        go.set()
        await shows(pilot, "This month  AUD")


@at_both_sizes
async def test_quadrants_tell_what_is_there(world_db: Path, size: tuple[int, int]) -> None:
    async with console(world_db, size) as (app, pilot):
        await shows(pilot, "4/7 used", "Rita Field", "acme.example", "example prices")
        assert "Esc Back" not in text_of(app)
        users = {row.key: row for row in _rows(app, "users")}
        assert users["all"].cells[1] == "4"
        assert [users[light].cells[1] for light in ("red", "orange", "green")] == ["1", "1", "2"]
        lines = [line for line in text_of(app).splitlines() if "grace" in line or "jo " in line]
        assert any("» Queued jo Managed Exchange" in line for line in lines)
        assert any("× Error grace Managed" in line and "3 h" in line for line in lines)  # noqa: RUF001
        top = app.screen.query_one(TopLine).info
        assert (top.account, top.operator, top.red, top.orange) == (
            "Acme Pty Ltd", "fred", 1, 1,
        )  # fmt: skip


def _rows(app: MissionControlApp, quadrant: str) -> list[Any]:
    found = app.screen.query_one(f"#{quadrant}", Quadrant)
    return [found.row_at(index) for index in range(found.count)]


async def test_what_others_do_appears_without_a_key(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        other = await Store.open(world_db)
        scope = AccountScope(other, world.CALLER, "acme")
        try:
            await buying.buy(scope, "databases", level="small", quantity=3)
            await shows(pilot, "0/3 used")
            await provision.provision(
                scope,
                "ada",
                [ActionParams("databases", "small", instance="crm")],
            )
        finally:
            await other.close()
        await shows(pilot, "1/3 used", "ada (crm) Databases")
        await until(pilot, lambda: app.screen.query_one(TopLine).info.orange == 2)


async def test_arrows_and_tab_go_from_quadrant_to_quadrant(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        visited = []
        for key in ("right", "left", "tab", "tab", "tab"):
            await pilot.press(key)
            visited.append(app.focused.id if app.focused else None)
        assert visited == ["users", "services", "users", "account", "activity"]
        await pilot.press("left", "up")
        assert app.focused is not None
        assert app.focused.id == "services"
        await pilot.press("end", "down")
        assert app.focused.id == "account"


@pytest.mark.parametrize(
    ("keys", "heading"),
    [
        (["enter"], "Domain Names"),
        (["down", "b"], "Email"),
        (["right", "down", "down", "enter"], "Service Management Area"),
        (["g", "end", "enter"], LINKS[-1][1]),
        (["g", "down", "enter"], "Service Management Area"),
    ],
)
async def test_rows_and_quick_links_lead_on_and_escape_comes_back(
    world_db: Path, keys: list[str], heading: str
) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen.query_one(TopLine).title == heading)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")


async def test_home_comes_back_to_the_row_it_was_left_on(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Email")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        services = app.screen.query_one("#services", Quadrant)
        assert services.has_focus
        assert services.current is not None
        assert services.current.key == "email"


async def test_a_new_account_is_told_the_next_step_each_time(new_db: Path) -> None:
    async with console(new_db) as (app, pilot):
        await shows(pilot, "Next: buy Email", "A new account:")
        store = app.store.store
        account = app.store.account
        await buying.buy(
            AccountScope(store, world.CALLER, "acme"), "email", level="pc-web", quantity=2
        )
        await shows(pilot, "Next: create a user (n)", "0/2 used")
        user = await world.person(store, account, "Ada", "Lovelace", "ada")
        await shows(pilot, "Next: give a user a service")
        await provision.provision(
            AccountScope(store, world.CALLER, "acme"),
            user,
            [ActionParams("managed-exchange", "pc-web")],
        )
        await shows(pilot, "Queued ada")
        await until(pilot, lambda: "Next:" not in text_of(app))


async def test_more_than_fits_is_counted(world_db: Path) -> None:
    store = await Store.open(world_db)
    account = await resolve_account(store, world.CALLER, "acme")
    await buying.buy(
        AccountScope(store, world.CALLER, "acme"), "databases", level="small", quantity=20
    )
    for number in range(14):
        await provision.provision(
            AccountScope(store, world.CALLER, account.id),
            "ada",
            [ActionParams("databases", "small", instance=f"db{number}")],
        )
    await store.close()
    async with console(world_db) as (app, pilot):
        await shows(pilot, "more")
        activity = app.screen.query_one("#activity", Quadrant)
        await until(pilot, lambda: activity.count > 14)
        shown = sum("Queued ada (db" in line for line in text_of(app).splitlines())
        last = next(line for line in text_of(app).splitlines() if "more" in line)
        hidden = int(last.rpartition("+")[2].split()[0])
        assert 0 < shown < 14
        assert activity.room + hidden == activity.count


async def test_what_is_newest_is_in_view_where_more_than_fits(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await shows(pilot, "4/7 used", "grace Managed")
        scope = AccountScope(app.store.store, world.CALLER, "acme")
        await buying.buy(scope, "databases", level="small", quantity=20)
        activity = app.screen.query_one("#activity", Quadrant)
        for number in range(14):
            wish = ActionParams("databases", "small", instance=f"db{number}")
            await provision.provision(scope, "ada", [wish])
        await until(pilot, lambda: activity.count > 14 > activity.room)
        await until(pilot, lambda: activity.top == 0)


async def test_groups_and_schedules_that_wait_or_failed_are_counted_and_lead_on(
    world_db: Path,
) -> None:
    async with console(world_db) as (app, pilot):
        await shows(pilot, "Groups and shared mailboxes", "4/7 used")
        assert "schedule" not in text_of(app)
        scope = AccountScope(app.store.store, world.CALLER, "acme")
        await objects.create_object(scope, "distribution-group", "Sales", "sales@acme.example")
        for action in ("suspend", "disable"):
            params = ActionParams("managed-exchange" if action == "suspend" else "")
            await schedule(scope, "ada", action, params, "+1h")
        await shows(pilot, "2 schedules wait")
        async with app.store.store.write(world.CALLER, 1) as tx:
            await tx.session.execute(
                update(ScheduleRow)
                .where(ScheduleRow.action == "suspend")
                .values(state=ScheduleState.FAILED, ended_at=tx.now, said="No seat is free.")
            )
        await shows(pilot, "1 schedule failed", "1 schedule waits")
        rows = {row.key: row for row in _rows(app, "users")}
        assert rows["objects"].cells[1] == "1"
        keys = [row.key for row in _rows(app, "activity")]
        assert keys.index("failed") < keys.index("waiting")
        await pilot.press("tab", "tab", "tab", "home", "enter")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Schedules")
        await shows(pilot, "<Failed>", "No seat is free.")
        assert "Waiting" not in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        async with app.store.store.write(world.CALLER, 1) as tx:
            long_ago = tx.now - timedelta(days=FAILED_DAYS + 1)
            await tx.session.execute(update(ScheduleRow).values(ended_at=long_ago))
        await until(pilot, lambda: "schedule failed" not in text_of(app))
        await trusted_clock.doubt(app.store.store, "It leaped.")
        await shows(pilot, "The clock is doubted")


async def test_names_are_shown_as_they_are_and_never_as_markup(world_db: Path) -> None:
    store = await Store.open(world_db)
    await contacts.set_contacts(
        AccountScope(store, world.CALLER, "acme"),
        [contacts.Contact(contacts.ContactRole.PRIMARY, "[/b] 名前 [red]x")],
    )
    await store.close()
    async with console(world_db) as (_app, pilot):
        await shows(pilot, "[/b] 名前 [red]x")
        await pilot.press("tab", "tab", "down", "down", "enter")
        await shows(pilot, "Primary name        [[/b] 名前 [red]x")
