"""However it ends, the shell gets back a terminal that works and an exit status that is right."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.pty import Terminal

DEMO = [sys.executable, "-m", "tests.screens.console_call"]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal([*DEMO, "panels"], env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("Event 4")
        terminal.settle()
        yield terminal


def assert_clean(terminal: Terminal) -> None:
    assert terminal.modes_left() == []
    assert not terminal.is_raw()


def test_quit_leaves_a_clean_terminal(demo: Terminal) -> None:
    assert demo.is_raw()
    demo.press("q")
    assert demo.wait() == 0
    assert_clean(demo)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["term", "hup"]
)
def test_signal_ends_it(demo: Terminal, number: int, status: int) -> None:
    demo.signal(number)
    assert demo.wait(2.0) == status
    assert_clean(demo)


@pytest.mark.kill
def test_signal_ends_it_while_the_terminal_takes_nothing(demo: Terminal) -> None:
    """Output blocks here: nobody reads, and repainting fills what the kernel keeps."""
    for _ in range(400):
        demo.press("\x0c")
    demo.signal(signal.SIGTERM)
    assert demo.process.wait(4.0) == 143


def test_lost_terminal_ends_it(demo: Terminal) -> None:
    demo.hang_up()
    assert demo.process.wait(3.0) in (129, -signal.SIGHUP)


def test_suspend_and_come_back() -> None:
    with Terminal([*DEMO, "panels"], as_job=True) as demo:
        demo.wait_for("Event 4")
        demo.settle()
        before = demo.text()
        demo.press("ctrl+z")
        demo.wait_until_stopped()
        assert_clean(demo)
        assert "Managed Exchange" not in demo.text()
        demo.signal(signal.SIGCONT)
        demo.wait_for("Managed Exchange")
        demo.settle()
        assert demo.text() == before
        assert demo.is_raw()
        demo.press("enter")
        demo.wait_for("Standard Mail")


def test_crash_tells_no_data(demo: Terminal, tmp_path: Path) -> None:
    demo.press("b")
    assert demo.wait() == 1
    assert_clean(demo)
    output = demo.output.decode()
    log = tmp_path / "mission-control" / "crash.log"
    assert "stopped because of a fault in itself (RuntimeError)" in demo.text().replace("\n", "")
    assert "hunter2" not in output
    assert "Traceback" not in output
    assert "hunter2" not in log.read_text().replace(
        'RuntimeError("a fault with a secret: hunter2")', ""
    )
    assert "verb_buy" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_mouse_bytes_of_old_terminals_do_no_harm(demo: Terminal) -> None:
    demo.send_raw(b"\x1b[M\xff\xe9\x80\x1b[M \xc3\xa9")
    demo.press("enter")
    demo.wait_for("Standard Mail")


def test_broken_text_does_no_harm(demo: Terminal) -> None:
    demo.send_raw(b"\xff\xfe\xc3\x28\x1b[999;999;999Z\x1b]0;x\x07\x1bP\x1b\\")
    demo.press("enter")
    demo.wait_for("Standard Mail")


def run_without_terminal(**env: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys\n"
        "from tests.screens import console_call\n"
        "status = console_call.run()\n"
        "print('textual' in sys.modules)\n"
        "sys.exit(status)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **env},
    )


def test_no_terminal_is_one_clear_line() -> None:
    result = run_without_terminal(TERM="xterm")
    assert result.returncode == 2
    assert result.stdout == "False\n"
    assert len(result.stderr.splitlines()) == 1
    assert "needs a terminal" in result.stderr


def test_dumb_terminal_is_refused(tmp_path: Path) -> None:
    call = "import sys; from tests.screens import console_call; sys.exit(console_call.run())"
    with Terminal([sys.executable, "-c", call], term="dumb") as terminal:
        assert terminal.wait() == 2
        assert "cannot show full screens" in terminal.text().replace("\n", "")
        assert b"\x1b" not in terminal.output
