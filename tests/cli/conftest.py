"""Fixtures for tests of the command."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mission_control_tui.cli.common import waiting
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.installation import sample
from mission_control_tui.model.store.database import Store
from tests.cli.command import Command, Inside, command
from tests.cli.test_every_change import WAKE_ALL_THE_SAME, flags


@pytest.fixture(autouse=True)
def _waits_for_what_it_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever wakes the worker takes `--wait`, or says why not."""
    wake = waiting.wake

    async def woken(session: Session, store: Store) -> None:
        context = click.get_current_context()
        words = context.command_path.partition(" ")[2]
        assert "--wait" in flags(context.command) or words in WAKE_ALL_THE_SAME, words
        await wake(session, store)

    monkeypatch.setattr(waiting, "wake", woken)
    # Whichever command comes first makes the sample account, and is not about what that queues.
    monkeypatch.setattr(sample, "wake", wake)


@pytest.fixture
def mc(hermetic_home: Path) -> Iterator[Command]:
    """`mission-control` in a home of its own."""
    with command(hermetic_home) as one:
        yield one


@pytest.fixture(scope="session")
def _furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("furnished") / "data"


@pytest.fixture
def inside(hermetic_home: Path) -> Iterator[Command]:
    """The same, called in this process where that makes no difference."""
    with command(hermetic_home, Inside) as one:
        yield one


@pytest.fixture
def acme(inside: Command, _furnished: Path) -> Command:
    """`inside` with an account: five seats of Small databases and of Standard Mail, two of PC & Web Access."""
    if not _furnished.exists():
        inside.init(("databases", "small", 5), ("email", "popx", 5), ("email", "pc-web", 2))
        shutil.copytree(inside.database.parent, _furnished)
    else:
        shutil.copytree(_furnished, inside.database.parent, dirs_exist_ok=True)
    return inside
