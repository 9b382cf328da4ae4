"""An operator at a terminal: looks at the screen, presses keys, waits for words to be seen, and counts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from tests.terminal.day import world
from tests.terminal.pty import Terminal

PATIENCE = 60.0
"""Seconds after which what should be seen is given up: only a hang takes so long."""

SLOW = 2.0
"""Seconds of waiting for one thing after which it is noted as slow; nothing is asserted about it."""


TWINS = {"t": "f11", "/": "f3", "g": "f9", "o": "ctrl+o"}


@dataclass(slots=True)
class Count:
    """What a ticket cost: keys, and characters that were typed as text."""

    keys: int = 0
    typed: int = 0


@dataclass(slots=True)
class Desk:
    """The console of one operator on the database of the day; it can be lost and opened again."""

    directory: Path
    terminal: Terminal = field(init=False)
    count: Count = field(default_factory=Count)
    slow: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self, *arguments: str) -> None:
        """Start the console, as the operator does."""
        self.terminal = Terminal(
            [
                *(sys.executable, "-m", "mission_control_tui"),
                *("--database", str(self.directory / "day.db"), *arguments),
            ],
            env=world.environment(self.directory),
        )

    def lose(self) -> None:
        """Cut the connection: the terminal is gone from one moment to the next."""
        self.terminal.hang_up()
        self.terminal.process.wait(PATIENCE)

    def close(self) -> None:
        self.terminal.__exit__(None, None, None)

    @contextmanager
    def counted(self) -> Iterator[Count]:
        """What is pressed and typed within."""
        before, self.count = self.count, Count()
        try:
            yield self.count
        finally:
            self.count = before

    # Looking

    @property
    def text(self) -> str:
        return self.terminal.text()

    def see(self, pattern: str) -> None:
        """Wait until a regular expression is seen."""
        began = monotonic()
        self.terminal.wait_for(pattern, PATIENCE)
        if (waited := monotonic() - began) > SLOW:
            self.slow.append((pattern, waited))

    def sees(self, pattern: str, patience: float = 0.0) -> bool:
        """Whether it is there now, or comes while the screen goes on changing within `patience` seconds each."""
        while self.terminal.read(0):
            pass
        while re.search(pattern, self.text) is None:
            if not self.terminal.read(patience):
                return False
        return True

    # Acting

    def press(self, *keys: str, then: str) -> None:
        """Press keys one after the other, then wait for what they bring."""
        for key in keys:
            self.count.keys += 1
            self.terminal.press(key)
        self.see(then)

    def verb(self, letter: str, then: str) -> None:
        """A verb that works everywhere: by its letter, or in a field, as the hints then say, by its other key."""
        in_field = self.sees("F9 Go to")
        self.press(TWINS[letter] if in_field else letter, then=then)

    def type(self, text: str, then: str = "") -> None:
        """Type text into the field that has the focus, and see it there."""
        self.count.typed += len(text)
        self.terminal.press(text)
        self.see(then or re.escape(text))

    def move(self, row: str, key: str = "") -> None:
        """Move a list's cursor to the row that begins like the regular expression, counting rows on the screen.

        With a `key`, the row is also acted upon.
        """
        self.see(row)
        pattern = re.compile(row)
        for _ in range(20):
            lines = self.text.splitlines()
            found = [
                (y, hit.start()) for y, line in enumerate(lines) if (hit := pattern.search(line))
            ]
            at = [
                (y, to)
                for to, column in found
                for y, line in enumerate(lines)
                if column >= 2 and line[column - 2 : column] == "> "
            ]
            if at:
                y, to = min(at, key=lambda pair: abs(pair[0] - pair[1]))
                if y == to:
                    break
                steps = ["down" if to > y else "up"] * abs(to - y)
                self.count.keys += len(steps)
                self.terminal.press(*steps)
                self.see(f"> {row}")
            elif not self.terminal.read(0.05) and not self.terminal.read(2.0):
                raise AssertionError(f"no cursor near {row!r}; the screen:\n{self.text}")
        else:
            raise AssertionError(f"the cursor does not get to {row!r}; the screen:\n{self.text}")
        if key:
            self.count.keys += 1
            self.terminal.press(key)
