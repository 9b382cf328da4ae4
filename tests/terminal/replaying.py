"""Plays actions of the corpus in a real pseudo-terminal, slowly and fast, and tells what came of it."""

from __future__ import annotations

import base64
import json
import random
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from mission_control_tui.screens.base.key_gate import ARRIVING, NOT_DONE, NOT_YET
from mission_control_tui.terminal.control_sequences import UNENDED_SECONDS
from mission_control_tui.terminal.key_queue import HOLDS
from tests.terminal.answers import ANSWERS
from tests.terminal.corpus import ASKED, Action
from tests.terminal.pty import ESC, KEYS, PLAIN, Terminal

PACES = (0.0, 0.005, 0.03, 0.08, 0.2)
"""Seconds from key to key; without any they come in one packet."""

QUIET = 0.25
"""Seconds without a change of the screen after which slow typing goes on: more than a find box waits."""

PATIENCE = 30.0

QUESTION = re.compile(r"(?m)\[ No \]|^ +(Type \S+|UPN):")
REFUSED = "Nothing was done: "
WAITED = re.compile(f"{REFUSED}({ARRIVING}|{NOT_DONE}|{NOT_YET})")

NO_DATA = {"sessions", "workers", "drafts", "recents", "connector_states"}
NO_CONTENT = {"DATETIME", "FLOAT", "BLOB"}
ID = re.compile(r"\b[0-9a-f]{32}\b")
TODAY = "|".join((datetime.now(UTC) + timedelta(days)).strftime("%Y-%m-%d") for days in (-1, 0, 1))
TIME = re.compile(rf"\b(?:{TODAY})[T ][0-9:.]+(?:Z|[+-]00:00)?")
CLIPBOARD = re.compile(rb"\x1b\]52;[^;]*;([A-Za-z0-9+/=]*)")

State = tuple[str, ...]
"""The operator's data, a row a line, and what is on the clipboard."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What an action does that is typed slowly: the state after each key, the first as it began."""

    states: tuple[State, ...]
    asked: State | None
    """The state when a question about what is taken away was open."""

    @property
    def end(self) -> State:
        return self.states[-1]


@dataclass(frozen=True, slots=True)
class Line:
    """How an action is typed: seconds from key to key, and which answers of the terminal come between the keys."""

    pace: float
    answers_from: int | None = None

    def __str__(self) -> str:
        between = "" if self.answers_from is None else f", answers from {self.answers_from}"
        return f"{round(self.pace * 1000)} ms{between}"


PIECES = [(answer, at) for answer in ANSWERS.values() for at in range(len(answer))]
"""Every answer, whole and split at each byte."""


def units(keys: Sequence[str]) -> Iterator[str]:
    """What is pressed one after the other: keys by name, pastes, characters of texts, ASKED."""
    for key in keys:
        if key in KEYS or key in PLAIN or key == ASKED or key.startswith(ESC):
            yield key
        else:
            yield from key


def sent(unit: str) -> bytes:
    return (ESC + KEYS[unit] if unit in KEYS else PLAIN.get(unit, unit)).encode()


