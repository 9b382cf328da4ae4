"""What one console costs its host beside a Textual hello-world, in one run: `python -m benchmarks.session [runs]`.

Own memory is the USS of `/proc/PID/smaps_rollup`, processor that of all threads in `/proc/PID/stat`, ended ones
included. Consoles and hello-worlds are started in turn, and every verdict is about a ratio of medians. Beside them
stands the floor: a hello-world that reads one row by SQLAlchemy.
"""

from __future__ import annotations

import asyncio
import compileall
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep

from benchmarks.terminal import NO_WORKER, READY, STOCK, console_on, verdict
from mission_control_tui.screens.registry import LINKS
from tests.screens import driving, world
from tests.terminal.pty import Terminal

HELLO = (*STOCK, "hello")
READING = (*STOCK, "reading")
PACKAGE = Path(__file__).parents[1] / "mission_control_tui"
RUNS = 7
ROUNDS = 3
"""How often the walk goes through all screens of QUICK LINKS."""

IDLE_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
PILOTS = 20


@dataclass(frozen=True, slots=True)
class Start:
    """One start: ms to the first paint, ms of processor until filled, MB of its own memory once it is quiet."""

    paint_ms: float
    cpu_ms: float
    own_mb: float


def own_mb(pid: int) -> float:
    """Return the memory that the process shares with nobody."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def cpu_ms(pid: int) -> float:
    """Return the processor time of the process, user's and system's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS * 1000


def leave(terminal: Terminal) -> None:
    """Quit a console: one that is killed would be gone back to by the next."""
    terminal.press("q")
    terminal.wait()


def start(argv: Sequence[str], paints: str, filled: str) -> Start:
    """Start a program, and measure it when it has painted, when it is filled, and when it is quiet."""
    began = monotonic()
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(paints)
        paint = (monotonic() - began) * 1000
        terminal.wait_for(filled)
        cpu = cpu_ms(terminal.pid)
        terminal.settle(1.0)
        found = Start(paint, cpu, own_mb(terminal.pid))
        if filled == READY:
            leave(terminal)
        return found


def median(starts: Sequence[Start]) -> Start:
    return Start(
        statistics.median(each.paint_ms for each in starts),
        statistics.median(each.cpu_ms for each in starts),
        statistics.median(each.own_mb for each in starts),
    )


def walked(argv: Sequence[str]) -> list[float]:
    """Return the own memory after each walk through all screens, back on Home."""
    found = []
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(READY)
        terminal.settle()
        for _ in range(ROUNDS):
            for place in range(1, len(LINKS) + 1):
                terminal.press("f9")
                terminal.wait_for("QUICK LINKS")
                terminal.press(*["down"] * (place % len(LINKS)), "enter")
                terminal.wait_until_gone("QUICK LINKS")
                terminal.settle()
            terminal.wait_for(READY)
            found.append(own_mb(terminal.pid))
        leave(terminal)
    return found


def idle(argv: Sequence[str], filled: str) -> float:
    """Return the per cent of a processor that is used while nothing happens."""
    with Terminal(argv, env=NO_WORKER) as terminal:
        terminal.wait_for(filled)
        terminal.settle(1.0)
        sleep(3.0)
        before = terminal.cpu_seconds()
        sleep(IDLE_SECONDS)
        return (terminal.cpu_seconds() - before) / IDLE_SECONDS * 100


async def piloted(path: Path) -> None:
    """Open and close the console as a test of a screen does."""
    async with driving.console(path):
        pass


def pilot_ms(directory: Path) -> float:
    """Return the processor that a test pays for one opened console, in a process that has imported everything."""
    spent = []
    for number in range(PILOTS):
        path = directory / f"pilot-{number}.db"
        asyncio.run(world.make(path))
        before = process_time()
        asyncio.run(piloted(path))
        spent.append((process_time() - before) * 1000)
    return statistics.median(spent[2:])


def beside(what: str, unit: str, ours: float, theirs: float, most: float) -> bool:
    """Write the verdict on a ratio."""
    ratio = ours / theirs
    measured = f"{ours:.1f} / {theirs:.1f} {unit} = {ratio:.2f}"
    return verdict(f"{what} <= {most:g}x hello", measured, ratio <= most)


def main(runs: int = RUNS) -> int:
    """All verdicts; 1 when one is missed."""
    with TemporaryDirectory(prefix="mc-benchmark-") as name:
        directory = Path(name)
        # Whoever installs a package compiles it; a clone is compiled by its first start, where that may write.
        compileall.compile_dir(PACKAGE, quiet=2)
        asyncio.run(world.make(directory / "console.db"))
        return measure(runs, directory, console_on(directory / "console.db"))


def measure(runs: int, directory: Path, console: Sequence[str]) -> int:
    """As `main`, of this `console`."""
    reading = (*READING, str(directory / "console.db"))
    starts = [
        (
            start(HELLO, "READY", "READY"),
            start(reading, r"\.\.\.|READY", "READY"),
            start(console, "Activity", READY),
        )
        for _ in range(runs + 1)
    ]
    # The first start of each reads files that the later ones find in memory.
    theirs, floor, ours = (median(each) for each in zip(*starts[1:], strict=True))
    passed = [
        beside("first paint of Home", "ms", ours.paint_ms, theirs.paint_ms, 1.3),
        beside("processor until Home is filled", "ms", ours.cpu_ms, theirs.cpu_ms, 1.6),
        beside("own memory on Home", "MB", ours.own_mb, theirs.own_mb, 1.5),
    ]
    sys.stdout.write(
        f"      a hello-world that reads one row: {floor.cpu_ms:.0f} ms, {floor.own_mb:.1f} MB, "
        f"{floor.cpu_ms / theirs.cpu_ms:.2f} and {floor.own_mb / theirs.own_mb:.2f} times hello\n"
    )
    walks = walked(console)
    passed.append(beside(f"own memory after {ROUNDS} walks", "MB", walks[-1], theirs.own_mb, 2.0))
    sys.stdout.write(f"      after each walk: {', '.join(f'{mb:.1f}' for mb in walks)} MB\n")
    quiet, still = idle(HELLO, "READY"), idle(console, READY)
    passed.append(
        verdict(
            "idle console <= hello + 0.1 points",
            f"{still:.3f} % / {quiet:.3f} %",
            still <= quiet + 0.1,
        )
    )
    sys.stdout.write(f"      a test's console: {pilot_ms(directory):.0f} ms of processor\n")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
