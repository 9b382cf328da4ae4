"""Files for an operator: named as people type them, new, private, never over another one."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model.billing.statement_files import put
from mission_control_tui.model.errors import Conflict, StoreError, UsageError
from mission_control_tui.model.store import private_files, sealing


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


@contextlib.contextmanager
def full_disk(room: int = 4096) -> Iterator[None]:
    """No file can grow beyond `room` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, told)


def test_a_full_disk_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    data, old, added = b"x" * 100_000, tmp_path / "old.toml", tmp_path / "added.csv"
    old.write_bytes(b"as it was\n")
    added.write_bytes(b"upn,password\n")
    writers = (
        lambda: put(tmp_path / "statement.pdf", data),
        lambda: private_files.write_at_once(tmp_path / "audit.csv", data),
        lambda: private_files.write_over(old, data),
        lambda: private_files.append(added, data),
        lambda: private_files.make(tmp_path / "refused.csv", data),
    )
    for write in writers:
        with full_disk(), pytest.raises((UsageError, StoreError, OSError)):
            write()
    assert {path.name for path in tmp_path.iterdir()} == {"old.toml", "added.csv"}
    assert old.read_bytes() == b"as it was\n"
    assert added.read_bytes() == b"upn,password\n"
    put(tmp_path / "statement.pdf", data)
    assert (tmp_path / "statement.pdf").read_bytes() == data
    assert (tmp_path / "statement.pdf").stat().st_mode & 0o777 == 0o600


def test_a_file_is_made_whole_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    private_files.make(tmp_path / "new", b"all of it")
    assert (tmp_path / "new").read_bytes() == b"all of it"
    with pytest.raises(FileExistsError):
        private_files.make(tmp_path / "new", b"again")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_key_that_somebody_put_there_is_not_used(tmp_path: Path) -> None:
    key = tmp_path / "planted.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    with pytest.raises(StoreError, match="open to others"):
        sealing.public_key(key)
    key.chmod(0o600)
    assert sealing.public_key(key)
    if os.geteuid() == 0:
        os.chown(key, 12345, -1)
        with pytest.raises(StoreError, match="belongs to another user"):
            sealing.public_key(key)
    with pytest.raises(StoreError, match="cannot be made"):
        sealing.public_key(tmp_path / "nowhere" / "key")


def test_a_process_that_is_killed_leaves_no_half_of_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(private_files, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            sealing.public_key(tmp_path / "key")
    assert not list(tmp_path.iterdir())
    assert sealing.public_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_size == 32


def test_a_log_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    log, elsewhere = tmp_path / "worker.log", tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody's\n")
    log.symlink_to(elsewhere)
    with pytest.raises(OSError, match="is a link"):
        private_files.open_log(log)
    log.unlink()
    os.link(elsewhere, log)
    with pytest.raises(OSError, match="is a link"):
        private_files.open_log(log)
    log.unlink()
    os.mkfifo(log)
    with pytest.raises(OSError, match="is a link"):
        private_files.open_log(log)
    log.unlink()
    descriptor = private_files.open_log(log)
    os.write(descriptor, b"begins\n")
    os.close(descriptor)
    assert elsewhere.read_bytes() == b"somebody's\n"
    assert log.stat().st_mode & 0o777 == 0o600
