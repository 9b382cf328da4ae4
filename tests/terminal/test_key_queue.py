"""Keys that come in one packet go where each would have gone alone."""

from __future__ import annotations

import sys

import pytest

from tests.terminal.pty import Terminal


def call(screen: str) -> Terminal:
    return Terminal([sys.executable, "-m", "tests.screens.console_call", screen])


@pytest.mark.parametrize("key", ["\t", "\r"], ids=["tab", "enter"])
def test_text_after_leaving_a_field_goes_into_the_next(key: str) -> None:
    with call("form") as terminal:
        terminal.wait_for("UPN")
        terminal.settle()
        terminal.send_raw(f"jo{key}Kim{key}Lee{key}".encode())
        terminal.wait_for(r"Last Name \* +\[Lee")
        assert "[jo  " in terminal.text()
        assert "[Kim  " in terminal.text()


def test_text_after_opening_a_screen_goes_there() -> None:
    with call("home") as terminal:
        terminal.wait_for("Service 1")
        terminal.settle()
        terminal.send_raw(b"nqueen\tn")
        terminal.wait_for(r"First Names \* +\[n ")
        terminal.wait_for(r"\[queen  ")


def test_a_burst_of_cursor_keys_counts_them_all() -> None:
    with call("users") as terminal:
        terminal.wait_for("User 0")
        terminal.settle()
        terminal.send_raw(b"\t" + b"\x1b[B" * 50)
        terminal.wait_for(r"> . \w+ +User 50")
