"""Fixtures for tests of the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command, command


@pytest.fixture
def mc(hermetic_home: Path) -> Iterator[Command]:
    """`mission-control` in a home of its own."""
    with command(hermetic_home) as one:
        yield one
