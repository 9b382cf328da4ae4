"""A call that is read-only writes nothing: every command that only looks is run, and the database is what it was."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mission_control_tui.cli.main import root
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.settings.settings import locations
from tests.cli.command import ROOT, Command

ADA = "ada@acme.example"
SETTINGS = """
[services]
databases = "other"

[connectors.other]
type = "simulator"
mode = "enabled"
"""
LOOKS = {
    "clock show": ((),),
    "account contacts list": ((),),
    "account statement": (
        (),
        ("--month", "2026-02"),
        ("--month", "2026-02", "--format", "csv"),
        ("--all-accounts",),
    ),
    "account usage": ((), ("--all-accounts",)),
    "account domains": ((),),
    "account list": ((),),
    "account show": (("acme",),),
    "catalogue check": (("catalogue.toml",),),
    "catalogue diff": (("catalogue.toml",),),
    "catalogue export": ((),),
    "catalogue show": (("email",),),
    "services list": ((),),
    "orders list": ((),),
    "orders show": (("1",),),
    "find": (("ada",),),
    "users list": ((), ("ada",)),
    "users recent": ((),),
    "users export": ((),),
    "users show": ((ADA,),),
    "users bin": ((),),
    "users history": ((ADA,),),
    "templates list": ((),),
    "templates show": (("staff",),),
    "objects kinds": ((),),
    "objects list": ((),),
    "objects show": (("Sales",),),
    "schedule list": ((),),
    "bulk list": ((),),
    "bulk show": (("1",),),
    "attention": ((), ("red", "--csv")),
    "adopt scan": (("simulator",), ("simulator", "--all-accounts")),
    "status": ((), (ADA,), ("--all-accounts",)),
    "lights": ((), ("orange",)),
    "requests list": ((),),
    "requests show": (("1",),),
    "drafts list": ((),),
    "audit": ((), ("--csv",), ("--script",), ("--all-accounts",)),
    "settings show": ((),),
    "doctor": ((),),
    "connectors list": ((), ("--csv",)),
    "connectors check": ((),),
    "connectors show": (("simulator",),),
    "connectors schema": ((),),
    "docs": ((), ("cli",)),
    "locate": ((),),
    "completion": (("bash",),),
    "account approval": ((),),
    "drift": ((),),
}
"""Every command that only looks, with the arguments of each call."""

CHANGES = {
    "backup",
    "upgrade",
    "worker",
    "settings set",
    "settings unset",
    "drafts show",
    "drafts discard",
    "bulk plan",
}
"""They have no --dry-run and are no looks: the administrator's, one's own files and forms, a plan's locks."""


def leaves(command: click.Command, context: click.Context, path: str) -> Iterator[str]:
    """The commands without --dry-run."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            inner = click.Context(below, parent=context, info_name=name)
            yield from leaves(below, inner, f"{path} {name}".strip())
    elif not any("--dry-run" in one.opts for one in command.params):
        yield path


def test_every_command_that_looks_is_run_here() -> None:
    assert set(leaves(root, click.Context(root), "")) == (set(LOOKS) | CHANGES) - {
        "account approval",
        "drift",
    }


@pytest.fixture
def busy(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`acme` with something of everything; a schedule is due, months are over, the settings changed, no worker ran."""
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    acme.user("ada")
    acme.user("bob")
    acme.ok("provision", ADA, "managed-exchange", "--level", "popx")
    acme.ok("templates", "save", "staff", "--like", ADA)
    acme.ok(
        "objects",
        "create",
        "distribution-group",
        "Sales",
        "sales@acme.example",
        "--add",
        f"owner={ADA}",
    )
    acme.ok("schedule", "add", ADA, "+1h", "suspend", "managed-exchange")
    acme.ok("bulk", "start", "disable", "bob@acme.example", "--yes")
    with contextlib.closing(sqlite3.connect(acme.database)) as connection:
        connection.execute("UPDATE accounts SET created_at = '2026-01-05 00:00:00.000000'")
        connection.execute("UPDATE schedules SET due_at = '2026-01-06 00:00:00.000000'")
        connection.commit()
    (acme.directory / "catalogue.toml").write_text(shipped(), "utf-8")
    locations().settings_file.parent.mkdir(parents=True, exist_ok=True)
    locations().settings_file.write_text(SETTINGS, "utf-8")
    monkeypatch.delenv("MISSION_CONTROL_NO_WORKER")
    return acme


def files(home: Path) -> set[str]:
    """Everything in the home but what an open database has beside it, and the back end that is looked at."""
    found = (str(one) for one in home.rglob("*") if one.is_file())
    return {one for one in found if not one.endswith(("-wal", "-shm", "simulator.db"))}


