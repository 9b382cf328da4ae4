"""./run and ./run-tests on machines that lack something: they say what, how to get it, and recover."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import LOOPBACK, free_port

ROOT = Path(__file__).resolve().parent.parent
CARRIED = ("run", "run-tests", "scripts", "pyproject.toml", "constraints.txt", "README.md")
TOOLS = ("apt-get", "dirname", "env", "getconf", "id", "ls", "readlink", "sed", "sh")
REAL = f'exec "{sys.executable}"'
TOO_OLD = 'case $1 in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac'
WITHOUT_ENSUREPIP = f"""
if [ "$2" = -c ]; then
    {REAL} -I -c 'import sys; sys.modules["ensurepip"] = None; exec(sys.argv[1])' "$3"
fi
shift
{REAL} -I -c 'import runpy, sys; sys.modules["ensurepip"] = None; sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""


class Clone:
    """A copy of the set-up's files on a machine of which only PATH is ours to choose."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "a clone"
        self.root.mkdir()
        for name in CARRIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.root / name)
        package = self.root / "mission_control_tui"
        package.mkdir()
        (package / "__init__.py").write_text('__version__ = "0"\n')
        self.venv = self.root / ".venv"
        self.path = directory / "bin"
        self.path.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found is not None:
                (self.path / tool).symlink_to(found)

    def has_python(self, script: str, name: str = "python3") -> Path:
        """Put a `python3` on PATH that is the shell script `script`."""
        python = self.path / name
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        return python

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """Start ./run or ./run-tests with no package index but a loopback port where nobody answers."""
        nobody = f"http://{LOOPBACK}:{free_port()}/simple"
        own = {
            "PATH": str(self.path),
            "HOME": os.environ["HOME"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": nobody,
            "PIP_RETRIES": "1",
        }
        return subprocess.Popen(
            [f"./{command}", "--version"],
            cwd=self.root,
            env={**own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def fails(self, command: str = "run", **environment: str) -> str:
        """What ./run or ./run-tests says on standard error when it ends with status 1 and no output."""
        with self.start(command, **environment) as process:
            output, said = process.communicate(timeout=120)
        assert (process.returncode, output) == (1, ""), said
        return said


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_without_python_the_line_that_installs_it_is_named(clone: Clone) -> None:
    said = clone.fails()
    assert "Python 3.11 or newer is needed and was not found." in said
    assert "python3" in said.partition("Install it with:")[2]
    assert "PYTHON=/path/to/python3 ./run" in said


def test_an_old_python_is_named_with_its_version(clone: Clone) -> None:
    python = clone.has_python(TOO_OLD)
    assert "python3 is Python 3.9.2" in clone.fails("run-tests")
    said = clone.fails(PYTHON=str(python))
    assert f"PYTHON={python} is Python 3.9.2" in said
    assert "PYTHON=nowhere is not there" in clone.fails(PYTHON="nowhere")


def test_a_python_without_venv_is_named_with_debians_package(clone: Clone) -> None:
    clone.has_python(WITHOUT_ENSUREPIP)
    said = clone.fails()
    assert "has no module ensurepip" in said
    if shutil.which("apt-get"):
        assert "apt-get install -y python3" in said
        assert "-venv" in said
    assert not clone.venv.exists()


def test_a_whole_python_is_preferred_to_a_newer_one_without_venv(clone: Clone) -> None:
    clone.has_python(WITHOUT_ENSUREPIP, "python3.13")
    clone.has_python(f'{REAL} "$@"')
    assert "No network" in clone.fails()


@pytest.mark.proof
def test_no_network_is_named_and_the_next_call_starts_over(clone: Clone) -> None:
    clone.has_python(f'{REAL} "$@"')
    for _ in range(2):
        said = clone.fails()
        assert "[1/2] Making an isolated environment" in said
        assert "No network: the package index cannot be reached." in said
        assert "HTTPS_PROXY=http://PROXY:PORT ./run" in said
        assert "Traceback" not in said
        assert not (clone.venv / "mission-control.json").exists()
    assert [path.name for path in clone.root.glob(".venv*")] == [".venv"]


def test_the_users_own_python_settings_do_not_disturb(clone: Clone, tmp_path: Path) -> None:
    clone.has_python(f'{REAL} "$@"')
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    said = clone.fails(PYTHONPATH=str(tmp_path), PIP_USER="1", VIRTUAL_ENV="/nonexistent")
    assert "No network" in said


def test_somebody_elses_environment_is_left_alone(clone: Clone) -> None:
    clone.has_python(f'{REAL} "$@"')
    clone.venv.mkdir()
    (clone.venv / "pyvenv.cfg").write_text("mine\n")
    said = clone.fails()
    assert "was not made by ./run and is left alone" in said
    assert "MC_VENV=" in said
    assert [path.name for path in clone.venv.iterdir()] == ["pyvenv.cfg"]


def test_an_interrupted_call_says_so_and_leaves_nothing_that_passes_for_complete(
    clone: Clone,
) -> None:
    clone.has_python(f'{REAL} "$@"')
    with clone.start("run") as process:
        deadline = time.monotonic() + 60
        while not (clone.venv / "pyvenv.cfg").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT), said
    assert "Calling ./run again starts this over" in said
    assert (clone.venv / "unfinished").exists()
    assert "[1/2] Making" in clone.fails()


@pytest.mark.proof
def test_a_second_caller_waits_for_the_first(clone: Clone) -> None:
    clone.has_python(f'{REAL} "$@"')
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(clone.start("run")) for _ in range(2)]
        said = [process.communicate(timeout=120)[1] for process in both]
    assert sum("Another set-up is at work in this clone" in text for text in said) == 1
