"""Bytes and CPU of the console beside stock Textual, in one run: `python -m benchmarks.terminal [runs]`.

Bytes are exact; times mean something only as ratios of what ran side by side. Every verdict is one line. The request
for the terminal's status that ends each frame is counted: 4 bytes.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.screens import world
from tests.screens.users.test_many_users import fill
from tests.terminal.pty import Terminal

CONSOLE = (sys.executable, "-m", "mission_control_tui")
DEMO = (sys.executable, "-m", "tests.screens.console_call")
NO_WORKER = {"MISSION_CONTROL_NO_WORKER": "1"}
STOCK = (sys.executable, "-m", "benchmarks.stock")
RUNS = 5
READY = "This month  AUD"
"""What Home shows once its numbers are there."""

MOVE_BYTES = 4
"""A busy machine paints two moves as one: the medians then differ by as much as a position does."""

COUNTS = 100, 100_000
TO_USERS = "tab", "down", "enter"
"""From Home to the first row of Users."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One action: bytes written and milliseconds of CPU."""

    size: int
    cpu_ms: float


def first_paint(argv: Sequence[str], ready: str, *, settled: str = "") -> tuple[float, int]:
    """Milliseconds from start to `ready` on the screen; bytes until it is quiet and shows `settled`."""
    start = monotonic()
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(ready)
        seconds = monotonic() - start
        terminal.wait_for(settled)
        terminal.settle()
        return seconds * 1000, len(terminal.output)


def costs(
    argv: Sequence[str], ready: str, keys: Sequence[str], before: Sequence[str] = ()
) -> list[Cost]:
    """The cost of each of `keys`, pressed one after the other once the screen is there and quiet."""
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(ready)
        terminal.settle()
        for key in before:
            terminal.press_measured(key)
        found = []
        for key in keys:
            cpu = terminal.cpu_seconds()
            size = terminal.press_measured(key)
            found.append(Cost(size, (terminal.cpu_seconds() - cpu) * 1000))
        return found


def median(values: Sequence[Cost]) -> Cost:
    return Cost(
        round(statistics.median(cost.size for cost in values)),
        statistics.median(cost.cpu_ms for cost in values),
    )


def idle(argv: Sequence[str], ready: str, seconds: float = 10.0) -> tuple[int, float]:
    """Bytes written and per cent of CPU while nothing happens."""
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(ready)
        terminal.settle(1.0)
        size, cpu = len(terminal.output), terminal.cpu_seconds()
        sleep(seconds)
        while terminal.read(0):
            pass
        return len(terminal.output) - size, (terminal.cpu_seconds() - cpu) / seconds * 100


def alternate(runs: int, *measures: Callable[[], tuple[float, int]]) -> list[tuple[float, int]]:
    """Medians of measures that are taken in turn, so that a busy moment touches all."""
    results: list[list[tuple[float, int]]] = [[] for _ in measures]
    for _ in range(runs):
        for place, measure in zip(results, measures, strict=True):
            place.append(measure())
    return [
        (
            statistics.median(row[0] for row in rows),
            round(statistics.median(row[1] for row in rows)),
        )
        for rows in results
    ]


def verdict(what: str, measured: str, good: bool) -> bool:
    sys.stdout.write(f"{'ok  ' if good else 'MISS'}  {what:<46} {measured}\n")
    sys.stdout.flush()
    return good


def main(runs: int = RUNS) -> int:
    """All verdicts; 1 when one is missed."""
    with TemporaryDirectory(prefix="mc-benchmark-") as name:
        directory = Path(name)
        asyncio.run(world.make(directory / "console.db"))
        for count in COUNTS:
            asyncio.run(populate(directory / f"{count}.db", count))
        return measure(runs, directory)


async def populate(path: Path, count: int) -> None:
    """An account with `count` users."""
    await world.make(path, empty=True)
    await fill(path, count)


def console_on(path: Path) -> list[str]:
    return [*CONSOLE, "--database", str(path)]


def measure(runs: int, directory: Path) -> int:
    """As `main`; the real console shows the accounts in `directory`."""
    console = console_on(directory / "console.db")
    hello, home, stock = alternate(
        runs,
        lambda: first_paint([*STOCK, "hello"], "READY"),
        lambda: first_paint(console, "Activity", settled=READY),
        lambda: first_paint([*STOCK, "home"], "READY"),
    )
    passed = [
        verdict(
            "first paint of Home <= 1.6x hello",
            f"{home[0]:.0f} ms / {hello[0]:.0f} ms = {home[0] / hello[0]:.2f} (stock home {stock[0]:.0f} ms)",
            home[0] <= 1.6 * hello[0],
        ),
        verdict(
            "bytes at start, data included <= 4096",
            f"{home[1]} (stock home {stock[1]})",
            home[1] <= 4096,
        ),
    ]
    _, stock_cpu = idle([*STOCK, "hello"], "READY")
    size, cpu = idle([*DEMO, "form"], "UPN")
    passed.append(
        verdict(
            "idle in a field: 0 bytes, under 0.2 % CPU",
            f"{size} bytes, {cpu:.3f} %",
            not size and cpu < 0.2,
        )
    )
    size, cpu = idle(console, READY)
    passed.append(
        verdict(
            "idle on Home, database open: 0 bytes, under 0.2 % CPU",
            f"{size} bytes, {cpu:.3f} % (stock hello {stock_cpu:.3f} %)",
            not size and cpu < 0.2,
        )
    )
    light = costs([*DEMO, "panels"], "Event 4", ["r"], ["p"])[0]
    passed.append(verdict("one light < 80 bytes", f"{light.size} bytes", light.size < 80))
    few, many = (
        median(costs(console_on(directory / f"{count}.db"), READY, ["down"] * 9, TO_USERS))
        for count in COUNTS
    )
    passed.append(
        verdict(
            "cursor down in Users: same at 100 and 100,000",
            f"{few.size} and {many.size} bytes, {few.cpu_ms:.1f} and {many.cpu_ms:.1f} ms CPU",
            abs(few.size - many.size) <= MOVE_BYTES and many.cpu_ms < 1.5 * few.cpu_ms + 1,
        )
    )
    ours = median(costs(console, READY, ["tab"] * 8))
    theirs = median(costs([*STOCK, "home"], "READY", ["tab"] * 8))
    passed.append(
        verdict(
            "Tab < 1/4 CPU of a stock screen",
            f"{ours.cpu_ms:.1f} / {theirs.cpu_ms:.1f} ms, {ours.size} / {theirs.size} bytes",
            ours.cpu_ms < theirs.cpu_ms / 4,
        )
    )
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
