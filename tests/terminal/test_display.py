"""What reaches the terminal: one first frame, nothing while idle, few bytes, colours and glyphs that it has."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Mapping

import psutil
import pytest

from tests.terminal.pty import Terminal

COLOURS = re.compile(rb"\x1b\[[\d;]*m")


def demo(
    screen: str = "panels",
    *,
    size: tuple[int, int] = (80, 24),
    term: str = "xterm-256color",
    modern: bool = True,
    env: Mapping[str, str] | None = None,
    as_job: bool = False,
) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "tests.screens.console_call", screen],
        size=size,
        term=term,
        modern=modern,
        env=env,
        as_job=as_job,
    )


def colour_codes(output: bytes) -> set[int]:
    """Every number in a colour sequence."""
    found = b";".join(match[0][2:-1] for match in COLOURS.finditer(output))
    return {int(code) for code in found.split(b";") if code}


def test_first_frame_is_whole_and_comes_before_the_database() -> None:
    with demo("home", env={"DEMO_OPENING": "3"}) as terminal:
        terminal.wait_for("Home")
        terminal.settle(0.2)
        assert "Activity" in terminal.text()
        assert "? Help" in terminal.text()
        assert "Service 1" not in terminal.text()
        assert terminal.output.count(b"Activity") == 1
        terminal.press("tab")
        terminal.wait_for("Service 1")


def test_nothing_is_written_while_nothing_happens() -> None:
    with demo("form") as terminal:
        terminal.wait_for("UPN")
        terminal.settle(0.5)
        before = len(terminal.output)
        time.sleep(2)
        terminal.read(0)
        assert len(terminal.output) == before


def test_one_light_costs_less_than_eighty_bytes() -> None:
    with demo() as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        terminal.press_measured("p")
        assert "Queued" in terminal.text()
        assert terminal.press_measured("r") < 80


@pytest.mark.proof
def test_cursor_costs_the_same_in_a_hundred_thousand_rows() -> None:
    costs = []
    for rows in ("100", "100000"):
        with demo("users", env={"DEMO_ROWS": rows}) as terminal:
            terminal.wait_for("User 0")
            terminal.press("tab")
            terminal.settle()
            costs.append([terminal.press_measured("down") for _ in range(3)])
    assert costs[0] == costs[1]
    assert max(costs[0]) < 80


@pytest.mark.parametrize("theme", ["dark-16", "light-16"])
def test_sixteen_colours_keep_lights_apart(theme: str) -> None:
    with demo("users", term="xterm", env={"DEMO_THEME": theme}) as terminal:
        terminal.wait_for("User 9")
        terminal.settle()
        assert 38 not in colour_codes(terminal.output)
        assert 48 not in colour_codes(terminal.output)
        lights = {}
        for y, line in enumerate(terminal.text().splitlines()):
            word = next((w for w in ("Grey", "Red", "Orange", "Green") if f" {w} " in line), None)
            if word:
                cell = terminal.screen.buffer[y][2]
                lights[word] = (cell.data, cell.fg, cell.bg, cell.bold)
        assert len({cell[0] for cell in lights.values()}) == 4
        assert len({cell[1:] for cell in lights.values()}) == 4


def test_no_color_means_none() -> None:
    with demo("users", env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("User 9")
        terminal.settle()
        assert not {
            code for code in colour_codes(terminal.output) if 30 <= code <= 48 and code != 39
        }


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "latin-1"}, {"TERM": "linux"}], ids=["latin-1", "linux"]
)
def test_terminals_without_the_glyphs_get_ascii(env: dict[str, str]) -> None:
    with demo("home", env=env) as terminal:
        terminal.wait_for("Service 1")
        terminal.settle()
        assert terminal.output.isascii()
        assert "x Error" in terminal.text()
        assert "\\u" not in terminal.text()


def test_ascii_keeps_every_cell_in_its_place() -> None:
    texts = []
    for env in ({}, {"PYTHONIOENCODING": "latin-1"}):
        with demo("panels", env=env) as terminal:
            terminal.wait_for("Event 4")
            terminal.press("enter")
            terminal.wait_for("Standard Mail")
            terminal.settle()
            texts.append([[char.isspace() for char in line] for line in terminal.screen.display])
    assert texts[0] == texts[1]


def test_mouse_and_focus_are_not_asked_for() -> None:
    with demo() as terminal:
        terminal.wait_for("Event 4")
        assert not {"1000", "1003", "1006", "1004", "kitty"} & {
            mode for mode, on in terminal.modes.items() if on
        }


def test_too_small_recovers_with_everything_kept() -> None:
    with demo("form") as terminal:
        terminal.wait_for("UPN")
        terminal.press("j", "o", "tab", "K", "i", "m")
        terminal.wait_for(r"\[Kim")
        terminal.settle()
        before = terminal.text()
        terminal.resize(60, 20)
        terminal.wait_for("Too small")
        assert "60x20 here" in terminal.text()
        terminal.press("x", "p")
        terminal.settle()
        terminal.resize(80, 24)
        terminal.wait_for(r"\[Kim")
        terminal.settle()
        assert terminal.text() == before
        terminal.press("!")
        terminal.wait_for(r"\[Kim!")


@pytest.mark.parametrize("how", ["key", "size", "suspend"])
def test_what_something_else_overwrote_is_painted_again(how: str) -> None:
    with demo("panels", as_job=how == "suspend") as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        before = terminal.text()
        for y in range(terminal.rows):
            terminal.screen.cursor_position(y + 1, 1)
            terminal.screen.draw("#" * terminal.columns)
        assert before != terminal.text()
        if how == "key":
            terminal.press("\x0c")
        elif how == "suspend":
            terminal.press("ctrl+z")
            terminal.wait_until_stopped()
            terminal.signal(signal.SIGCONT)
        else:
            terminal.resize(90, 30)
            terminal.wait_until_gone("##")
            terminal.resize(80, 24)
        terminal.wait_until_gone("##")
        terminal.wait_for("Event 4")
        terminal.settle()
        assert terminal.text() == before


def test_pasted_control_characters_are_text() -> None:
    with demo("form") as terminal:
        terminal.wait_for("UPN")
        terminal.settle()
        terminal.send_raw(b"\x1b[200~\r\npa\x1b[31mst\x07ed\tq\rmore\x1b[201~")
        terminal.wait_for(r"\[pa.\[31mst.ed q +\]")
        terminal.settle()
        assert "more" not in terminal.text()
        assert "the first of 2 was pasted" in terminal.text()


def test_a_paste_that_does_not_fit_is_told_and_changes_nothing() -> None:
    with demo("form") as terminal:
        terminal.wait_for("UPN")
        terminal.settle()
        terminal.press("j", "o")
        terminal.send_raw(b"\x1b[200~" + b"a" * 5000 + b"\x1b[201~")
        terminal.wait_for("Nothing was pasted: 5,000 characters do not fit")
        assert "[jo  " in terminal.text()


def test_a_paste_that_is_too_long_is_refused_aloud() -> None:
    with demo("form") as terminal:
        terminal.wait_for("UPN")
        terminal.settle()
        for part in (b"\x1b[200~", *[b"a" * 100_000] * 11, b"\x1b[201~"):
            terminal.send_raw(part)
        terminal.wait_for("1,100,000 characters are more than 1,000,000")


def test_slow_terminal_sees_the_newest_state_without_a_queue() -> None:
    """A terminal that reads slowly gets what is newest once it reads, not every frame in between."""
    with demo("users", env={"DEMO_ROWS": "100000"}) as terminal:
        terminal.wait_for("User 0")
        terminal.press("tab")
        terminal.settle()
        before = len(terminal.output)
        for _ in range(300):
            terminal.press("pagedown")
            time.sleep(0.01)
        process, before_that = psutil.Process(terminal.process.pid), -1.0
        while (used := sum(process.cpu_times()[:2])) != before_that:
            before_that = used
            time.sleep(0.5)  # until it has taken all keys, however busy this machine is
        terminal.wait_for(r"> . \w+ +User 5\d\d\d")
        terminal.settle()
        assert len(terminal.output) - before < 300 * 1000 / 2
