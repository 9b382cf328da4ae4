"""`drift`, `requests allow` and a changed connector by the real command."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command


def settings(*lines: str) -> None:
    """Write the settings file: no delays, and these lines."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["[connectors.simulator]", "delay_factor = 0", *lines]) + "\n")


@pytest.fixture
def still(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Without delays, and without a worker unless a test runs one."""
    settings()
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    return acme


def give(mc: Command, name: str) -> str:
    upn = mc.user(name)
    mc.ok("provision", upn, "managed-exchange", "--level", "popx")
    return upn


def work(mc: Command) -> None:
    done = mc.run("worker", "--idle-exit", "0.2", seconds=90)
    assert done.code == 0, done.err


def change_by_hand(mc: Command, level: str) -> None:
    """What somebody does past Mission Control: another level of every mailbox."""
    path = mc.database.with_name("simulator.db")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as simulator:
        simulator.execute(
            "UPDATE object SET body = json_set(body, '$.level', ?)"
            " WHERE service = 'managed-exchange'",
            (level,),
        )
        simulator.commit()


def test_drift_is_told_flagged_and_put_right(still: Command) -> None:
    ada, bob = give(still, "ada"), still.user("bob")
    work(still)
    agrees = still.ok("drift")
    assert agrees.out == ""
    assert "1 looked at, 0 differ" in agrees.err
    change_by_hand(still, "pc-web")

    tried = still.run("drift", "--dry-run", "--json")
    assert tried.code == 13
    assert tried.json["applied"] is False
    assert still.json("status", ada)["services"][0]["drift"] is False
    assert still.run("drift", bob).code == 0
    found = still.run("drift", "--json", "--ticket", "T-7")
    assert found.code == 13
    assert json.loads(found.err)["error"]["exit_code"] == 13
    (one,) = found.json["drifted"]
    assert (one["subject"], one["service"], one["reason"]) == (ada, "managed-exchange", None)
    assert one["differs"] == [{"what": "level", "back_end_has": "pc-web", "wished": "popx"}]
    assert found.json["flags"] == {"set": 1, "cleared": 0}
    text = still.run("drift", "--service", "Managed Exchange")
    assert "    level: pc-web -> popx\n" in text.out
    services = {one["service"]: one for one in still.json("status", ada)["services"]}
    assert services["managed-exchange"]["drift"] is True
    assert services["managed-exchange"]["light"] == "green"
    assert "(drift)" in still.ok("status").out
    entries = still.json("audit")["entries"]
    assert ("drift found", "T-7") in {(entry["action"], entry["ticket"]) for entry in entries}

    still.ok("provision", ada, "managed-exchange", "--level", "popx")
    work(still)
    assert still.ok("drift", "--json").json["drifted"] == []
    assert "Nothing to do" in still.ok("provision", ada, "managed-exchange").out


def test_orphans_are_listed_and_what_cannot_be_looked_at_is_told(still: Command) -> None:
    ada = give(still, "ada")
    work(still)
    still.ok("deprovision", ada, "managed-exchange", "--yes")
    path = still.database.with_name("simulator.db")
    with contextlib.closing(sqlite3.connect(path)) as simulator:
        rows = simulator.execute("SELECT * FROM object").fetchall()
    work(still)
    assert still.ok("drift", "--orphans").out == ""
    with contextlib.closing(sqlite3.connect(path)) as simulator:
        simulator.executemany("INSERT INTO object VALUES (?, ?, ?, ?)", rows)
        simulator.commit()
    found = still.run("drift", "--orphans", "--json")
    assert found.code == 13
    assert [one["connector"] for one in found.json["orphans"]] == ["simulator"]
    assert "orphan " in still.run("drift", "--orphans").out

    give(still, "bob")
    work(still)
    settings('mode = "sometimes"')
    away = still.run("drift", "--json")
    assert away.code == 14
    (missed,) = away.json["not_looked_at"]
    assert (missed["connector"], missed["services"]) == ("simulator", 1)
    assert "mode" in missed["said"]


def test_another_connector_in_the_settings_turns_the_lights_at_the_next_call(
    still: Command,
) -> None:
    ada = give(still, "ada")
    work(still)
    second = still.database.with_name("second.db")
    settings(
        "[connectors.second]",
        'type = "simulator"',
        f'path = "{second}"',
        "delay_factor = 0",
        "[services]",
        'managed-exchange = "second"',
    )
    assert still.ok("provision", ada, "managed-exchange", "--level", "popx", "--dry-run").code == 0
    told = still.ok("status", ada, "--json")
    assert "The connector of managed-exchange changed from simulator to second: 1 " in told.err
    (one,) = [row for row in told.json["services"] if row["service"] == "managed-exchange"]
    assert (one["light"], one["word"], one["connector"]) == ("orange", "Not checked", "second")
    assert still.ok("status", ada).err.count("changed from") == 0
    assert still.run("status", ada, "--wait", "5").code == 0
    still.ok("provision", ada, "managed-exchange", "--level", "popx")
    work(still)
    (one,) = [
        row for row in still.json("status", ada)["services"] if row["service"] == "managed-exchange"
    ]
    assert (one["light"], one["connector"]) == ("green", "second")


def test_too_many_removals_are_warned_of_and_wait_for_a_yes(still: Command) -> None:
    settings("[worker]", "removal_limit = 1")
    users = [give(still, name) for name in ("ada", "bob", "eve")]
    still.ok(*("provision", users[0], "databases", "--level", "small"), "--passwords-out", "db.csv")
    work(still)
    tried = still.ok("users", "deprovision", users[0], "--yes", "--dry-run")
    assert "These are 2 removals, and more than 1 at a time wait" in tried.err
    done = still.json("users", "deprovision", users[0], "--yes")
    assert "mission-control requests allow" in done["plan"]["warnings"][0]
    single = still.ok("deprovision", users[1], "managed-exchange", "--yes")
    assert "Warning" not in single.err
    work(still)
    lights = [one["light"] for one in still.json("status")["services"]]
    assert sorted(lights) == ["green", "grey", "orange", "orange"]
    waiting = still.json("requests", "list", "--state", "waiting")["requests"]
    assert len(waiting) == 2
    assert waiting[0]["waiting_for"] == (
        "permission: more than 1 removal within 1 minute (mission-control requests allow)"
    )
    assert "Paused: more than 1 removal within 1 minute" in still.ok("status").out
    refused = still.run("requests", "allow")
    assert refused.code == 7
    assert "Let 2 removals go" in refused.err
    allowed = still.json("requests", "allow", "--yes")
    assert sorted(allowed["allowed"]) == sorted(one["id"] for one in waiting)
    work(still)
    assert "Nothing to do" in still.ok("requests", "allow", "--yes").out
    lights = [one["light"] for one in still.json("status")["services"]]
    assert sorted(lights) == ["green", "grey", "grey", "grey"]


def test_drift_looks_where_the_detached_worker_has_written(mc: Command) -> None:
    settings()
    named = ("--database", mc.directory / "other.db")
    mc.ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example", *named)
    mc.ok("buy", "email", "--level", "popx", "--quantity", "1", *named)
    names = ("--first-names", "Ada", "--last-name", "Example", "--password-stdin")
    upn = "ada@acme.example"
    mc.ok("users", "create", "--upn", upn, *names, *named, stdin=b"Correct-Horse-7\n")
    given = ("provision", upn, "managed-exchange", "--level", "popx", "--wait", "60")
    try:
        mc.ok(*given, *named)
        assert "1 looked at, 0 differ" in mc.ok("drift", *named).err
    finally:
        mc.end_workers(mc.directory / "other.db")
