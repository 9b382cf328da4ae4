"""A slow line that hides what it has not sent: one frame is under way, the newest follows, and no answer is a key."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Collection
from time import monotonic

import pytest

from mission_control_tui.terminal.frame_pacing import FIRST_SECONDS
from tests.terminal.pty import Terminal

STATUS, MODE = b"\x1b[5n", b"\x1b[?7$p"
USERS = [sys.executable, "-m", "tests.screens.console_call", "users"]


class SlowLine(Terminal):
    """Takes at once all that is written, as sshd does, and shows `rate` bytes of it a second; all where that is 0."""

    rate = 0
    unsent = b""
    most_unsent = 0
    _sent_at = 0.0

    def read(self, wait: float) -> bool:
        if not self.rate and not self.unsent:
            return super().read(wait)
        data = self.receive(min(wait, 0.01) if self.unsent else wait)
        if not self.unsent:
            self._sent_at = monotonic()
        self.unsent += data
        self.most_unsent = max(self.most_unsent, len(self.unsent))
        count = int((monotonic() - self._sent_at) * self.rate) if self.rate else len(self.unsent)
        if count:
            self._sent_at = monotonic()
            sent, self.unsent = self.unsent[:count], self.unsent[count:]
            self.show(sent)
        return bool(data or count or self.unsent)


def hold(terminal: Terminal, key: str, seconds: float) -> None:
    """Hold a key down: it repeats thirty times a second."""
    end = monotonic() + seconds
    while monotonic() < end:
        terminal.press(key)
        again = monotonic() + 1 / 30
        while (left := again - monotonic()) > 0:
            terminal.read(left)


def on_the_first_user(terminal: Terminal) -> None:
    terminal.wait_for("User 0")
    terminal.press("tab")
    terminal.settle()
    if "status" not in terminal.answers:  # which it takes the console two seconds to know
        terminal.settle(FIRST_SECONDS)
        terminal.press("down", "up")
        terminal.settle(FIRST_SECONDS)


@pytest.mark.parametrize(
    ("answers", "request_"),
    [(("mode", "status"), STATUS), pytest.param(("mode",), MODE, marks=pytest.mark.proof)],
)
def test_a_key_that_is_held_has_one_frame_under_way_and_the_newest_after_it(
    answers: Collection[str], request_: bytes
) -> None:
    with SlowLine(USERS, env={"DEMO_ROWS": "100000"}, answers=answers) as line:
        on_the_first_user(line)
        before = len(line.output)
        line.rate = 960
        hold(line, "down", 3)
        line.settle(1.5)
        line.rate = 0
        shown = line.text()
        frames = line.output[before:].split(request_)
        assert len(frames) > 3
        assert line.most_unsent <= max(map(len, frames)) + len(request_)
        line.press("\x0c")
        line.settle()
        assert line.text() == shown
        assert re.search(r"> . \w+ +User \d\d", shown)


@pytest.mark.proof
def test_a_terminal_that_answers_nothing_is_given_the_time_of_a_slow_line() -> None:
    written = []
    for answers in (("status",), ()):
        with Terminal(USERS, env={"DEMO_ROWS": "100000"}, answers=answers) as terminal:
            on_the_first_user(terminal)
            before = len(terminal.output)
            hold(terminal, "pagedown", 2)
            terminal.settle(2.5)
            written.append(terminal.output[before:])
    assert STATUS in written[0]
    assert STATUS not in written[1]
    assert MODE not in written[1]
    assert len(written[1]) < len(written[0]) / 2


def test_an_answer_that_the_line_tears_is_no_escape_even_late() -> None:
    with Terminal(USERS) as terminal:
        on_the_first_user(terminal)
        terminal.press("p")
        terminal.wait_for(r"\[ No \]")
        terminal.settle()
        terminal.answers = ()
        before = len(terminal.output)
        terminal.press("right")
        terminal.settle()
        assert STATUS in terminal.output[before:]
        terminal.send_raw(b"\x1b")
        terminal.settle(0.4)
        terminal.send_raw(b"[0n")
        terminal.settle()
        assert "[ No ]" in terminal.text()


def test_an_answer_that_is_owed_is_awaited_before_the_shell_gets_the_keyboard() -> None:
    with Terminal(USERS, as_job=True) as terminal:
        on_the_first_user(terminal)
        terminal.answers = ()
        before = len(terminal.output)
        terminal.press("down")
        terminal.settle()
        assert STATUS in terminal.output[before:]
        terminal.press("ctrl+z")
        terminal.settle()
        terminal.send_raw(b"\x1b[0n")
        terminal.wait_until_stopped()
        assert b"[0n" not in terminal.output
        terminal.answers = ("mode", "status")
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("User 1")
        before = len(terminal.output)
        terminal.press("down")
        terminal.settle()
        assert STATUS in terminal.output[before:]
