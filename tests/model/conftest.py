"""A fresh store for each test, on SQLite and on a real PostgreSQL: copies of a database that was migrated once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, finish, named, own_seats
from tests.postgres import PostgresServer

DOMAIN = "acme.example"


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a migrated and empty database on the shared server."""
    name = postgres_server.create_database()
    key_file = tmp_path_factory.mktemp("keys") / "worker.key"
    asyncio.run(upgrade.upgrade(make_url(postgres_server.url(name)), key_file))
    return name


@pytest.fixture
def sqlite_where(sqlite_template: Path, tmp_path: Path) -> str:
    """The path of an empty SQLite store of the test's own."""
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    shutil.copy(f"{sqlite_template}.key", f"{path}.key")
    return str(path)


@pytest.fixture
def postgres_where(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of an empty store of the test's own on the shared PostgreSQL."""
    name = postgres_server.create_database(template=postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> str:
    """Where an empty store of the test's own is; each test runs on both databases."""
    kind = "sqlite_where" if request.param == "sqlite" else "postgres_where"
    return str(request.getfixturevalue(kind))


@pytest.fixture
async def store(where: str) -> AsyncIterator[Store]:
    """An empty store of the test's own; each test runs on both databases."""
    opened = await Store.open(where)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_where: str) -> AsyncIterator[Store]:
    """An empty store in a SQLite file of the test's own."""
    opened = await Store.open(sqlite_where)
    yield opened
    await opened.close()


@pytest.fixture
def caller() -> Caller:
    """An operator with all rights."""
    return Caller(operator="anna", source="cli", ticket="T-1")


@pytest.fixture
async def account(store: Store, caller: Caller, catalogue: Catalogue) -> Account:
    """The account `acme` with the domain acme.example, under the shipped catalogue; nothing is bought."""
    return await make_account(store, caller, catalogue, "acme", DOMAIN)


@pytest.fixture
def scope(store: Store, caller: Caller, account: Account) -> AccountScope:
    """The account `acme`, for the operator with all rights."""
    return AccountScope(store, caller, account.id)


async def make_account(
    store: Store, caller: Caller, catalogue: Catalogue, code: str, *domains: str
) -> Account:
    """An account with these domains, brought along and not bought here."""
    async with store.write(caller) as tx:
        await in_force.put(tx, catalogue, SHIPPED_NAME)
        row = AccountRow(
            code=code,
            name=f"{code.title()} Pty Ltd",
            is_sample=False,
            time_zone="Australia/Sydney",
            password_policy={},
            created_at=tx.now,
        )
        tx.session.add(row)
        await tx.session.flush()
        for domain in domains:
            await tx.session.execute(
                insert(DomainRow).values(
                    account_id=row.id,
                    name=domain,
                    bought=False,
                    term_months=0,
                    details={},
                    added_at=tx.now,
                )
            )
        return Account(row.id, code, row.name, False, row.time_zone, domains)


@pytest.fixture
async def seats(store: Store, caller: Caller, account: Account) -> None:
    await own_seats(store, caller, account, "managed-exchange", "pc-web")


@pytest.fixture
async def ann(
    store: Store, caller: Caller, account: Account, scope: AccountScope, seats: None
) -> UserView:
    """Ann, whose mailbox is green."""
    made = await create(store, caller, account, named("ann", display_name="Ann Lee"))
    await provision(scope, made.id, [ActionParams("managed-exchange", "pc-web")])
    await finish(store, caller, account)
    return made
