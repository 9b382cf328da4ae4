"""Files for an operator: named as people type them, new, private, never over another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.model.billing.statement_files import put
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.store import private_files


def test_a_tilde_is_the_operators_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert private_files.path_named(" ~/new.csv ") == tmp_path / "new.csv"


def test_a_home_that_nobody_has_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="~nobody-here"):
        private_files.path_named("~nobody-here/new.csv")
    with pytest.raises(UsageError, match="~nobody-here"):
        put(Path("~nobody-here/new.csv"), b"x")


async def test_a_file_is_new_private_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    await private_files.write_new(path, "one\n")
    private_files.append(path, b"two\n")
    assert path.read_text() == "one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict, match="left alone"):
        await private_files.write_new(path, "three\n")
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(Conflict):
        await private_files.write_new(link, "four\n")
    assert not (tmp_path / "elsewhere.csv").exists()
