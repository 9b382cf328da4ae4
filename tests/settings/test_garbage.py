"""A process that is starting collects no garbage, and one that works does."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model.errors import Conflict
from mission_control_tui.provisioning.worker import Worker
from mission_control_tui.provisioning.worker_main import run_worker
from mission_control_tui.settings.settings import load
from tests.cli.inprocess import ok
from tests.screens import world
from tests.screens.driving import console, shows

AT_THE_END = """
import atexit, gc, runpy, sys
full = []
gc.callbacks.append(lambda phase, about: about["generation"] == 2 and full.append(phase))
atexit.register(lambda: sys.stderr.write(f"{len(full)} {gc.isenabled()} {len(gc.get_objects())}"))
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def begun() -> Iterator[int]:
    """As a process has begun: nothing is collected. The number of objects that no collection looks at."""
    gc.disable()
    try:
        yield gc.get_freeze_count()
    finally:
        gc.enable()


def test_a_command_looks_at_all_objects_neither_at_its_start_nor_at_its_end() -> None:
    ok("status")
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END, "mission_control_tui", "status"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    full, enabled, looked_at = done.stderr.split()[-3:]
    assert (full, enabled) == ("0", "True")
    assert int(looked_at) < 1_000


def test_a_command_collects_while_it_works_on_the_database(begun: int) -> None:
    ok("status")
    assert gc.isenabled()
    assert gc.get_freeze_count() > begun


async def test_the_console_collects_once_it_is_filled(begun: int, tmp_path: Path) -> None:
    path = tmp_path / "console.db"
    await world.make(path)
    async with console(path) as (_, pilot):
        await shows(pilot, "This month  AUD")
        assert gc.isenabled()
        assert gc.get_freeze_count() > begun


def test_a_worker_collects_once_it_works(
    begun: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def acquire(_: Worker) -> None:
        assert gc.isenabled()
        assert gc.get_freeze_count() > begun
        raise Conflict("Another one works.")

    path = tmp_path / "worker.db"
    asyncio.run(world.make(path))
    monkeypatch.setattr(Worker, "acquire", acquire)
    with pytest.raises(Conflict):
        run_worker(load(flags={"database": str(path)}), str(path), foreground=True)
