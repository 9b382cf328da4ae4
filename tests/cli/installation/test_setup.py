"""init, demo reset, upgrade, locate, completion, and the first start."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings.settings import locations
from tests.cli.command import Command
from tests.cli.inprocess import answer, call, ok
from tests.support import require

INIT = ("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


def codes() -> list[str]:
    return [one["code"] for one in answer("account", "list")["accounts"]]


def test_first_command_makes_sample_in_private_place() -> None:
    first = ok("status", "--json")
    assert {one["light"] for one in first.json["services"]} == {"orange"}
    assert "sample account was made" in first.err
    assert codes() == ["sample"]
    database = locations().database
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert "sample account was made" not in ok("status").err


def test_sample_is_made_where_a_first_start_was_cut_short() -> None:
    ok("upgrade")
    assert codes() == []
    assert answer("services", "list")["seats"]
    assert codes() == ["sample"]


def test_init_on_an_empty_database_makes_no_sample() -> None:
    made = answer(*INIT, "--ticket", "T-1")
    assert made["applied"] is True
    assert made["account"]["domains"] == ["acme.example"]
    assert codes() == ["acme"]
    assert {one["ticket"] for one in answer("audit")["entries"]} == {"T-1"}


def test_dry_run_of_init_makes_no_file() -> None:
    shown = ok(*INIT, "--dry-run")
    assert "acme.example" in shown.out
    assert not locations().data.exists() or not list(locations().data.iterdir())


def test_init_names_every_mistake_at_once() -> None:
    refused = call("init", "--name", " ", "--code", "A", "--domain", "no domain", "--json")
    assert refused.code == 3
    assert {one["where"] for one in refused.error["problems"]} == {"name", "code", "domain"}
    also = call("init", "--name", " ", "--code", "A", "--domain", "xn--99999.com", "--json")
    assert {one["where"] for one in also.error["problems"]} == {"name", "code", "domain"}


def test_init_beside_the_sample_makes_the_real_account_the_one_that_is_meant() -> None:
    ok("status")
    ok(*INIT)
    assert answer("account", "show")["account"]["code"] == "acme"


def test_named_database_is_not_made_by_a_typing_error(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    refused = call("--database", str(path), "status")
    assert refused.code == 8
    assert str(path) in refused.err
    assert f"mission-control --database {path} init" in refused.err
    assert not path.exists()
    ok(*INIT, "--database", str(path))
    assert answer("account", "list", "--database", str(path))["accounts"][0]["code"] == "acme"
    assert not locations().database.exists()


def test_demo_reset_spares_real_accounts() -> None:
    ok(*INIT)
    ok("demo", "reset", "--yes")
    before = answer("account", "show", "acme")
    ok("buy", "databases", "--level", "small", "--account", "sample")
    ok("demo", "reset", "--yes")
    assert codes() == ["acme", "sample"]
    assert answer("account", "show", "acme") == before
    seats = answer("services", "list", "--account", "sample")["seats"]
    assert [one["owned"] for one in seats if one["service_id"] == "databases"] == [5]


def test_demo_reset_asks_first() -> None:
    ok("status")
    refused = call("demo", "reset")
    assert (refused.code, refused.out) == (7, "")
    assert "--yes" in refused.err
    declined = call("demo", "reset", stdin="n\n", terminal=True)
    assert declined.code == 7
    assert "is as it was" in ok("demo", "reset", stdin="y\n", terminal=True).out


def test_demo_reset_dry_run_changes_nothing() -> None:
    ok("status")
    before = answer("status")
    plan = answer("demo", "reset", "--dry-run")
    assert plan["applied"] is False
    assert answer("status") == before


def test_demo_reset_clears_the_simulator(mc: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISSION_CONTROL_NO_WORKER")
    settle(mc)
    simulator = locations().database.with_name("simulator.db")
    first = {one.key for one in ledger(simulator)}
    assert objects(simulator) <= first
    mc.ok("demo", "reset", "--yes")
    lights = settle(mc)
    assert sorted(lights) == ["green"] * 7 + ["orange"] + ["red"] * 3
    assert objects(simulator)
    assert not objects(simulator) & first


def settle(mc: Command) -> list[str]:
    """Wait until only the one that depends on a red one is orange; the lights."""
    deadline = time.monotonic() + 90
    while True:
        found = mc.json("status")["services"]
        if not any(one["word"] in ("Queued", "Provisioning") for one in found):
            return [one["light"] for one in found]
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def objects(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {row[0] for row in db.execute("SELECT json_extract(body, '$.key') FROM object")}


def test_upgrade_says_before_and_after() -> None:
    made = answer("upgrade")
    assert made["before"] is None
    assert made["database"] == str(locations().database)
    again = answer("upgrade")
    assert again == {**made, "before": made["after"]}
    assert "Nothing to do" in ok("upgrade").err


def test_upgrade_of_postgresql(postgres_url: str, tmp_path: Path) -> None:
    os.environ["MISSION_CONTROL_DATABASE"] = postgres_url
    os.environ["MISSION_CONTROL_WORKER__KEY_FILE"] = str(tmp_path / "worker.key")
    refused = call("account", "list")
    assert refused.code == 8
    assert "mission-control upgrade" in refused.err
    made = answer("upgrade")
    assert made["before"] is None
    assert made["after"]
    assert "Nothing to do" in ok("upgrade").err
    ok(*INIT)
    assert codes() == ["acme"]
    assert answer("doctor")["healthy"] is True
    assert answer("locate", "log") == {"log": None}
    assert call("locate", "log").code == 8


def test_locate_makes_nothing_and_names_every_place() -> None:
    found = answer("locate")
    assert set(found) == {"settings", "data", "database", "state", "log", "key"}
    assert ok("locate", "database").out.strip() == str(locations().database)
    assert not locations().database.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    assert "_MISSION_CONTROL_COMPLETE" in ok("completion", shell).out


def test_completion_completes_commands_in_bash(mc: Command, tmp_path: Path) -> None:
    bash = require("bash", "sudo apt-get install bash")
    directory = tmp_path / "bin"
    directory.mkdir()
    script = directory / "mission-control"
    script.write_text('#!/bin/sh\nexec "$MC_PYTHON" -m mission_control_tui "$@"\n')
    script.chmod(0o700)
    source = mc.ok("completion", "bash").out
    ask = 'COMP_WORDS=(mission-control cat); COMP_CWORD=1; _mission_control_completion "$0"'
    done = subprocess.run(
        [bash, "-c", f'{source}\n{ask}; echo "${{COMPREPLY[@]}}"', "mission-control"],
        env={
            **os.environ,
            "PATH": f"{directory}:{os.environ['PATH']}",
            "MC_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["catalogue"]
