"""Databases for the screens, copied from one that was made once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.screens import quick, world


@pytest.fixture(scope="session", autouse=True)
def _quick_consoles() -> Iterator[None]:
    """Open consoles in less time."""
    with pytest.MonkeyPatch.context() as patched:
        quick.share(patched)
        yield


def _copy(template: Path, directory: Path) -> Path:
    path = directory / "console.db"
    shutil.copy(template, path)
    shutil.copy(f"{template}.key", f"{path}.key")
    return path


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with services, users and lights of every colour."""
    path = tmp_path_factory.mktemp("world") / "world.db"
    asyncio.run(world.make(path))
    return path


@pytest.fixture(scope="session")
def new_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account that has nothing but its name and domain."""
    path = tmp_path_factory.mktemp("new") / "new.db"
    asyncio.run(world.make(path, empty=True))
    return path


@pytest.fixture
def world_db(world_template: Path, tmp_path: Path) -> Path:
    """A copy of the world for this test alone."""
    return _copy(world_template, tmp_path)


@pytest.fixture
def new_db(new_template: Path, tmp_path: Path) -> Path:
    """A copy of the new account for this test alone."""
    return _copy(new_template, tmp_path)
