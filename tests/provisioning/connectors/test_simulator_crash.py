"""Workers killed and frozen at any moment: nothing is lost and no effect happens twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.simulator.connector import ledger, login
from mission_control_tui.provisioning.converge import LookOutcome
from tests.provisioning.connectors.support import PASSWORD, SimulatorBackEnd, reach, wish

ROOT = Path(__file__).parents[3]
STEPS = ("role", "database")
SLOW = "[[step]]\nname = 'role'\n[[step]]\nname = 'database'\n[[rule]]\ndelay = {delay}\n"

pytestmark = pytest.mark.kill


@contextmanager
def worker(
    simulator: SimulatorBackEnd, delay: float, names: list[str], attempt: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """A worker process on the simulator's file whose steps take `delay` seconds."""
    rules = simulator.directory / "rules.toml"
    rules.write_text(SLOW.format(delay=delay))
    arguments = [str(simulator.file), str(rules), str(attempt), *names]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.provisioning.connectors.simulator_worker", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read the worker's lines up to `line`."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"the worker ended without saying {line!r}")


def expect_every_effect_once(simulator: SimulatorBackEnd, names: list[str]) -> None:
    """Each part of each object was made once, and each password set once."""
    counted = Counter(
        (effect.name, effect.step, effect.effect) for effect in ledger(simulator.file)
    )
    expected = {(name, step, "created"): 1 for name in names for step in STEPS}
    expected |= {(name, "role", "password set"): 1 for name in names}
    assert counted == expected


@pytest.mark.parametrize(
    "moment",
    [
        "done role",
        "running database",
        *(
            pytest.param(twin, marks=pytest.mark.proof)
            for twin in ("running role", "done database")
        ),
    ],
)
async def test_killed_between_and_inside_steps(simulator: SimulatorBackEnd, moment: str) -> None:
    with worker(simulator, 0.2, ["ann"]) as process:
        wait_for(process, moment)
        process.kill()
        process.wait()
    connector = await simulator.open()
    assert (await reach(connector, wish("ann", attempt=2))).outcome is LookOutcome.DONE
    expect_every_effect_once(simulator, ["ann"])
    assert login(simulator.file, "ann", PASSWORD)


@pytest.mark.proof
async def test_killed_again_and_again_in_the_middle_of_its_writing(
    simulator: SimulatorBackEnd,
) -> None:
    names = [f"user{number}" for number in range(25)]
    kills = 0
    for attempt in range(1, 9):
        with worker(simulator, 0, names, attempt) as process:
            wait_for(process, "running role" if attempt == 1 else "done database")
            # A few milliseconds further each time, so that some kill falls into a transaction.
            time.sleep(0.003 * attempt)
            if process.poll() is None:
                process.kill()
                kills += 1
            process.wait()
        if len(ledger(simulator.file)) == 3 * len(names):
            break
    assert kills > 0
    connector = await simulator.open()
    for name in names:
        assert (await reach(connector, wish(name, attempt=20))).outcome is LookOutcome.DONE
    expect_every_effect_once(simulator, names)


async def test_a_frozen_worker_that_was_taken_over_does_nothing_more(
    simulator: SimulatorBackEnd,
) -> None:
    with worker(simulator, 0.5, ["ann"]) as process:
        wait_for(process, "running role")
        os.kill(process.pid, signal.SIGSTOP)
        connector = await simulator.open()
        taken_over = await reach(connector, wish("ann", attempt=2))
        assert taken_over.outcome is LookOutcome.DONE
        before = ledger(simulator.file)
        os.kill(process.pid, signal.SIGCONT)
        wait_for(process, "ended blocked stale")
        assert process.wait(timeout=30) == 0
    assert ledger(simulator.file) == before
    expect_every_effect_once(simulator, ["ann"])
