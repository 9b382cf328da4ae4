"""Schemas: the first release's database opens in the newest with nothing lost; newer and foreign ones are refused."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, event, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import LargeBinary, NullType, TypeEngine

from mission_control_tui.model.accounts.editing import list_accounts
from mission_control_tui.model.accounts.overview import show
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.queries import list_orders
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.store import private_files, upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.model.store.migrations import HEAD, REVISIONS
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.base import Base
from tests.frozen.store import copy_rows, migrate, plain
from tests.model.first_store import DUMP, FIRST
from tests.postgres import PostgresServer

Row = tuple[Any, ...]
NEXT = "later"

LATER = '''
"""A revision of the future: makes the accounts' table anew with one more column."""

import sqlalchemy as sa
from alembic import op

revision = "%s"
down_revision = "%s"
branch_labels = None
depends_on = None


def upgrade() -> None:
    again = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("accounts", recreate=again) as accounts:
        accounts.add_column(sa.Column("mood", sa.String(20), nullable=False, server_default="calm"))
    op.create_table("moods", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO moods SELECT id FROM accounts")
%s
'''


@pytest.fixture
def first_sqlite(tmp_path: Path) -> Path:
    """A database as the first release made it."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text("utf-8"))
    path.chmod(0o600)
    return path


@pytest.fixture
def first_postgres(
    postgres_server: PostgresServer, first_sqlite: Path, tmp_path: Path
) -> Iterator[str]:
    """The same rows in a PostgreSQL database of the first release's schema."""
    name = postgres_server.create_database()
    url = postgres_server.url(name)
    with plain(url) as connection:
        migrate(connection, FIRST)
        copy_rows(first_sqlite, connection)
    private_files.make(tmp_path / "worker.key", os.urandom(32))
    yield url
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no database yet, or an empty one."""
    sqlite = request.param == "sqlite"
    return str(tmp_path / "new.db" if sqlite else request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request: pytest.FixtureRequest) -> str:
    """Where a database of the first release is, on either of the two."""
    kind = "first_sqlite" if request.param == "sqlite" else "first_postgres"
    return str(request.getfixturevalue(kind))


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This program with one revision more than it has."""
    future(tmp_path, monkeypatch)


def future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    """Add a revision to this program, with `more` at the end of its upgrade()."""
    scripts = tmp_path / "migrations"
    shutil.copytree(upgrade.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / f"{NEXT}.py").write_text(LATER % (NEXT, HEAD, more), "utf-8")
    monkeypatch.setattr(upgrade, "SCRIPTS", scripts)
    monkeypatch.setattr(upgrade, "HEAD", NEXT)
    monkeypatch.setattr(upgrade, "REVISIONS", (*REVISIONS, NEXT))


def rows_of(where: str, columns: Mapping[str, list[str]] | None = None) -> dict[str, list[Row]]:
    """Every row of every table, or of these columns, as values that compare across databases."""
    tables = MetaData()
    found: dict[str, list[Row]] = {}
    with plain(where) as connection:
        tables.reflect(connection)
        for name, table in tables.tables.items():
            if name == "alembic_version" or (columns is not None and name not in columns):
                continue
            wanted = [table.c[one] for one in (columns[name] if columns else table.c.keys())]
            rows = connection.execute(select(*wanted)).all()
            values = (tuple(map(comparable, row, [c.type for c in wanted])) for row in rows)
            found[name] = sorted(values, key=repr)
    return found


def comparable(value: Any, kind: object) -> Any:
    if isinstance(value, memoryview) or isinstance(kind, LargeBinary):
        return None if value is None else bytes(value).hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else f"{value.isoformat()}+00:00"
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return int(value) if isinstance(value, bool) else value


def columns_of(where: str) -> dict[str, list[str]]:
    tables = MetaData()
    with plain(where) as connection:
        tables.reflect(connection)
    return {
        name: list(table.c.keys())
        for name, table in tables.tables.items()
        if name != "alembic_version"
    }


def schema_of(where: str) -> dict[str, Any]:
    """What each table consists of, without regard to order, and what the database does by itself."""
    with plain(where) as connection:
        found = inspect(connection)
        tables: dict[str, Any] = {
            name: {
                "columns": by_name(found.get_columns(name), connection),
                "key": found.get_pk_constraint(name),
                "references": [  # SQLite tells no name of one that was added to a table
                    {key: value for key, value in reference.items() if key != "name"}
                    for reference in sorted(
                        found.get_foreign_keys(name), key=itemgetter("constrained_columns")
                    )
                ],
                "unique": by_name(found.get_unique_constraints(name), connection),
                "checks": by_name(found.get_check_constraints(name), connection),
                "options": found.get_table_options(name),
            }
            for name in found.get_table_names()
        }
        for question in OWN_DOING[connection.dialect.name]:
            rows = connection.execute(text(question)).all()
            tables[question] = sorted(tuple(map(in_one_line, row)) for row in rows)
    return tables


OWN_DOING = {
    "sqlite": (
        "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index')",
        "SELECT name, sql LIKE '%AUTOINCREMENT%', sql LIKE '%WITHOUT ROWID%' FROM sqlite_master",
    ),
    "postgresql": (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef('audit_append_only'::regproc)",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        """SELECT table_name, column_name, data_type, is_nullable, character_maximum_length,
        collation_name, column_default FROM information_schema.columns WHERE table_schema = 'public'
        """,
    ),
}
"""What to ask for triggers and the like, and for what SQLAlchemy does not reflect."""


def by_name(found: Sequence[Mapping[str, Any]], connection: Connection) -> dict[str, Any]:
    def told(value: Any) -> Any:
        known = isinstance(value, TypeEngine) and not isinstance(value, NullType)
        return value.compile(dialect=connection.dialect) if known else value

    return {
        str(item["name"]): {key: str(told(value)) for key, value in item.items()} for item in found
    }


def in_one_line(value: object) -> str:
    return " ".join(str(value).split())


def version_of(where: str) -> str:
    with plain(where) as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


@pytest.mark.any_database
async def test_the_first_release_opens_in_the_newest_with_nothing_lost(
    first: str, tmp_path: Path
) -> None:
    before, columns = rows_of(first), columns_of(first)
    assert all(before.values()), "the dump has a row in every table"
    if "://" in first:
        done = await upgrade.upgrade(database_url(first), tmp_path / "worker.key")
        assert (done.before, done.after, done.backup) == (FIRST, HEAD, None)
    store = await Store.open(first)
    assert rows_of(first, columns) == before
    assert version_of(first) == HEAD
    caller = Caller(operator="anna")
    assert [one.code for one in await list_accounts(store, caller)] == ["acme", "sample"]
    details = await show(AccountScope(store, caller, "acme"))
    assert [one.name for one in details.domains] == ["acme.com", "acme.example"]
    assert details.contacts[0].name == "Paula"
    assert (details.users, details.users_in_bin) == (2, 1)
    assert details.orders_awaiting_approval == 1
    people = await page(AccountScope(store, caller, "acme"))
    assert {one.upn for one in people.rows} == {"ada.lovelace@acme.example", "later@acme.example"}
    for middle in ("ovelac", "lace@acm"):
        found = (await find_anyone(store, caller, middle)).users
        assert "ada.lovelace@acme.example" in {one.upn for one in found}
    assert len(await status(AccountScope(store, caller, "acme"))) == 4
    assert await list_requests(AccountScope(store, caller, "acme"))
    assert len(await list_orders(AccountScope(store, caller, "acme"))) == 3
    entries = await audit_log.entries(
        AccountScope(store, caller, "acme"), user="countess@acme.example"
    )
    assert entries[-1].after["notes"] == "Zoë\nline two"
    await buy(AccountScope(store, caller, "acme"), "email", level="popx")
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.write(caller) as tx:
            await tx.session.execute(text("DELETE FROM audit"))
    await store.close()


def of_the_models(name: str | None, kind: str, _parents: object) -> bool:
    """Tell whether it is no table of SQLite's index of what stands in the middle."""
    return not (kind == "table" and str(name).startswith("search_inside"))


async def test_migrations_make_what_the_models_say(
    first: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fresh = str(request.getfixturevalue("postgres_url") if "://" in first else tmp_path / "new.db")
    for where in (fresh, first):
        await upgrade.upgrade(database_url(where), tmp_path / "worker.key")
    made, upgraded = schema_of(fresh), schema_of(first)
    assert made.keys() == upgraded.keys()
    for name, table in made.items():
        assert upgraded[name] == table, name
    for where in (fresh, first):
        with plain(where) as connection:
            options = {"compare_type": True, "include_name": of_the_models}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []


async def test_nobody_comes_to_the_first_schema_by_an_upgrade(postgres_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.SCRIPTS))
    with plain(postgres_url) as connection:
        config.attributes["connection"] = connection
        with pytest.raises(StoreError, match="not by going through the schema's history"):
            command.upgrade(config, "head")


@pytest.mark.proof
async def test_a_new_database_is_made_by_one_of_two_or_not_at_all(
    empty: str, tmp_path: Path
) -> None:
    url, key = database_url(empty), tmp_path / "worker.key"

    def broken(_table: Table, connection: Connection, **_how: Any) -> None:
        connection.exec_driver_sql("SELECT * FROM nowhere")

    event.listen(AuditRow.__table__, "after_create", broken)
    try:
        with pytest.raises(StoreError, match="nowhere"):
            await upgrade.upgrade(url, key)
    finally:
        event.remove(AuditRow.__table__, "after_create", broken)
    assert columns_of(empty) == {}
    done = await asyncio.gather(upgrade.upgrade(url, key), upgrade.upgrade(url, key))
    assert sorted(result.before for result in done) == ["", HEAD]
    assert len(rows_of(empty)["installation"]) == 1


def test_the_list_of_revisions_is_that_of_the_scripts() -> None:
    from alembic.script import ScriptDirectory

    walked = [one.revision for one in ScriptDirectory(str(upgrade.SCRIPTS)).walk_revisions()]
    assert tuple(reversed(walked)) == REVISIONS


@pytest.mark.usefixtures("later")
async def test_an_older_file_is_upgraded_when_it_is_opened_after_a_backup(
    first_sqlite: Path,
) -> None:
    where = str(first_sqlite)
    before, columns = rows_of(where), columns_of(where)
    first, second = await asyncio.gather(Store.open(where), Store.open(where))
    await first.close()
    await second.close()
    after = rows_of(where)
    assert rows_of(where, columns) == before
    assert {row[-1] for row in after["accounts"]} == {"calm"}
    assert len(after["moods"]) == 2
    assert version_of(where) == NEXT
    (backup,) = first_sqlite.parent.glob("store.db.backup-*")
    assert backup.name.startswith(f"store.db.backup-{FIRST}-")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert version_of(str(backup)) == FIRST
    assert rows_of(str(backup)) == before
    with closing(sqlite3.connect(where)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("UPDATE audit SET ticket = ''")


@pytest.mark.usefixtures("later")
async def test_postgresql_is_upgraded_only_on_request(first_postgres: str, tmp_path: Path) -> None:
    before, columns = rows_of(first_postgres), columns_of(first_postgres)
    with pytest.raises(StoreError, match=f"has schema {FIRST}") as refused:
        await Store.open(first_postgres)
    assert "mission-control upgrade" in refused.value.hint
    assert version_of(first_postgres) == FIRST
    url, key = database_url(first_postgres), tmp_path / "worker.key"
    done = await asyncio.gather(upgrade.upgrade(url, key), upgrade.upgrade(url, key))
    assert sorted(one.before for one in done) == [FIRST, NEXT]
    assert rows_of(first_postgres, columns) == before
    await (await Store.open(first_postgres)).close()


@pytest.mark.proof
async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    future(tmp_path, monkeypatch, '    op.execute("SELECT * FROM nowhere")')
    before = rows_of(first)
    with pytest.raises(StoreError, match="nowhere"):
        await upgrade.upgrade(database_url(first), tmp_path / "worker.key")
    assert version_of(first) == FIRST
    assert rows_of(first) == before


async def test_a_newer_schema_is_refused(where: str, tmp_path: Path) -> None:
    with plain(where) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer than this program") as opened:
        await Store.open(where)
    assert "Upgrade Mission Control" in opened.value.hint
    with pytest.raises(StoreError, match="newer than this program"):
        await upgrade.upgrade(database_url(where), tmp_path / "worker.key")
    assert list(tmp_path.glob("*backup*")) == []


FOREIGN = (
    "CREATE TABLE users (id INTEGER)",
    "CREATE TABLE moz_places (id INTEGER)",
    "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('abc')",
)


@pytest.mark.parametrize("script", FOREIGN)
async def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path, script: str) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not Mission Control's"):
        await Store.open(path)
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 100, "utf-8")
    with pytest.raises(StoreError, match="not a database"):
        await Store.open(path)
    assert path.read_text("utf-8").startswith("Dear diary")


async def test_a_file_that_a_killed_start_left_empty_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(0o600)
    store = await Store.open(path)
    assert len(store.installation) == 32
    await store.close()


async def test_postgresql_may_be_shared_while_no_name_is_taken(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    url = database_url(postgres_server.url(postgres_database))
    postgres_server.execute("CREATE TABLE theirs (id integer)", database=postgres_database)
    with pytest.raises(StoreError, match="is empty") as refused:
        await Store.open(url.render_as_string(hide_password=False))
    assert "mission-control upgrade" in refused.value.hint
    with pytest.raises(StoreError, match="private key"):
        await upgrade.upgrade(url)
    done = await upgrade.upgrade(url, tmp_path / "worker.key")
    assert (done.before, done.after) == ("", HEAD)
    assert (await upgrade.upgrade(url, tmp_path / "worker.key")).before == HEAD
    await (await Store.open(url.render_as_string(hide_password=False))).close()
    assert postgres_server.execute("SELECT * FROM theirs", database=postgres_database) == []


async def test_postgresql_with_a_table_of_our_name_is_refused(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    url = database_url(postgres_server.url(postgres_database))
    postgres_server.execute("CREATE TABLE users (id integer)", database=postgres_database)
    with pytest.raises(StoreError, match="not Mission Control's"):
        await upgrade.upgrade(url, tmp_path / "worker.key")
    password = str(url.password)
    with pytest.raises(StoreError) as refused:
        await Store.open(url.render_as_string(hide_password=False))
    assert password not in str(refused.value)


async def test_an_upgrade_of_the_newest_changes_nothing(sqlite_where: str) -> None:
    before = rows_of(sqlite_where)
    done = await upgrade.upgrade(database_url(sqlite_where))
    assert (done.before, done.after, done.backup) == (HEAD, HEAD, None)
    assert rows_of(sqlite_where) == before
