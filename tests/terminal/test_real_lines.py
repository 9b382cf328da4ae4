"""Behind tmux, GNU screen, mosh and sshd: Escape is a key of its own, what is typed ahead waits, and nothing hangs."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.terminal.pty import Terminal
from tests.terminal.real_lines import LINES

ROOT = Path(__file__).parents[2]
EVERY_DAY = "tmux"
NAMES = [pytest.param(name, marks=() if name == EVERY_DAY else pytest.mark.proof) for name in LINES]


def console(template: Path, directory: Path) -> list[str]:
    """The command of a console on a copy of the database; it says when it begins."""
    path = directory / "console.db"
    for end in ("", ".key"):
        shutil.copy(f"{template}{end}", f"{path}{end}")
    env = [f"PYTHONPATH={ROOT}", "LANG=C.UTF-8", f"HOME={directory}", "MISSION_CONTROL_NO_WORKER=1"]
    run = (
        f"echo it begins; exec {shlex.quote(sys.executable)} -m tests.terminal.corpus_world {path}"
    )
    return ["env", *env, "sh", "-c", run]


def paused(terminal: Terminal, seconds: float) -> None:
    """Let so much time go by; what is shown is drawn meanwhile."""
    terminal.settle(seconds, seconds)


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_for_what_they_were_pressed_for(
    name: str, corpus_template: Path, tmp_path: Path
) -> None:
    with LINES[name](console(corpus_template, tmp_path), tmp_path) as terminal:
        terminal.wait_for("it begins")
        terminal.send_raw(b"nbo\rBea")
        terminal.wait_for(r"First Names \* +\[Bea ")
        terminal.send_raw(b"\x1bg")
        terminal.wait_for("QUICK LINKS")
        terminal.press("home", "enter")
        terminal.wait_for("This month")
        terminal.press("n")
        terminal.wait_for("Leave field")
        terminal.press("escape")
        paused(terminal, 0.6)
        terminal.press("g")
        terminal.wait_for("QUICK LINKS")
        terminal.press("escape")
        terminal.wait_for(r"UPN \* +\[")
        terminal.press("ctrl+z")
        terminal.wait_for("Not suspended")
        for ctrl_enter in (b"\x1b[13;5u", b"\x1b[27;5;13~"):
            terminal.send_raw(ctrl_enter)
        terminal.resize(120, 40)
        terminal.wait_for(r"(?m)^.{110,}New User$")
        terminal.press("g", "home", "enter")
        terminal.wait_for("This month")


@pytest.mark.proof
@pytest.mark.parametrize("name", [name for name in LINES if name != "forced"])
def test_a_shell_brings_the_console_back(name: str, corpus_template: Path, tmp_path: Path) -> None:
    shell = ["env", "PS1=shell> ", "/bin/bash", "--norc", "--noprofile", "-i"]
    script = tmp_path / "console"
    script.write_text(" ".join(repr(word) for word in console(corpus_template, tmp_path)))
    with LINES[name](shell, tmp_path) as terminal:
        terminal.wait_for("shell>")
        terminal.send_raw(f". {script}\r".encode())
        terminal.wait_for("This month")
        terminal.press("ctrl+z")
        terminal.wait_for("Stopped")
        terminal.send_raw(b"fg\r")
        terminal.wait_for("This month")
        terminal.press("g")
        terminal.wait_for("QUICK LINKS")
