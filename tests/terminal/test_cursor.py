"""The terminal's own cursor stands on what has the focus: readers, magnifiers and braille displays follow it."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from time import monotonic

import pytest

from tests.screens import world
from tests.terminal.pty import Terminal

PATIENCE = 30.0
ENVIRONMENTS = pytest.mark.parametrize(
    "env",
    [{}, pytest.param({"PYTHONIOENCODING": "latin-1"}, marks=pytest.mark.proof)],
    ids=["utf-8", "ascii"],
)


def demo(screen: str, env: dict[str, str] | None = None) -> Terminal:
    return Terminal([sys.executable, "-m", "tests.screens.console_call", screen], env=env)


def under_cursor(terminal: Terminal) -> str:
    """What stands at the cursor, to the end of its row; nothing where the screen does not mark it as the focus."""
    cursor = terminal.screen.cursor
    cell = terminal.screen.buffer[cursor.y][cursor.x]
    row = "".join(cells[0] for cells in terminal.cells()[cursor.y][cursor.x :])
    return row if cell.data == ">" or cell.reverse else ""


def see(terminal: Terminal, expected: str) -> None:
    """Wait until the cursor stands on what has the focus, and it matches `expected` from there on."""
    deadline = monotonic() + PATIENCE
    while not re.match(expected, under_cursor(terminal)):
        said = f"{expected!r}, not {under_cursor(terminal)!r}; the screen:\n{terminal.text()}"
        assert terminal.read(0.05) or monotonic() < deadline, said


def walk(terminal: Terminal, *steps: tuple[str, str]) -> None:
    """Press each key, and expect what then begins at the cursor."""
    for key, expected in steps:
        terminal.press(key)
        terminal.settle(0.1)
        see(terminal, re.escape(expected))


@ENVIRONMENTS
def test_it_stands_on_the_row_in_lists_in_questions_and_in_overlays(env: dict[str, str]) -> None:
    with demo("home", env) as terminal:
        terminal.wait_for("Service 1")
        walk(terminal, ("down", "> Service 2"), ("tab", "> New User"), ("tab", "> Acme Pty Ltd"))
        walk(terminal, ("g", "> Home"), ("down", "> Users"), ("escape", "> Acme Pty Ltd"))
    with demo("users", {**env, "DEMO_ROWS": "1000"}) as terminal:
        terminal.wait_for("User 0")
        walk(terminal, ("tab", ">"), ("end", ">"), ("pageup", ">"), ("home", ">"))
        for _ in range(22):
            terminal.press("down")
        see(terminal, r"> . \w+ +User 22\b")
        walk(terminal, ("p", "[ No ]"), ("right", "[ Yes ]"), ("escape", ">"), ("?", "> "))


@ENVIRONMENTS
def test_it_stands_on_the_fields_of_a_form_and_the_titles_and_levels_of_panels(
    env: dict[str, str],
) -> None:
    with demo("form", env) as terminal:
        terminal.wait_for("UPN")
        walk(terminal, ("a", " "), ("b", " "), ("left", "b"), ("home", "ab"), ("end", " "))
        walk(terminal, ("tab", " "), ("界", " "), ("left", "?" if env else "界"), ("right", " "))
        for _ in range(40):
            terminal.press("界")
        see(terminal, " ")
        walk(terminal, ("tab", " "), ("tab", " "), ("界", " "), ("left", "*" if env else "•"))
        walk(terminal, ("tab", "New Zealand"), ("tab", "[ ]"), ("tab", "Contact"))
        walk(terminal, ("tab", "[ Provision ]"))
    with demo("panels", env) as terminal:
        terminal.wait_for("Event 4")
        walk(terminal, ("down", "Web Hosting"), ("up", "Managed Exchange"), ("enter", "Managed"))
        walk(terminal, ("tab", "> "), ("tab", "( Provision )"), ("shift+tab", "> "))


def test_it_is_shown_where_the_settings_say_so(tmp_path: Path) -> None:
    asyncio.run(world.make(tmp_path / "a.db"))
    settings = tmp_path / "settings.toml"
    console = [sys.executable, "-m", "mission_control_tui", "--database", str(tmp_path / "a.db")]
    env = {"HOME": str(tmp_path), "MISSION_CONTROL_SETTINGS": str(settings)}
    for text, shown in (("", False), ("[console]\nshow_cursor = true\n", True)):
        settings.write_text(text)
        with Terminal(console, env={**env, "MISSION_CONTROL_NO_WORKER": "1"}) as terminal:
            terminal.wait_for("This month  AUD")
            terminal.settle()
            assert terminal.modes["25"] is shown
            terminal.press("\x0c", "/")
            terminal.wait_for("Find: ")
            terminal.settle()
            cursor = terminal.screen.cursor
            assert terminal.screen.buffer[cursor.y][cursor.x].reverse is not shown
            assert terminal.modes["25"] is shown
            terminal.press("escape", "f10")
            terminal.wait()
            assert terminal.modes["25"]
