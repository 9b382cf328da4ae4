"""What the terminal was left in, what it is, and who could bring the console back."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mission_control_tui.terminal import lifecycle
from tests.terminal.pty import Terminal

DEMO = [sys.executable, "-m", "tests.screens.console_call", "panels"]


def test_an_exported_size_does_not_win_over_the_terminals() -> None:
    with Terminal(DEMO, size=(100, 30), env={"COLUMNS": "60", "LINES": "15"}) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        assert "Esc Back" in terminal.text().splitlines()[29]
        terminal.resize(80, 24)
        terminal.settle()
        assert "Esc Back" in terminal.text().splitlines()[23]


@pytest.mark.parametrize("term", ["vt52", "wy60", "adm3a"])
def test_a_terminal_that_is_not_ansi_is_told_in_one_line(term: str) -> None:
    with Terminal(DEMO, term=term) as terminal:
        assert terminal.wait() == lifecycle.EXIT_NO_TERMINAL
        assert "control sequences of its own" in terminal.text().replace("\n", " ")
        assert b"\x1b" not in terminal.output


@pytest.mark.parametrize("name", ["LANG", "LC_ALL", "LC_CTYPE"])
def test_a_c_locale_gets_ascii(name: str) -> None:
    clean = ["/usr/bin/env", "-u", "LC_ALL", "-u", "LC_CTYPE", "LANG=en_US.UTF-8", f"{name}=C"]
    with Terminal([*clean, *DEMO]) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        assert terminal.output.isascii()


def test_what_another_program_left_on_is_taken_back_at_the_start_and_on_ctrl_l() -> None:
    with Terminal(DEMO) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        left_on = lifecycle.LEFT_ON.encode()
        assert terminal.output.count(left_on) == 1
        terminal.send_raw(b"\x0c")
        terminal.settle()
        assert terminal.output.count(left_on) == 2


def test_nothing_of_the_picture_stays_without_an_alternate_screen() -> None:
    with Terminal(DEMO) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        terminal.press("q")
        assert terminal.wait() == 0
        end = terminal.output.rindex(b"\x1b[?1049l")
        assert terminal.output.rindex(lifecycle.CLEARED.encode()) < end
        assert b"Event" not in terminal.output[terminal.output.rindex(lifecycle.CLEARED.encode()) :]


@pytest.mark.parametrize("how", ["key", "signal"])
def test_where_no_shell_waits_nothing_is_suspended(how: str) -> None:
    with Terminal(DEMO) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        if how == "key":
            terminal.press("ctrl+z")
        else:
            terminal.signal(signal.SIGTSTP)
        terminal.wait_for("Not suspended")
        terminal.press("enter")
        terminal.wait_for("Standard Mail")


def test_under_a_shell_it_is_suspended_and_comes_back() -> None:
    shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
    with Terminal(shell, env={"PS1": "shell> "}) as terminal:
        terminal.wait_for("shell>")
        terminal.send_raw((shlex.join(DEMO) + "\r").encode())
        terminal.wait_for("Event 4")
        terminal.settle()
        terminal.press("ctrl+z")
        terminal.wait_for("Stopped")
        terminal.send_raw(b"fg\r")
        terminal.wait_for("Event 4")
        terminal.settle()
        terminal.press("enter")
        terminal.wait_for("Standard Mail")


def test_quit_from_outside_leaves_the_terminal_usable() -> None:
    with Terminal(DEMO) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        terminal.signal(signal.SIGQUIT)
        assert terminal.wait(3.0) == 131
        assert not terminal.is_raw()
        assert terminal.modes_left() == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_crash_and_no_file_takes_its_place(
    tmp_path: Path, closed: str
) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = f"{shlex.quote(sys.executable)} -m mission_control_tui users list {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
