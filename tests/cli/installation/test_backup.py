"""Backup and restore: whole or not at all, beside everything that runs, in a new epoch, nothing of before lost."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from mission_control_tui.settings.settings import PREFIX, locations
from tests.cli.inprocess import answer, call, ok
from tests.postgres import PostgresServer

INIT = ("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A backup of an installation with one user, to whom another was added since."""
    ok(*INIT)
    user("ada")
    backup = tmp_path / "monday"
    ok("backup", str(backup))
    user("ben")
    return backup


@pytest.fixture
def kept_on_postgresql(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The same on PostgreSQL."""
    monkeypatch.setenv(PREFIX + "DATABASE", postgres_server.dsn(postgres_server.create_database()))
    monkeypatch.setenv(PREFIX + "WORKER__KEY_FILE", str(tmp_path / "worker.key"))
    ok("upgrade")
    ok(*INIT)
    user("ada")
    ok("backup", str(tmp_path / "monday"))
    user("ben")
    return tmp_path / "monday"


def user(name: str) -> None:
    names = ("--first-names", name.title(), "--last-name", "Byron")
    upn = ("--upn", f"{name}@acme.example", "--password-stdin")
    ok("users", "create", *upn, *names, stdin="Correct-Horse-7\n")


def upns() -> set[str]:
    return {user["upn"] for user in answer("users", "list")["users"]}


def found_in_the_middle() -> list[str]:
    return [user["upn"] for user in answer("find", "@acme")["users"]]


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name.startswith("."))


@contextlib.contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow past this: what a full disk is to a program."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_restore_brings_back_what_was_and_keeps_what_is(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert left(kept.parent) == []
    looked = answer("restore", str(kept), "--dry-run")
    assert (looked["applied"], upns()) == (False, {"ada@acme.example", "ben@acme.example"})
    assert call("restore", str(kept)).code == 7  # asks, and there is no terminal
    done = answer("restore", str(kept), "--yes", "--ticket", "T-9")
    assert (done["applied"], done["epoch"]) == (True, 2)
    assert upns() == {"ada@acme.example"}
    assert found_in_the_middle() == ["ada@acme.example"]
    aside = Path(done["aside"])
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (2,)
    (entry,) = [one for one in answer("audit")["entries"] if one["action"] == "raise epoch"]
    assert (entry["ticket"], entry["before"], entry["after"]["epoch"]) == ("T-9", {"epoch": 1}, 2)
    assert ok("doctor").code == 0
    assert left(locations().database.parent) == []
    # Of what was kept aside a later one is no repetition: the epoch only rises.
    assert answer("restore", str(kept), "--yes")["epoch"] == 3
    assert answer("restore", "--new-epoch", "--yes")["epoch"] == 4


def test_everything_lost_is_back_with_its_key(kept: Path) -> None:
    data = locations().data
    key = Path(f"{locations().database}.key").read_bytes()
    shutil.rmtree(data)
    done = answer("restore", str(kept), "--yes")
    assert done["aside"] == ""
    assert upns() == {"ada@acme.example"}
    assert Path(f"{locations().database}.key").read_bytes() == key
    assert stat.S_IMODE(Path(f"{locations().database}.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(locations().database.stat().st_mode) == 0o600
    assert ok("doctor").code == 0


def test_the_key_can_be_left_out_and_then_its_lack_is_told(kept: Path, tmp_path: Path) -> None:
    ok("backup", "--without-key", str(tmp_path / "no-key"))
    with tarfile.open(tmp_path / "no-key") as archive:
        assert archive.getnames() == ["manifest.json", "dump"]
    key = Path(f"{locations().database}.key")
    key.write_bytes(b"x" * 32)
    assert "does not belong" in answer("restore", str(tmp_path / "no-key"), "--yes")["key"]
    assert "restored" in answer("restore", str(kept), "--yes")["key"]
    assert next(key.parent.glob("*.key.before-restore-*")).read_bytes() == b"x" * 32


def test_a_damaged_database_is_kept_as_it_is_and_replaced(kept: Path) -> None:
    database = locations().database
    for end in ("-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    database.write_bytes(b"no database" * 1000)
    done = answer("restore", str(kept), "--yes")
    assert upns() == {"ada@acme.example"}
    assert Path(done["aside"]).read_bytes().startswith(b"no database")


def test_what_is_no_backup_changes_nothing(kept: Path, tmp_path: Path) -> None:
    whole = kept.read_bytes()
    files = {
        "nothing": None,
        "empty": b"",
        "text": b"hello",
        "cut": whole[: len(whole) // 2],
        "database": locations().database.read_bytes(),
    }
    for name, content in files.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        refused = call("restore", str(path), "--yes", "--json")
        assert (refused.code, refused.error["code"]) == (3, "invalid-input"), name
    changed = tmp_path / "changed"
    with tarfile.open(kept) as source, tarfile.open(changed, "w:gz") as target:
        for member in source:
            content_of = source.extractfile(member)
            if member.name == "dump" and content_of is not None:
                body = bytearray(content_of.read())
                body[5000] ^= 1
                (tmp_path / "body").write_bytes(body)
                target.add(tmp_path / "body", "dump")
            else:
                target.addfile(member, content_of)
    assert "manifest" in call("restore", str(changed), "--yes").err
    os.mkfifo(tmp_path / "pipe")
    assert call("restore", str(tmp_path / "pipe"), "--yes").code == 3
    assert call("restore", "--yes").code == call("restore", str(kept), "--new-epoch").code == 2
    assert upns() == {"ada@acme.example", "ben@acme.example"}


def test_a_backup_of_another_installation_or_a_newer_schema_is_refused(
    kept: Path, tmp_path: Path
) -> None:
    other = str(tmp_path / "other.db")
    ok(*INIT, "--database", other)
    refused = call("restore", str(kept), "--yes", "--json", "--database", other)
    assert (refused.code, refused.error["code"]) == (5, "conflict")
    newer = tmp_path / "newer"
    with tarfile.open(kept) as source, tarfile.open(newer, "w:gz") as target:
        for member in source:
            if member.name == "manifest.json":
                stated = json.load(source.extractfile(member))  # type: ignore[arg-type]
                (tmp_path / "manifest").write_text(json.dumps({**stated, "schema": "9999"}))
                target.add(tmp_path / "manifest", "manifest.json")
            else:
                target.addfile(member, source.extractfile(member))
    assert "newer than this program" in call("restore", str(newer), "--yes").err


def test_nothing_is_restored_while_somebody_works_there_unless_told(kept: Path) -> None:
    from mission_control_tui.model.store.processes import this_process

    host, pid, started = this_process()
    with contextlib.closing(sqlite3.connect(locations().database)) as db, db:
        db.execute(
            "INSERT INTO sessions VALUES ('s', 'mia', ?, ?, ?, '{}', '', '2026-01-01', '2026-01-01', '')",
            (host, pid, started),
        )
    refused = call("restore", str(kept), "--yes")
    assert refused.code == 5
    assert "the console of mia" in refused.err
    # A connection that is open meanwhile sees the one state or the other.
    with contextlib.closing(sqlite3.connect(locations().database)) as reader:
        assert reader.execute("SELECT count(*) FROM users").fetchone() == (2,)
        ok("restore", str(kept), "--yes", "--while-running")
        assert reader.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_read_only_makes_backups_and_restores_none(kept: Path, tmp_path: Path) -> None:
    ok("--read-only", "backup", str(tmp_path / "second"))
    before = locations().database.read_bytes()
    for arguments in ((str(kept),), ("--new-epoch",)):
        assert call("--read-only", "restore", *arguments, "--yes").code == 7
    assert locations().database.read_bytes() == before
    assert call("backup", str(kept)).code == 5
    assert call("--database", str(tmp_path / "none.db"), "backup", str(tmp_path / "x")).code == 8
    assert not (tmp_path / "none.db").exists()


def test_a_full_disk_leaves_no_half_backup_and_no_half_restore(kept: Path, tmp_path: Path) -> None:
    for size in (4_096, 100_000):
        with small_files(size):
            assert call("backup", str(tmp_path / "full")).code == 8
            assert call("restore", str(kept), "--yes").code == 8
    assert not (tmp_path / "full").exists()
    assert left(tmp_path) == left(locations().data) == []
    assert upns() == {"ada@acme.example", "ben@acme.example"}
    assert not [*locations().data.glob("*before-restore*")]


def test_a_kill_in_the_middle_leaves_the_whole_database_and_nothing_for_good(kept: Path) -> None:
    killed = (
        "import os; from mission_control_tui.model.store.backups import sqlite;"
        "put = sqlite._pour; calls = [];\n"
        "def pour(*paths):\n"
        "    calls.append(paths)\n"
        "    os.kill(os.getpid(), 9) if len(calls) == 2 else put(*paths)\n"
        "sqlite._pour = pour\n"
        "from mission_control_tui.cli.main import main\n"
        f"main(['restore', {str(kept)!r}, '--yes'])"
    )
    done = subprocess.run([sys.executable, "-c", killed], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert upns() == {"ada@acme.example", "ben@acme.example"}
    assert left(locations().data)
    ok("restore", str(kept), "--yes")
    assert left(locations().data) == []
    assert upns() == {"ada@acme.example"}


def test_postgresql_is_backed_up_and_restored(
    kept_on_postgresql: Path,
    postgres_server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup = kept_on_postgresql
    done = answer("restore", str(backup), "--yes")
    assert (done["epoch"], upns()) == (2, {"ada@acme.example"})
    # The audit is append-only there as well, ids go on, and what was there is kept.
    user("cid")
    assert found_in_the_middle() == ["ada@acme.example", "cid@acme.example"]
    name = os.environ[PREFIX + "DATABASE"].rpartition("/")[2]
    aside = done["aside"].removeprefix("schema ")
    counted = postgres_server.execute(f"SELECT count(*) FROM {aside}.users", database=name)
    assert counted == [(2,)]
    with pytest.raises(Exception, match="append-only"):
        postgres_server.execute("DELETE FROM audit", database=name)
    assert [one["action"] for one in answer("audit")["entries"]].count("raise epoch") == 1
    # Into an empty one, and not a SQLite file.
    empty = postgres_server.dsn(postgres_server.create_database())
    assert answer("restore", str(backup), "--yes", "--database", empty)["aside"] == ""
    assert {one["upn"] for one in answer("users", "list", "--database", empty)["users"]} == {
        "ada@acme.example"
    }
    assert call("restore", str(backup), "--yes", "--database", str(tmp_path / "x.db")).code == 3
    monkeypatch.setenv("PATH", "/nonexistent")
    refused = call("backup", str(tmp_path / "tuesday"), "--json")
    assert (refused.code, "pg_dump is not installed" in refused.error["what"]) == (8, True)


def schemas() -> int:
    with psycopg.connect(os.environ[PREFIX + "DATABASE"]) as connection:
        rows = connection.execute("SELECT FROM pg_namespace WHERE nspname LIKE 'before_restore%'")
        return len(rows.fetchall())


@pytest.mark.proof
def test_a_full_disk_or_a_kill_leaves_postgresql_whole(
    kept_on_postgresql: Path, tmp_path: Path
) -> None:
    before = ({"ada@acme.example", "ben@acme.example"}, 0)
    for size in (4_096, 60_000):
        with small_files(size):
            assert call("backup", str(tmp_path / "full")).code == 8
            assert call("restore", str(kept_on_postgresql), "--yes").code == 8
    assert not (tmp_path / "full").exists()
    assert left(tmp_path) == []
    assert (upns(), schemas()) == before
    restore = [sys.executable, "-m", "mission_control_tui", "restore", str(kept_on_postgresql)]
    for kill in (os.killpg, os.kill):
        with psycopg.connect(os.environ[PREFIX + "DATABASE"]) as holder:
            holder.execute("LOCK TABLE users IN ACCESS SHARE MODE")
            killed = subprocess.Popen(
                [*restore, "--yes"], start_new_session=True, stderr=subprocess.DEVNULL
            )
            wait_until(lambda: waiting() > 0)
            kill(killed.pid, signal.SIGKILL)
            assert killed.wait(10) == -signal.SIGKILL
        wait_until(lambda: others() == 0)
        # Without its psql nothing has happened; a psql that is left may go on, and then all has.
        after = ({"ada@acme.example"}, 1)
        assert (upns(), schemas()) in ((before,) if kill is os.killpg else (before, after))
    ok("restore", str(kept_on_postgresql), "--yes")
    assert upns() == {"ada@acme.example"}


def waiting() -> int:
    return connections("wait_event_type = 'Lock'")


def others() -> int:
    return connections("pid <> pg_backend_pid()")


def connections(which: str) -> int:
    asked = f"SELECT FROM pg_stat_activity WHERE datname = current_database() AND {which}"
    with psycopg.connect(os.environ[PREFIX + "DATABASE"]) as connection:
        return len(connection.execute(asked).fetchall())


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)
