"""Find anyone, and going from account to account: what is found, where one is, and that nothing goes astray."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from textual.pilot import Pilot

from mission_control_tui.console.app import ConsoleApp
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.operators import RecentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.provisioning import deprovision_all
from mission_control_tui.screens.base.context import Context
from mission_control_tui.screens.base.find_list import FindList
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.find import FindScreen
from mission_control_tui.screens.users.user import UserScreen
from mission_control_tui.widgets.find_box import PAUSE, FindBox
from mission_control_tui.widgets.line_list import LineList
from mission_control_tui.widgets.rows import Row
from mission_control_tui.widgets.status_lines import TopLine
from tests.model.helpers import PASSWORD, finish
from tests.screens import world
from tests.screens.driving import at_both_sizes, burst, shows, text_of, type_text, until
from tests.screens.hostile import TEXT, poison
from tests.screens.test_hostile import look_at
from tests.screens.two_accounts import console, make_app
from tests.screens.users.driving import context_of


def top_of(app: MissionControlApp) -> str:
    return text_of(app).splitlines()[0]


def account_of(app: MissionControlApp) -> str:
    """The account of the screen that is on top."""
    assert isinstance(app.screen, MissionScreen)
    return app.screen.context.account.code


async def find(app: MissionControlApp, pilot: Pilot[int], text: str, shown: str) -> None:
    await pilot.press("slash")
    await until(pilot, lambda: isinstance(app.screen, FindScreen))
    await type_text(pilot, text)
    await shows(pilot, shown)


@at_both_sizes
async def test_a_user_of_another_account_is_found_and_escape_leads_back(
    size: tuple[int, int], world_db: Path
) -> None:
    async with console(world_db, size) as (app, pilot):
        await find(app, pilot, "simps", "Homer Simpson")
        await shows(pilot, "1 found")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "User Functions", "Globex Ltd · fred")
        assert account_of(app) == "globex"
        assert context_of(app).account.code == "globex"
        await pilot.press("escape")
        await shows(pilot, "Account changed: globex -> acme", "1 found")
        assert "Acme Pty Ltd" in top_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        assert account_of(app) == "acme"
        await until(pilot, lambda: "mine: 1 orange 1 red" in top_of(app))


async def test_people_of_this_account_come_first_and_what_matched_is_told(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await find(app, pilot, "grace", "2 found")
        shown = text_of(app)
        assert shown.index("Grace Hopper") < shown.index("Grace Kelly")
        await pilot.press("escape")
        await pilot.pause(0.2)
        await type_text(pilot, "0400 123")
        await shows(pilot, "mobile +61 400 123", "1 found")


async def test_the_typed_text_is_answered_before_enter_opens_anything(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await burst(app, pilot, ["/", *"simpson", "enter", "enter"])
        await until(pilot, lambda: isinstance(app.screen, UserScreen))
        await shows(pilot, "homer@globex.example")


async def test_the_count_comes_with_its_rows_though_others_change_things_meanwhile(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates: list[asyncio.Event] = []

    async with console(world_db) as (app, pilot):
        await find(app, pilot, "lovel", "1 found")
        found = app.screen.query_one(FindList)
        answer = found.answer

        async def slow(text: str) -> tuple[Sequence[Row], str]:
            gates.append(asyncio.Event())
            await gates[-1].wait()
            return await answer(text)

        monkeypatch.setattr(found, "answer", slow)
        await pilot.press("ctrl+u", "a")
        screen = app.screen
        assert isinstance(screen, FindScreen)
        await until(pilot, lambda: len(gates) == 1)
        await screen.load()
        gates[0].set()
        await until(pilot, lambda: len(gates) == 2)
        shown = text_of(app)
        assert "Alan Turing" in shown or "1 found" in shown, shown
        gates[1].set()
        await shows(pilot, "Alan Turing")
        assert "1 found" not in text_of(app)
        await until(pilot, lambda: not app.screen.query_one(LineList).is_due)


async def test_what_was_asked_while_the_typing_paused_is_not_asked_again(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async with console(world_db) as (app, pilot):
        await find(app, pilot, "ada", "2 found")
        screen = app.screen
        assert isinstance(screen, FindScreen)
        found = screen.query_one(FindList)
        answer = found.answer

        async def counted(text: str) -> tuple[Sequence[Row], str]:
            asked.append(text)
            return await answer(text)

        monkeypatch.setattr(found, "answer", counted)
        screen.query_one(FindBox).input.value = "simps"
        await screen.load()
        await shows(pilot, "Homer Simpson")
        await pilot.pause(2 * PAUSE)
        assert asked == ["simps"]


async def test_an_empty_box_lists_whom_one_looked_at_last(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        for text, name in (("simps", "Homer Simpson"), ("lovel", "Ada Lovelace")):
            await find(app, pilot, text, name)
            await pilot.press("enter", "enter")
            await shows(pilot, "User Functions")
            await pilot.press("g", "home", "enter")
            await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        await pilot.press("slash")
        await shows(pilot, "whom you looked at last", "Homer Simpson", "Ada Lovelace")
        shown = text_of(app)
        assert shown.index("Ada Lovelace") < shown.index("Homer Simpson")
        async with context_of(app).store.read() as session:
            rows = (await session.scalars(select(RecentRow.operator))).all()
        assert set(rows) == {world.OPERATOR}


async def test_an_order_of_another_account_opens(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await find(app, pilot, "order 3", "Order 3")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "Order 3 is complete")


async def test_quick_links_lead_to_the_account_on_top(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await find(app, pilot, "simps", "Homer Simpson")
        await pilot.press("enter", "enter")
        await shows(pilot, "User Functions")
        await pilot.press("g", "home", "down", "down", "enter")
        await shows(pilot, "Homer Simpson", "3 users")
        assert "Lovelace" not in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        assert account_of(app) == "globex"
        await shows(pilot, "Globex Ltd")
        assert "Acme" not in text_of(app)


async def test_users_tell_of_others_and_f3_widens_with_the_text(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        app.follow_link("users")
        await shows(pilot, "4 users")
        await pilot.press("slash")
        await type_text(pilot, "homer")
        await shows(pilot, "0 users; 1 in other accounts: F3")
        await pilot.press("f3")
        await shows(pilot, "Find anyone", "Find: homer", "homer@globex.example")
        await pilot.press("escape", "escape")
        await shows(pilot, "0 users")
        await pilot.press("escape")
        await shows(pilot, "4 users")
        await pilot.press("slash", "slash")
        await until(pilot, lambda: isinstance(app.screen, FindScreen))


async def test_what_was_looked_for_before_is_typed_over(world_db: Path) -> None:
    """The next ticket is about somebody else: `/` back into a box, or F3 out of it, and type."""
    async with console(world_db) as (app, pilot):
        await pilot.press("g", "u", "enter")
        await shows(pilot, "4 users")
        await pilot.press("slash")
        await type_text(pilot, "ada")
        await shows(pilot, "Find: ada", "1 user")
        await pilot.press("enter", "slash")
        await type_text(pilot, "grace")
        await shows(pilot, "Find: grace", "1 user")
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, FindScreen))
        await shows(pilot, "Find: grace")
        await type_text(pilot, "simps")
        await shows(pilot, "Find: simps", "Homer Simpson", "1 found")


async def test_o_changes_the_account_and_each_keeps_its_screens(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await pilot.press("n")
        await shows(pilot, "@acme.example")
        await type_text(pilot, "half.typed")
        await pilot.press("escape", "o")
        await shows(pilot, "you are here", "2 accounts", "Esc Back")
        await type_text(pilot, "globex.ex")
        await shows(pilot, "1 account")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex. Kept: New User of acme")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        assert "Globex Ltd" in text_of(app)
        await pilot.press("n")
        await shows(pilot, "@globex.example")
        assert "half.typed" not in text_of(app)
        await pilot.press("escape", "escape", "o")
        await shows(pilot, "2 accounts")
        await pilot.press("enter", "down", "enter")
        await shows(pilot, "Account changed: globex -> acme")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        await pilot.press("n")
        await shows(pilot, "half.typed", "@acme.example")


async def test_nothing_is_written_to_the_account_that_came_on_top(world_db: Path) -> None:
    """A form of acme stays one of acme, also when it is told to provision while somebody of globex is on top."""
    async with console(world_db) as (app, pilot):
        acme = context_of(app)
        await pilot.press("n")
        await shows(pilot, "@acme.example")
        form = app.screen
        assert isinstance(form, MissionScreen)
        for text in ("bo.derek", "Bo", "Derek", "", "", PASSWORD):
            await type_text(pilot, text)
            await pilot.press("enter")
        await type_text(pilot, PASSWORD)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, FindScreen))
        await type_text(pilot, "simps")
        await shows(pilot, "Homer Simpson", "1 found")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "User Functions")
        globex = context_of(app)
        form.action_verb("provision")
        await until_made(pilot, acme, "bo.derek")
        assert isinstance(app.screen, UserScreen)
        assert await made(acme, "bo.derek") == [(acme.account_id, "bo.derek@acme.example")]
        changed = await audit_log.entries(globex.scope)
        assert not [one for one in changed if "bo.derek" in one.target]
        assert context_of(app) is globex
        assert "Globex Ltd" in top_of(app)


async def made(context: Context, local: str) -> list[tuple[int, str]]:
    """Account and UPN of the users with this local part, wherever they are."""
    async with context.store.read() as session:
        wanted = select(UserRow.account_id, UserRow.upn).where(UserRow.upn.like(f"{local}@%"))
        return [(row.account_id, row.upn) for row in await session.execute(wanted)]


async def until_made(pilot: Pilot[int], context: Context, local: str) -> None:
    for _ in range(500):
        if await made(context, local):
            return
        await pilot.pause(0.01)
    raise AssertionError(f"{local} was never made")


async def test_work_that_ends_after_the_account_changed_is_still_its_own_accounts(
    world_db: Path,
) -> None:
    async with console(world_db) as (app, pilot):
        acme = context_of(app)
        assert isinstance(app, ConsoleApp)
        await find(app, pilot, "lovel", "Ada Lovelace")
        await pilot.press("enter", "enter")
        await shows(pilot, "User Functions")
        card = app.screen
        assert isinstance(card, UserScreen)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, FindScreen))
        await type_text(pilot, "simps")
        await shows(pilot, "Homer Simpson")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex")
        globex = context_of(app)
        before = await audit_log.entries(AccountScope(acme.store, acme.caller, globex.account_id))
        user = card.functions.card.user
        assert user is not None
        await card.functions._change("disable", user)
        written = await audit_log.entries(acme.scope, limit=1)
        assert (written[0].action, written[0].user_id) == ("disable user", card.user_id)
        assert (
            await audit_log.entries(AccountScope(acme.store, acme.caller, globex.account_id))
            == before
        )
        assert context_of(app) is globex
        await until(pilot, lambda: "Globex Ltd" in top_of(app))


async def test_the_first_choice_of_an_account_is_found_by_typing(world_db: Path) -> None:
    async with console(world_db) as (_app, _pilot):
        pass
    app = make_app(world_db, None)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Which account do you want to work on? Type, Down, Enter", "2 accounts")
        await type_text(pilot, "glob")
        await shows(pilot, "1 account")
        await pilot.press("enter", "enter")
        await shows(pilot, "This month  AUD", "Globex Ltd · fred")


@pytest.mark.proof
async def test_a_day_of_finding_does_not_pile_up_screens(
    world_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_control_tui.console.account_switching.MOST_SCREENS", 5)
    async with console(world_db) as (app, pilot):
        for _ in range(5):
            await find(app, pilot, "simps", "Homer Simpson")
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, UserScreen))
        assert len(app.screen_stack) <= 6
        for _ in range(len(app.screen_stack)):
            await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        assert account_of(app) == "acme"


async def test_hostile_names_are_harmless_in_find_and_in_the_switcher(world_db: Path) -> None:
    async with console(world_db) as (_app, _pilot):
        pass
    await poison(world_db, TEXT)
    app = make_app(world_db, "acme")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open and "This month  AUD" in text_of(app))
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, FindScreen))
        await type_text(pilot, "grace")
        await shows(pilot, "2 found", "zq")
        look_at(app, "found")
        await pilot.press("enter", "end", "y")
        look_at(app, "copied")
        await pilot.press("enter")
        await shows(pilot, "Account changed: acme -> globex")
        look_at(app, "a user of another account")
        await pilot.press("escape", "slash", "escape", "escape", "o")
        await shows(pilot, "2 accounts")
        look_at(app, "the switcher")


async def test_somebody_in_the_recycling_bin_is_found_and_can_be_restored(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        context = context_of(app)
        found = await find_anyone(context.store, context.caller, "simps")
        user, account = found.users[0].user_id, found.users[0].account.id
        scope = AccountScope(context.store, world.CALLER, account)
        await deprovision_all(scope, user)
        await finish(context.store, world.CALLER, found.users[0].account)
        await delete_user(scope, user)
        await find(app, pilot, "simps", "in the bin")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "Restore")


async def test_lights_and_counts_of_the_account_on_top_are_live(world_db: Path) -> None:
    async with console(world_db) as (app, pilot):
        await find(app, pilot, "simps", "Homer Simpson")
        await pilot.press("enter", "enter")
        await shows(pilot, "Account changed: acme -> globex", "» Queued", "mine: 3 orange 0 red")
        globex = context_of(app)
        await finish(globex.store, world.CALLER, globex.account)
        await shows(pilot, "• Provisioned", "mine: 0 orange 0 red")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen.query_one(TopLine).title == "Home")
        await shows(
            pilot,
            "mine: 0 orange 0 red  SIMULATOR  Acme Pty Ltd",
            "All Users                                 4",
        )