def test_nothing_is_written_for_who_is_read_only(
    busy: Command, hermetic_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_READ_ONLY", "1")
    before, there = busy.contents(), files(hermetic_home)
    with contextlib.closing(sqlite3.connect(busy.database)) as watching:

        def version() -> int:
            return int(watching.execute("PRAGMA data_version").fetchone()[0])

        first = version()
        for path, calls in LOOKS.items():
            for arguments in calls:
                result = busy.run(*path.split(), *arguments)
                assert result.code in (0, 1 if path == "doctor" else 0), (path, result.err)
                assert version() == first, path
    assert busy.contents() == before
    assert files(hermetic_home) == there
    assert busy.workers() == []


def test_a_month_that_is_over_is_shown_to_who_is_read_only_and_closed_for_others(
    busy: Command,
) -> None:
    shown = busy.json("--read-only", "account", "statement", "--month", "2026-02")["statement"]
    assert (shown["closed_at"], shown["is_over"]) == (None, True)
    said = busy.ok("--read-only", "account", "statement", "--month", "2026-02").out
    assert "The month is over and not closed" in said
    kept = busy.json("account", "statement", "--month", "2026-02")["statement"]
    assert kept["closed_at"]
    assert {**kept, "closed_at": None} == shown
    assert (
        busy.json("--read-only", "account", "statement", "--month", "2026-02")["statement"] == kept
    )


def test_a_first_start_that_is_read_only_makes_no_database(inside: Command) -> None:
    refused = inside.run("--read-only", "users", "list")
    assert refused.code != 0
    assert "There is no database" in refused.err
    assert not inside.database.exists()


MOUNTED = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


def test_on_a_read_only_file_system_everything_can_be_looked_at(
    busy: Command, hermetic_home: Path
) -> None:
    apart = ["unshare", "-rm", "sh", "-c", MOUNTED, "sh", str(hermetic_home)]
    try:
        subprocess.run([*apart, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a directory read-only (unshare -rm)")
    there = files(hermetic_home)
    ran = subprocess.run(
        [*apart, sys.executable, "-m", "tests.cli.read_only_disk", str(hermetic_home)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": "/dev/shm"},
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout) == {}
    assert files(hermetic_home) == there


def test_what_is_refused_has_changed_nothing_before(
    inside: Command, hermetic_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    refused = inside.run("--read-only", "upgrade")
    assert refused.code == 7
    assert not inside.database.exists()
    inside.ok("status")
    inside.run("worker", "--once")
    simulator = inside.database.with_name("simulator.db")
    before = inside.contents(), simulator.read_bytes(), files(hermetic_home)
    (inside.directory / "users.csv").write_text("upn,display_name\nnobody@nowhere.example,X\n,\n")
    for words in (
        ("demo", "reset", "--yes"),
        ("upgrade",),
        ("worker", "--once"),
        ("init", "--name", "Acme", "--code", "acme"),
        ("users", "import", "users.csv", "--passwords-out", "p.csv", "--rejects-out", "r.csv"),
        ("users", "password", "maria@sample.example", "--passwords-out", "p.csv"),
        (
            "bulk",
            "start",
            "password",
            "--where",
            "light=green",
            "--passwords-out",
            "p.csv",
            "--yes",
        ),
    ):
        refused = inside.run("--read-only", *words)
        assert refused.code not in (0, 1), (words, refused.out, refused.err)
        after = inside.contents(), simulator.read_bytes(), files(hermetic_home)
        assert after[:2] == before[:2], words
        assert after[2] - before[2] <= {str(inside.directory / "users.csv")}, words


def test_a_read_only_call_upgrades_no_database(inside: Command) -> None:
    script = ROOT / "tests" / "data" / "store-0002.sql"
    with contextlib.closing(sqlite3.connect(inside.directory / "old.db")) as old:
        old.executescript(script.read_text("utf-8"))
    before = (inside.directory / "old.db").read_bytes()
    refused = inside.run("--read-only", "--database", "old.db", "account", "list")
    assert refused.code == 8
    database = inside.directory / "old.db"
    assert f"mission-control --database {database} upgrade" in refused.err
    assert (inside.directory / "old.db").read_bytes() == before
    assert [path.name for path in inside.directory.iterdir()] == ["old.db"]


def test_a_reset_that_is_refused_leaves_the_simulator_as_it_is(
    inside: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    inside.ok("status")
    inside.run("worker", "--once")
    simulator = inside.database.with_name("simulator.db")
    with contextlib.closing(sqlite3.connect(inside.database)) as stored:
        stored.execute("UPDATE accounts SET is_sample = 0")
        stored.commit()
    before = simulator.read_bytes()
    refused = inside.run("demo", "reset", "--yes")
    assert refused.code == 5
    assert simulator.read_bytes() == before
