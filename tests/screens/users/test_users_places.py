"""The row that one is on in Users stays under the cursor, and in its line on screen, whatever others do above it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.accounts.editing import resolve_account
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.store.database import Store
from mission_control_tui.screens.users.card import UserCard
from mission_control_tui.widgets.line_list import PAGE, LineList
from tests.screens import world
from tests.screens.driving import shows, text_of, until
from tests.screens.users.driving import context_of, opened
from tests.screens.users.test_many_users import fill

USERS = 4 * PAGE
DEEP = 2 * PAGE - 2
"""A row near the end of a page, so that a few more users above it put it on the next one."""

NEW = 5
BEFORE = len(world.PEOPLE)
"""All of the world's people come before those that `fill` makes."""


async def go_deep(app: MissionControlApp, pilot: Pilot[int], place: int = DEEP) -> LineList:
    """The list with the cursor on a row far down."""
    rows = app.screen.query_one(LineList)
    await until(pilot, lambda: rows.count == USERS + BEFORE)
    rows.move_to(place)
    await until(pilot, lambda: rows.current is not None)
    return rows


async def come(path: Path) -> None:
    """Another operator makes users who come first in the list."""
    store = await Store.open(path)
    account = await resolve_account(store, world.CALLER, None)
    for number in range(NEW):
        await world.person(store, account, "Aa", f"Number{number}", f"aa{number}")
    await store.close()


def line_of(app: MissionControlApp, upn: str) -> int:
    """On which line of the screen this UPN is, with the cursor before it."""
    return next(
        y for y, line in enumerate(text_of(app).splitlines()) if upn in line and "> " in line
    )


async def test_the_cursor_stays_on_the_user_when_others_come_before_and_go(
    world_db: Path,
) -> None:
    await fill(world_db, USERS)
    async with opened(world_db, "users") as (app, pilot):
        rows = await go_deep(app, pilot)
        assert rows.current is not None
        key, upn = rows.current.key, str(rows.current.cells[1])
        await until(pilot, lambda: upn in text_of(app))
        line = line_of(app, upn)
        await come(world_db)
        await until(pilot, lambda: rows.cursor == DEEP + NEW)
        assert rows.current is not None
        assert rows.current.key == key
        await until(pilot, lambda: upn in text_of(app))
        assert line_of(app, upn) == line
        context = context_of(app)
        scope = context.scope
        for local in ("aa0", "aa1"):
            await deletion.delete_user(scope, f"{local}@{world.DOMAIN}")
        await until(pilot, lambda: rows.cursor == DEEP + NEW - 2)
        assert rows.current.key == key
        await until(pilot, lambda: upn in text_of(app))
        assert line_of(app, upn) == line


async def test_the_opened_user_stays_open_and_in_view(world_db: Path) -> None:
    await fill(world_db, USERS)
    async with opened(world_db, "users") as (app, pilot):
        rows = await go_deep(app, pilot)
        assert rows.current is not None
        upn = str(rows.current.cells[1])
        await pilot.press("enter")
        await shows(pilot, "User Functions", upn)
        await come(world_db)
        await until(pilot, lambda: rows.cursor == DEEP + NEW)
        card = app.screen.query_one(UserCard)
        assert card.display
        assert card.user is not None
        assert card.user.upn == upn
        await until(pilot, lambda: line_of(app, upn))
        await pilot.press("escape")
        await until(pilot, lambda: not card.display)
        assert str(rows.current.cells[1]) == upn


async def test_a_user_who_goes_leaves_the_cursor_at_the_same_place(world_db: Path) -> None:
    await fill(world_db, USERS)
    async with opened(world_db, "users") as (app, pilot):
        rows = await go_deep(app, pilot)
        assert rows.current is not None
        gone = str(rows.current.key)
        context = context_of(app)
        await deletion.delete_user(context.scope, gone)
        # The count alone may come with another page in view, before the page of the cursor is read again.
        await until(pilot, lambda: rows.current is not None and rows.current.key != gone)
        assert rows.count == USERS + BEFORE - 1
        assert rows.cursor == DEEP
        assert rows.current is not None
        assert rows.current.key == f"{DEEP - BEFORE + 1:032x}"


async def test_a_row_that_goes_to_the_next_page_while_it_is_looked_for_is_followed(
    world_db: Path,
) -> None:
    await fill(world_db, USERS)
    async with opened(world_db, "users") as (app, pilot):
        rows = await go_deep(app, pilot, 2 * PAGE - 1)
        assert rows.current is not None
        key, find = rows.current.key, rows._find
        assert find is not None
        others = [come(world_db)]

        async def overtaken(wanted: Hashable) -> int | None:
            found = await find(wanted)
            while others:
                await others.pop()
            return found

        rows._find = overtaken
        rows.reload()
        await until(pilot, lambda: not others and rows.cursor == 2 * PAGE - 1 + NEW)
        assert rows.current.key == key


async def test_moving_while_the_rows_are_read_again_is_not_undone(world_db: Path) -> None:
    await fill(world_db, USERS)
    async with opened(world_db, "users") as (app, pilot):
        rows = await go_deep(app, pilot)
        rows.move_to(10)
        await until(pilot, lambda: rows.current is not None)
        for _ in range(20):
            rows.reload()
            await pilot.press("down")
        assert rows.cursor == 30
        rows.reload()
        await pilot.press("up")
        await until(pilot, lambda: not rows._loading)
        assert rows.cursor == 29
