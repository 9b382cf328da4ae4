"""Fixtures for every test: an environment of its own, and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import forked, once
from tests.postgres import PostgresServer
from tests.support import hermetic, require, share

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Catalogue

__all__ = ["require"]

COLLECTED_AFTER = 10_000
"""So many more objects than before are looked through for garbage; Python's own 700 cost a twentieth of all time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        help="run what is marked proof too, which repeats for proof what other tests ask once",
    )


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(COLLECTED_AFTER)
    if config.getoption("--all"):
        os.environ["MC_ALL"] = "1"
    else:
        # Pictures that are proofs were not looked at, which is no reason to take them for forgotten.
        config.option.warn_unused_snapshots = True
    settings.register_profile(
        "mission_control",
        max_examples=share(100),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("mission_control")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Programs started by tests inherit what is ignored, but not what is handled by doing nothing.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)


def pytest_collection_finish() -> None:
    # What is imported by now stays, and looking through it takes a fifth of a second each time.
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    forked.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the proofs out, unless all is asked for, or a test's file or a marker is named."""
    for item in items:
        if item.get_closest_marker("any_database") and "postgresql" in item.name:
            item.add_marker("proof")
    named = any(".py" in argument for argument in config.args)
    if named or config.getoption("--all") or config.getoption("-m"):
        return
    config.hook.pytest_deselected(
        items=[item for item in items if item.get_closest_marker("proof")]
    )
    items[:] = [item for item in items if not item.get_closest_marker("proof")]


@contextlib.contextmanager
def _own_environment(home: Path) -> Iterator[Path]:
    before = dict(os.environ)
    hermetic(os.environ, home)
    time.tzset()
    try:
        yield home
    finally:
        os.environ.clear()
        os.environ.update(before)
        time.tzset()


@pytest.fixture(scope="session", autouse=True)
def _hermetic_session() -> Iterator[None]:
    """Clear this machine's settings before a module's or session's fixture starts a program."""
    with tempfile.TemporaryDirectory(prefix="mc-home-") as home, _own_environment(Path(home)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _done_once() -> Iterator[None]:
    """Compile each statement, and parse each catalogue, once."""
    with pytest.MonkeyPatch.context() as patched:
        once.share(patched)
        yield


@pytest.fixture(autouse=True)
def hermetic_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home directory for this test alone (HOME and the XDG directories below it)."""
    with _own_environment(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The worker's shared PostgreSQL, fast and forgetful; a test that stops a server starts its own."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of an empty database on the shared server, dropped afterwards."""
    name = postgres_server.create_database()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_database: str) -> str:
    """SQLAlchemy's address (postgresql+asyncpg://...) of an empty database of the test's own."""
    return postgres_server.url(postgres_database)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The catalogue that the program ships."""
    from mission_control_tui.model.catalogue.file.parse import parse
    from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME, shipped

    return parse(shipped(), SHIPPED_NAME)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and empty SQLite file, with its key beside it."""
    from mission_control_tui.model.store import upgrade
    from mission_control_tui.model.store.engine import database_url

    path = tmp_path_factory.mktemp("template") / "store.db"
    asyncio.run(upgrade.upgrade(database_url(path)))
    return path
