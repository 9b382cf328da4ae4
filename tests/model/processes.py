"""Real processes that start together, for races."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def race(calls: Sequence[Sequence[str]], seconds: float = 60) -> list[list[str]]:
    """Start Python with each list of arguments, let all go at the same moment, and return the lines of each after that.

    A process says "ready", waits for a line on its standard input, and ends.
    """
    runners = [
        subprocess.Popen(
            [sys.executable, *given],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for given in calls
    ]
    try:
        for runner in runners:
            assert runner.stdout is not None
            line = runner.stdout.readline()
            assert line == "ready\n", runner.communicate()[1]
        for runner in runners:
            assert runner.stdin is not None
            runner.stdin.write("go\n")
            runner.stdin.flush()
        said: list[list[str]] = []
        for runner in runners:
            output, errors = runner.communicate(timeout=seconds)
            assert runner.returncode == 0, errors
            said.append(output.splitlines())
        return said
    finally:
        for runner in runners:
            with runner:
                runner.kill()
