"""Fixtures for tests of the command."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command, command


@pytest.fixture
def mc(hermetic_home: Path) -> Iterator[Command]:
    """`mission-control` in a home of its own."""
    with command(hermetic_home) as one:
        yield one


@pytest.fixture(scope="session")
def _furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("furnished") / "data"


@pytest.fixture
def acme(mc: Command, _furnished: Path) -> Command:
    """The command with an account: five seats of Small databases and of Standard Mail, two of PC & Web Access."""
    if not _furnished.exists():
        mc.init(("databases", "small", 5), ("email", "popx", 5), ("email", "pc-web", 2))
        shutil.copytree(mc.database.parent, _furnished)
    else:
        shutil.copytree(_furnished, mc.database.parent, dirs_exist_ok=True)
    return mc
