"""Files that are read: regular ones, up to their limit, whatever the name stands for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mission_control_tui.connect import ConnectorError, SecretReference
from mission_control_tui.model.errors import InvalidInput, MissionControlError, StoreError
from mission_control_tui.model.input_files import FileTooLarge, NoRegularFile, read_file
from mission_control_tui.model.onboarding.files.read import contents
from mission_control_tui.model.store import sealing
from mission_control_tui.provisioning.connectors.simulator.rules import read_rules
from mission_control_tui.settings import settings

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, Path]:
    """Names that stand for something else than a file of moderate size."""
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "link").symlink_to("/dev/zero")
    return {
        "pipe": tmp_path / "fifo",
        "socket": tmp_path / "socket",
        "device": Path("/dev/zero"),
        "linked device": tmp_path / "link",
        "directory": tmp_path,
        "huge": tmp_path / "huge",
    }


def test_only_regular_files_are_read_and_only_to_their_limit(
    odd: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert read_file(path, 10) == b"x" * 10
    with pytest.raises(FileTooLarge, match="larger than 0 KiB"):
        read_file(path, 9)
    # It states no size, so that only what is read can be counted.
    with pytest.raises(FileTooLarge):
        read_file(Path("/proc/self/maps"), 100)
    for name, place in odd.items():
        with pytest.raises(FileTooLarge if name == "huge" else OSError):
            read_file(place, 1000)
    with pytest.raises(NoRegularFile, match="it is a pipe, not a file"):
        read_file(odd["pipe"], 1000)


def test_every_reader_says_so_in_its_own_words(
    odd: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in odd.values():
        with pytest.raises(MissionControlError, match="cannot be read"):
            contents(path)
        with pytest.raises(StoreError, match="cannot be read"):
            sealing.unseal(path, b"")
        with pytest.raises(ConnectorError, match="cannot be read"):
            SecretReference("password", path).read()
        with pytest.raises(InvalidInput):
            read_rules(path)
        monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(path))
        with pytest.raises(MissionControlError, match="cannot be read"):
            settings.find()
