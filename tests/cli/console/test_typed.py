"""Commands that are typed in the console, as processes: what others on the machine can see of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mission_control_tui.cli.console import typed
from mission_control_tui.cli.main import root
from mission_control_tui.model.errors import UsageError

URL = "postgresql://mc:Kp7m-xR4w@db.example/mc"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of Python, a program that says what it was called with."""
    program = tmp_path / "program"
    program.write_text(
        '#!/bin/sh\necho "words: $*"\necho "$MISSION_CONTROL_ACCOUNT $MISSION_CONTROL_DATABASE"\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


async def words_and_places(line: str) -> tuple[str, str]:
    ran = await typed.run(
        typed.understand(root, line), typed.CommandScope(URL, "acme", "T-1", "5" * 32)
    )
    words, places = ran.output.splitlines()
    return words.removeprefix("words: "), places


@pytest.mark.usefixtures("told")
async def test_the_password_of_the_database_is_in_no_process_list() -> None:
    words, places = await words_and_places("users list")
    assert words == "-P -m mission_control_tui users list"
    assert places == f"acme {URL}"


@pytest.mark.usefixtures("told")
async def test_another_database_can_be_typed() -> None:
    words, _places = await words_and_places("users list --database other.db")
    assert "users list --database other.db" in words


@pytest.mark.parametrize("before", ["--account other ", "--database=x.db --account other "])
def test_options_before_a_command_hide_nothing_of_it(before: str) -> None:
    assert typed.understand(root, f"{before}users delete ada@acme.example").asks
    with pytest.raises(UsageError, match="outside of the console"):
        typed.understand(root, f"{before}worker")


async def test_no_module_of_the_directory_is_imported_by_what_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = "from pathlib import Path\nPath('planted').touch()\n"
    (tmp_path / "click.py").write_text(planted)
    (tmp_path / "startup.py").write_text(planted)
    (tmp_path / "list.csv").write_text("no users\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    here = typed.CommandScope(str(tmp_path / "a.db"), "acme")
    ran = await typed.run(typed.understand(root, "locate database"), here)
    assert (ran.code, ran.output.strip()) == (0, str(tmp_path / "a.db"))
    # What the operator names is still found where the console was started.
    ran = await typed.run(typed.understand(root, "catalogue check list.csv"), here)
    assert "list.csv" in ran.output
    assert "line 1" in ran.output
    assert not (tmp_path / "planted").exists()
