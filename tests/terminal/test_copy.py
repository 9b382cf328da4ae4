"""What `y` writes to a real terminal: OSC 52 with the text in base64, and nothing else that could be read from it."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
from pathlib import Path

import pytest

from tests.screens import world
from tests.terminal.pty import Terminal

OSC52 = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/]*=*)\x07")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("copying") / "world.db"
    asyncio.run(world.make(path))
    return path


def copied(terminal: Terminal) -> list[str]:
    """What the terminal was asked to put on its clipboard, oldest first."""
    return [base64.b64decode(found).decode() for found in OSC52.findall(terminal.output)]


def test_an_upn_an_error_and_a_password_reach_the_terminals_clipboard(database: Path) -> None:
    with Terminal([sys.executable, "-m", "tests.screens.world", str(database)]) as terminal:
        terminal.wait_for("This month  AUD")
        terminal.press("!")
        terminal.wait_for("What to do:")
        terminal.press("y")
        terminal.wait_for(r"Copied\. Esc goes back")
        (error,) = copied(terminal)
        lines = error.splitlines()
        assert lines[0].startswith("grace@acme.example: ")
        assert lines[-1].startswith("What to do: ")
        terminal.wait_for(rf"\A[^\n]*\n{re.escape(lines[0])}")
        assert terminal.text().splitlines()[1 : 1 + len(lines)] == lines
        terminal.press("escape")
        terminal.wait_until_gone(r"Copied\. Esc")
        terminal.press("g")
        terminal.wait_for("Service Management Area")
        terminal.press("down", "down", "enter")
        terminal.wait_for("Ada Lovelace")
        terminal.press("y")
        terminal.wait_for("Copied: ada@acme.example")
        assert copied(terminal)[1:] == ["ada@acme.example"]
        terminal.press("enter")
        terminal.wait_for("User Functions")
        for _ in range(10):
            if re.search("> +Reset Password", terminal.text()):
                break
            terminal.press("down")
            terminal.settle(0.2)
        terminal.press("enter")
        terminal.wait_for("Generate and set")
        terminal.press("enter")
        terminal.wait_for("Reveal the password once")
        terminal.press("enter")
        terminal.wait_for("y copies it; shown once")
        found = re.search(r"Password: (\S+)", terminal.text())
        assert found is not None
        before = terminal.output.count(found[1].encode())
        terminal.press("y")
        terminal.wait_for("copied; shown once")
        assert copied(terminal)[2:] == [found[1]]
        assert terminal.output.count(found[1].encode()) == before
        terminal.press("escape")
        terminal.wait_until_gone(re.escape(found[1]))
        terminal.press("q")
        assert terminal.wait() == 0
