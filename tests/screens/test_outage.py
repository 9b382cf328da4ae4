"""A database that does not answer is said, and the console goes on once it does again."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from mission_control_tui.model.store.engine import as_store_error, create_engine, database_url
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.rows import Row
from tests.screens import world
from tests.screens.driving import shows, text_of, type_text, until
from tests.screens.users.driving import opened


async def change(path: Path, statement: str) -> None:
    """Beside the console, which may be in the middle of a transaction."""

    def work() -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.commit()

    await asyncio.to_thread(work)


async def test_the_console_outlives_an_outage_of_its_database(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        await shows(pilot, "Ada")
        await change(world_db, "ALTER TABLE accounts RENAME TO accounts_away")
        await pilot.press("escape", "g")
        await pilot.press("escape")
        await shows(pilot, "The database does not answer")
        await change(world_db, "ALTER TABLE accounts_away RENAME TO accounts")
        await pilot.press("slash")
        await until(pilot, lambda: "The database does not answer" not in text_of(app))
        assert app.is_running
        assert not app.return_code


@pytest.mark.parametrize(
    "screen",
    [
        "users",
        *(
            pytest.param(name, marks=pytest.mark.proof)
            for name in ("lights", "history", "requests", "find")
        ),
    ],
)
async def test_rows_come_once_the_database_answers_again(world_db: Path, screen: str) -> None:
    async with opened(world_db, screen) as (app, pilot):
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: rows.known)
        if screen == "find":
            await type_text(pilot, "ada")
            await until(pilot, lambda: rows.count > 0)
        before = rows.count
        await change(world_db, "ALTER TABLE accounts RENAME TO accounts_away")
        rows.reload()
        await shows(pilot, "The database does not answer")
        await change(world_db, "ALTER TABLE accounts_away RENAME TO accounts")
        rows.reload(keep=False)
        assert rows.is_due
        await until(pilot, lambda: not rows.is_due)
        assert rows.count == before
        assert app.is_running


async def test_rows_that_could_not_be_read_are_read_without_a_key(world_db: Path) -> None:
    async with opened(world_db, "users") as (app, pilot):
        rows = app.screen.query_one(LineList)
        await until(pilot, lambda: rows.known)
        asked = []

        async def fails_once(offset: int, limit: int) -> RowPage:
            asked.append(offset)
            if len(asked) == 1:
                raise ConnectionResetError
            return RowPage([Row("back", ("Back", "", ""))], 1)

        app.screen._fetch = fails_once  # type: ignore[attr-defined]
        rows.show(fails_once)
        await shows(pilot, "The database does not answer")
        assert not rows.is_due, "a key typed now would wait for rows that may not come"
        await until(pilot, lambda: rows.current is not None and rows.current.key == "back")
        assert len(asked) == 2


async def test_what_is_an_outage_and_what_a_flaw() -> None:
    engine = create_engine(database_url("postgresql://mc:Kp7m-xR4w@127.0.0.1:1/mc"))
    with pytest.raises((OSError, DBAPIError)) as refused:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    assert isinstance(refused.value, Exception)
    away = as_store_error(refused.value)
    assert away is not None
    assert "Kp7m" not in str(away)
    assert as_store_error(KeyError("x")) is None
    assert as_store_error(IntegrityError("INSERT", {}, Exception("taken"))) is None


async def test_a_console_is_left_while_the_database_is_away(world_db: Path) -> None:
    app = world.make_app(world_db, session=uuid.uuid4().hex)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.is_open)
        await shows(pilot, "This month")
        await change(world_db, "ALTER TABLE sessions RENAME TO sessions_away")
        await pilot.press("q")
    assert app.return_code == 0
