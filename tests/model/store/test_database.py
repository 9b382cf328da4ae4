"""The door to the database: private files, one writer at a time, snapshots for readers, errors without secrets."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied, StoreError
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.requests.queries import list_requests
from mission_control_tui.model.store import sealing
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import SeatPoolRow
from mission_control_tui.model.views import Account
from tests.model.helpers import create, named
from tests.model.processes import race
from tests.postgres import PostgresServer
from tests.support import free_port


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def accounts(store: Store) -> int:
    async with store.read() as session:
        return int(await session.scalar(select(func.count()).select_from(AccountRow)) or 0)


@pytest.mark.usefixtures("open_umask")
async def test_everything_that_is_made_is_the_owners_alone(tmp_path: Path, caller: Caller) -> None:
    path = tmp_path / "share" / "mission-control" / "mission-control.db"
    store = await Store.open(path)
    await create_account(store, caller, name="Acme", code="acme")
    assert mode(path.parent) == 0o700
    made = sorted(path.parent.iterdir())
    assert {one.name for one in made} >= {path.name, f"{path.name}.key", f"{path.name}-wal"}
    assert {one.name: mode(one) for one in made if mode(one) != 0o600} == {}
    await store.close()


async def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    await (await Store.open(tmp_path / "here.db")).close()
    assert mode(tmp_path) == 0o750


async def test_sqlite_is_set_up_for_several_processes(sqlite_store: Store) -> None:
    async with sqlite_store.read() as session:
        found = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


async def test_foreign_keys_hold(store: Store, caller: Caller) -> None:
    with pytest.raises(IntegrityError):
        async with store.write(caller) as tx:
            tx.session.add(
                SeatPoolRow(account_id=99, service_id="a", level_id="b", owned=1, held=0)
            )


async def test_no_more_can_be_held_than_is_owned_whatever_the_program_does(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=2)
    for held in (3, -1):
        with pytest.raises(IntegrityError):
            async with store.write(caller) as tx:
                await tx.session.execute(update(SeatPoolRow).values(held=held))


async def test_a_write_holds_the_lock_from_its_beginning(
    sqlite_store: Store, caller: Caller
) -> None:
    path = sqlite_store.url.database or ""
    async with sqlite_store.write(caller) as tx:
        assert await tx.session.scalar(select(func.count()).select_from(AccountRow)) == 0
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
        assert await accounts(sqlite_store) == 0


async def test_two_writers_take_turns(store: Store, caller: Caller, account: Account) -> None:
    async def add() -> None:
        async with store.write(caller, account.id) as tx:
            row = await tx.session.scalar(
                select(AccountRow).where(AccountRow.id == account.id).with_for_update()
            )
            assert row is not None
            version = row.version
            await asyncio.sleep(0.01)
            row.version = version + 1

    await asyncio.gather(*(add() for _ in range(8)))
    async with store.read() as session:
        assert await session.scalar(select(AccountRow.version)) == 9


async def test_a_reader_sees_one_moment(store: Store, caller: Caller, account: Account) -> None:
    async with store.read() as session:
        count = select(func.count()).select_from(AccountRow)
        assert await session.scalar(count) == 1
        await create_account(store, caller, name="Other", code="other")
        assert await session.scalar(count) == 1
    assert await accounts(store) == 2


async def test_a_failed_and_a_tried_write_leave_nothing(store: Store, caller: Caller) -> None:
    row = {"code": "x1", "name": "X", "is_sample": False, "time_zone": "UTC"}

    async def fail_half_way() -> None:
        async with store.write(caller) as tx:
            tx.session.add(AccountRow(**row, password_policy={}, created_at=tx.now))
            await tx.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    async with store.write(caller, dry_run=True) as tx:
        tx.session.add(AccountRow(**row, password_policy={}, created_at=tx.now))
    assert await accounts(store) == 0


async def test_who_may_only_look_cannot_write(store: Store) -> None:
    with pytest.raises(Denied, match="read-only"):
        async with store.write(Caller(operator="rita", may_write=False)):
            raise AssertionError("unreachable")


async def test_its_clock_is_the_databases_and_goes_on(store: Store) -> None:
    first = await store.now()
    second = await store.now()
    assert second >= first > 1_700_000_000


@pytest.mark.any_database
async def test_three_processes_and_one_seat(
    store: Store, where: str, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx")
    people = ["u1", "u2", "u3"]
    for local in people:
        await create(store, caller, account, named(local))
    calls = [["-m", "tests.model.claimant", where, local] for local in people]
    said = [lines[-1] for lines in await asyncio.to_thread(race, calls)]
    assert sorted(said) == ["got", "none", "none"]
    (seats,) = await list_seats(scope)
    assert (seats.owned, seats.queued, seats.free) == (1, 1, 0)
    (request,) = await list_requests(scope)
    assert request.operator == people[said.index("got")]


@pytest.mark.proof
def test_three_processes_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mission-control.db"
    said = [lines[-1] for lines in race([["-m", "tests.model.opener", str(path)]] * 3)]
    assert len(set(said)) == 1
    assert len(said[0]) == 32
    assert sealing.public_key(Path(f"{path}.key"))
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT uuid, public_key FROM installation").fetchall()
    assert rows == [(said[0], sealing.public_key(Path(f"{path}.key")))]


async def test_a_database_that_is_not_there_is_made_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "typo" / "mission-control.db"
    with pytest.raises(StoreError, match="no database at"):
        await Store.open(path, create=False)
    assert not path.parent.exists()


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        await Store.open(tmp_path / "file" / "mission-control.db")


@pytest.mark.parametrize("where", ["mysql://mc@127.0.0.1/db", "oracle://x/y"])
def test_other_kinds_of_databases_are_refused(where: str) -> None:
    with pytest.raises(StoreError, match="not a database that Mission Control can use"):
        database_url(where)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hush@127.0.0.1:99999/x",
        "postgresql://me:hush@127.0.0.1:0/x",
        "postgresql://me:hush@127.0.0.1:-1/x",
        "postgresql://me:hush@127.0.0.1:http/x",
        "://me:hush@127.0.0.1",
    ],
)
async def test_a_url_that_leads_nowhere_is_said_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        await Store.open(url)
    assert "port from 1 to 65535" in str(refused.value)
    assert "hush" not in str(refused.value)


async def test_no_error_shows_a_password(postgres_server: PostgresServer) -> None:
    bad = postgres_server.url("postgres", password="hunter2-secret")
    with pytest.raises(StoreError, match="password authentication failed") as refused:
        await Store.open(bad)
    nobody = database_url(f"postgresql://u:hunter2-secret@127.0.0.1:{free_port()}/db")
    with pytest.raises(StoreError, match="cannot be opened") as closed:
        await Store.open(nobody.render_as_string(hide_password=False))
    for error in (refused.value, closed.value):
        assert "hunter2" not in str(error)
        assert error.exit_code == 8


async def test_the_shown_address_has_no_password(store: Store) -> None:
    password = store.url.password
    assert password is None or str(password) not in store.shown_url