class Replay:
    """A console on a copy of the database, at Home."""

    def __init__(self, template: Path, directory: Path) -> None:
        directory.mkdir()
        self.path = directory / "console.db"
        for end in ("", ".key"):
            shutil.copy(f"{template}{end}", f"{self.path}{end}")
        self._torn_for = 0.0
        self._known = set(ID.findall("\n".join(_rows(template))))
        self.terminal = Terminal(
            [sys.executable, "-m", "tests.terminal.corpus_world", str(self.path)],
            env={"HOME": str(directory), "MISSION_CONTROL_NO_WORKER": "1"},
        )

    def __enter__(self) -> Self:
        self.terminal.wait_for(r"This month +AUD")
        self.terminal.settle(QUIET)
        return self

    def __exit__(self, *error: object) -> None:
        self.terminal.__exit__(None, None, None)

    def state(self) -> State:
        """The data without times and secrets; ids that are new are called by the order in which they are told of."""
        names: dict[str, str] = {}

        def name(found: re.Match[str]) -> str:
            word = found[0]
            return word if word in self._known else names.setdefault(word, f"new {len(names)}")

        rows = [TIME.sub("today", ID.sub(name, row)) for row in _rows(self.path)]
        copied = [base64.b64decode(text) for text in CLIPBOARD.findall(self.terminal.output)]
        return (*sorted(rows), f"copied: {copied}")

    def slowly(self, action: Action) -> Slow:
        """Type with the screen settled after each key."""
        states, asked = [self.state()], None
        for key in action.keys:
            for unit in units([key]):
                if unit == ASKED:
                    self.terminal.wait_for(QUESTION.pattern)
                    self.terminal.settle(QUIET)
                    asked = self.state()
                    continue
                self.terminal.send_raw(sent(unit))
                self.terminal.settle(0.05)
            self.terminal.settle(QUIET)
            states.append(self.state())
        self.terminal.wait_for(action.shown)
        self.terminal.settle(2 * QUIET)
        states[-1] = self.state()
        return Slow(tuple(states), asked)

    def type(self, action: Action, line: Line) -> None:
        """Type as a line says; an answer between two keys is torn, and no key comes within it."""
        pressed = [sent(unit) for unit in units(action.keys) if unit != ASKED]
        packet = bytearray()
        for number, key in enumerate(pressed):
            packet += key
            if number == len(pressed) - 1:
                break
            answer, at = b"", 0
            if line.answers_from is not None:
                answer, at = PIECES[(line.answers_from + number) % len(PIECES)]
            if not line.pace:
                packet += answer
                continue
            # After a lone ESC no answer comes so late: it would be Escape, and rightly.
            at = 0 if at == 1 else at
            self.terminal.send_raw(bytes(packet) + answer[:at])
            self._wait(line.pace, answer[at:])
            packet.clear()
        self.terminal.send_raw(bytes(packet))

    def _wait(self, seconds: float, rest: bytes) -> None:
        """Wait, then send the rest of an answer; what is asked of the terminal meanwhile is answered after it."""
        began, said = monotonic(), b""
        until = began + seconds
        while (left := until - monotonic()) > 0:
            if data := self.terminal.receive(left):
                said += data
            else:
                sleep(max(0.0, until - monotonic()))
        if rest:
            self.terminal.send_raw(rest)
            self._torn_for = max(self._torn_for, monotonic() - began)
        if said:
            self.terminal.show(said)

    def judge(self, action: Action, line: Line, slow: Slow) -> str:
        """Return how it ended, or raise AssertionError where it ended as it must not."""
        began = monotonic()
        self.type(action, line)
        while True:
            self.terminal.settle(0.1, 1.0)
            is_late = monotonic() - began > PATIENCE + line.pace * 100
            ended = self._ended(line, slow, monotonic() - began)
            if ended:
                self.terminal.settle(2 * QUIET)
                if self._ended(line, slow, monotonic() - began) == ended:
                    return ended
            if is_late and self._torn_for > UNENDED_SECONDS:
                return "torn"  # by a busy machine, for longer than any answer is waited for
            assert not is_late, self._told(action, line, slow)

    def _ended(self, line: Line, slow: Slow, seconds: float) -> str:
        state, text = self.state(), self.terminal.text()
        if state == slow.end and (slow.asked is None or line.pace):
            return "done"
        is_asked = QUESTION.search(text) is not None and REFUSED in text
        if is_asked and state == slow.asked:
            return "asked"
        if WAITED.search(text) and seconds > HOLDS and state in slow.states:
            return "refused"
        return ""

    def _told(self, action: Action, line: Line, slow: Slow) -> str:
        state = self.state()
        wrong = [f"+ {row}" for row in state if row not in slow.end]
        lacks = [f"- {row}" for row in slow.end if row not in state]
        return "\n".join([f"{action.name}, {line}:", *wrong, *lacks, self.terminal.text()])


def _rows(path: Path) -> list[str]:
    """Every row of the operator's data as a line, those that say what was done first."""
    rows = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {str(name) for (name,) in found if not name.startswith("sqlite_")}
        for table in ("audit", "requests", *sorted(tables - NO_DATA - {"audit", "requests"})):
            shown = {
                str(name): str(kind)
                for _number, name, kind, *_rest in database.execute(f"PRAGMA table_info({table})")
                if kind not in NO_CONTENT or name == "due_at"
            }
            for row in database.execute(f"SELECT {', '.join(shown)} FROM {table}"):
                said = (
                    f"{name}={_in_order(value) if shown[name] == 'JSON' else value}"
                    for name, value in zip(shown, row, strict=True)
                )
                rows.append(f"{table}: {' '.join(said)}")
    return rows


def _in_order(text: str | None) -> str:
    return json.dumps(json.loads(text or "null"), sort_keys=True)


def lines(chance: random.Random) -> Iterator[Line]:
    """Every pace, without and with answers of the terminal between the keys."""
    for pace in PACES:
        yield Line(pace)
        yield Line(pace, chance.randrange(len(PIECES)))
