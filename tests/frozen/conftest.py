"""The frozen store on either database, with the command line pointed at it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.engine import database_url
from tests.frozen.store import KEY, bring_back, bring_over
from tests.postgres import PostgresServer

SETTINGS = """
account = "acme"
database = "{where}"

[worker]
key_file = "{key}"
retry_first_seconds = 0.05
retry_cap_seconds = 0.05

[connectors.simulator]
path = "{simulator}"
rules = "{rules}"
delay_factor = 0
"""


@pytest.fixture(scope="session")
def frozen_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frozen") / "store.db"
    bring_back(path)
    return path


@pytest.fixture(scope="session")
def frozen_postgres_template(postgres_server: PostgresServer, frozen_template: Path) -> str:
    """The name of the database that tests get copies of."""
    name = postgres_server.create_database()
    bring_over(frozen_template, postgres_server.url(name))
    return name


@pytest.fixture
def frozen_sqlite(frozen_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "store.db"
    shutil.copy(frozen_template, path)
    shutil.copy(KEY, f"{path}.key")
    return str(path)


@pytest.fixture
def frozen_postgresql(
    postgres_server: PostgresServer, frozen_postgres_template: str
) -> Iterator[str]:
    name = postgres_server.create_database(template=frozen_postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def as_it_was() -> None:
    """Keeps PostgreSQL from being upgraded before the test, which SQLite is when it is opened."""


@pytest.fixture(params=["sqlite", "postgresql"])
def frozen(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    hermetic_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Where a copy of the frozen store is; the settings name it, and no command starts a worker."""
    where = str(request.getfixturevalue(f"frozen_{request.param}"))
    settings = hermetic_home / ".config/mission-control/settings.toml"
    settings.parent.mkdir(parents=True)
    rules = tmp_path / "rules.toml"
    rules.write_text("seed = 1\n", "utf-8")  # nothing fails: what was red turns green
    simulator = tmp_path / "simulator.db"
    settings.write_text(
        SETTINGS.format(where=where, key=KEY, simulator=simulator, rules=rules), "utf-8"
    )
    settings.chmod(0o600)
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.setenv("LOGNAME", "anna")
    monkeypatch.chdir(tmp_path)
    if request.param == "postgresql" and "as_it_was" not in request.fixturenames:
        asyncio.run(upgrade.upgrade(database_url(where), KEY))
    return where
