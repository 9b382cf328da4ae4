"""A furnished world for each test, on SQLite or on a real PostgreSQL: copies of one that was migrated once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from tests.postgres import PostgresServer
from tests.provisioning.mails import Mails
from tests.provisioning.support import World, furnish


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The name of a migrated and empty database on the shared server, and its key file."""
    name = postgres_server.create_database()
    key_file = tmp_path_factory.mktemp("keys") / "worker.key"
    asyncio.run(upgrade.upgrade(make_url(postgres_server.url(name)), key_file))
    return name, key_file


@pytest.fixture
async def sqlite_world(
    sqlite_template: Path, tmp_path: Path, catalogue: Catalogue
) -> AsyncIterator[World]:
    """A world in a SQLite file of the test's own."""
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    shutil.copy(f"{sqlite_template}.key", f"{path}.key")
    store = await Store.open(path)
    world = await furnish(store, str(path), tmp_path, catalogue)
    yield world
    await world.store.close()


@pytest.fixture
async def postgres_world(
    postgres_server: PostgresServer,
    postgres_template: tuple[str, Path],
    tmp_path: Path,
    catalogue: Catalogue,
) -> AsyncIterator[World]:
    """A world in a database of the test's own on the shared PostgreSQL."""
    template, key_file = postgres_template
    name = postgres_server.create_database(template=template)
    shutil.copy(key_file, tmp_path / "worker.key")
    url = postgres_server.url(name)
    store = await Store.open(url)
    yield await furnish(store, url, tmp_path, catalogue)
    await store.close()
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """A world of the test's own; each test runs on both databases."""
    kind = "sqlite_world" if request.param == "sqlite" else "postgres_world"
    made: World = request.getfixturevalue(kind)
    return made


@pytest.fixture
def mails(world: World) -> Mails:
    return Mails(world)
