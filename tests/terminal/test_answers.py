"""In a real terminal: what the terminal says by itself answers no question, and the keyboard lives on."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.terminal.answers import ANSWERS
from tests.terminal.pty import Terminal


@pytest.fixture(scope="module")
def users() -> Iterator[Terminal]:
    """A list of users with a question about one of them open, and Yes chosen."""
    with Terminal([sys.executable, "-m", "tests.screens.console_call", "users"]) as terminal:
        terminal.wait_for("User 0")
        terminal.settle()
        terminal.press("tab", "down", "p")
        terminal.wait_for(r"\[ No \]")
        terminal.settle()
        yield terminal


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_the_terminal_answers_no_question(users: Terminal, name: str) -> None:
    answer = ANSWERS[name]
    before = users.text()
    users.send_raw(answer)
    users.settle(0.05)
    for at in {2, len(answer) // 2, len(answer) - 1} - {0, 1}:
        users.send_raw(answer[:at])
        users.settle(0.15)
        users.send_raw(answer[at:])
        users.settle(0.05)
    assert users.text() == before


def test_escape_and_enter_in_one_packet_are_no_and_then_enter() -> None:
    with Terminal([sys.executable, "-m", "tests.screens.console_call", "users"]) as terminal:
        terminal.wait_for("User 0")
        terminal.settle()
        terminal.press("tab", "down", "p")
        terminal.wait_for(r"\[ No \]")
        terminal.press("right")
        terminal.settle()
        terminal.send_raw(b"\x1b\r")
        terminal.wait_for("Event 4")
        assert "Queued" not in terminal.output.decode()


@pytest.mark.parametrize(
    "start",
    [
        b"\x1bP",
        pytest.param(b"\x1b]11;rgb", marks=pytest.mark.proof),
        pytest.param(b"\x1b[200~yy", marks=pytest.mark.proof),
        pytest.param(b"\x1bP" + b"y" * 5000, marks=pytest.mark.proof),
    ],
    ids=["dcs", "osc", "paste", "long dcs"],
)
def test_the_keyboard_outlives_an_introducer_without_an_end(users: Terminal, start: bytes) -> None:
    users.send_raw(start)
    users.settle(3.3)
    if "[ No ]" in users.text():
        users.press("escape")
    users.wait_until_gone(r"\[ No \]")
    users.press("p")
    users.wait_for(r"\[ No \]")
