"""`schedule`, `users bin` and `users purge`, and who does what was due."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.cli.command import Command


def test_a_schedule_from_the_command_line_and_back(acme: Command) -> None:
    upn = acme.user("ada")
    dry = acme.json(
        *("schedule", "add", upn, "tomorrow 18:00", "disable", "--ticket", "T-7"), "--dry-run"
    )
    assert not dry["applied"]
    assert acme.json("schedule", "list")["schedules"] == []
    made = acme.json("schedule", "add", upn, "tomorrow 18:00", "disable", "--ticket", "T-7")
    one = made["schedule"]
    assert (one["state"], one["ticket"], one["what"]) == ("waiting", "T-7", "Disable the user")
    number = str(one["id"])
    changed = acme.json("schedule", "change", number, "--when", "+3d")["schedule"]
    assert changed["due_at"] > one["due_at"]
    assert acme.json("schedule", "list", "--user", upn)["schedules"] == [changed]
    listed = acme.ok("schedule", "list").out
    assert changed["when"] in listed
    assert "Disable the user" in listed
    assert acme.json("schedule", "cancel", number)["schedule"]["state"] == "cancelled"
    assert acme.run("schedule", "cancel", number).code == 5
    assert acme.json("schedule", "list", "--state", "waiting")["schedules"] == []


def test_level_and_settings_can_be_changed_one_by_one(acme: Command) -> None:
    upn = acme.user("ada")
    add = ("schedule", "add", upn, "+2h", "provision", "managed-exchange")
    one = acme.json(*add, "--level", "Standard Mail (POPX)")["schedule"]
    assert one["level"] == "popx"
    level = acme.json("schedule", "change", str(one["id"]), "--level", "pc-web")["schedule"]
    assert (level["level"], level["due_at"]) == ("pc-web", one["due_at"])


def test_wrong_calls_say_what_to_write(acme: Command) -> None:
    upn = acme.user("ada")
    past = acme.run("schedule", "add", upn, "2020-01-01 09:00", "disable")
    assert past.code == 3
    assert "is past" in past.err
    assert "tomorrow 18:00" in past.err
    assert acme.run("schedule", "add", upn, "+1h", "suspend").code == 2
    assert acme.run("schedule", "change", "1").code == 2
    assert acme.run("schedule", "cancel", "77").code == 4


def let_it_be_due(command: Command) -> None:
    with closing(sqlite3.connect(command.database, timeout=30)) as database, database:
        database.execute("UPDATE schedules SET due_at = '2026-01-01 00:00:00.000000'")


def test_once_does_what_is_due_and_ends(acme: Command) -> None:
    upn = acme.user("ada")
    acme.ok("schedule", "add", upn, "+3d", "provision", "managed-exchange", "--level", "popx")
    assert acme.run("worker", "--once").code == 0
    assert acme.json("schedule", "list")["schedules"][0]["state"] == "waiting"
    let_it_be_due(acme)
    assert acme.run("worker", "--once").code == 0
    (one,) = acme.json("schedule", "list")["schedules"]
    assert one["state"] == "done"
    assert one["request"] is not None
    lights = {
        service["service"]: service["light"] for service in acme.json("status", upn)["services"]
    }
    assert lights["managed-exchange"] == "green"


def test_any_command_starts_a_worker_for_what_is_due(acme: Command) -> None:
    upn = acme.user("ada")
    acme.ok("schedule", "add", upn, "+3d", "disable")
    assert acme.workers() == []
    let_it_be_due(acme)
    acme.ok("users", "list")
    for _ in range(200):
        (one,) = acme.json("schedule", "list")["schedules"]
        if one["state"] == "done":
            break
    assert one["state"] == "done"
    assert acme.json("users", "show", upn)["disabled"]


def test_the_bin_lists_restores_and_purges(acme: Command) -> None:
    upn = acme.user("ada")
    acme.ok("users", "delete", upn, "--yes")
    (one,) = acme.json("users", "bin")["users"]
    assert (one["upn"], one["age_days"]) == (upn, 0)
    assert one["purge_at"] > one["deleted_at"]
    assert acme.run("users", "purge", upn).code == 7
    assert not acme.json("users", "purge", upn, "--dry-run")["applied"]
    told = acme.ok("users", "purge", upn, "--yes")
    assert "cannot be undone" in told.err
    assert acme.json("users", "bin")["users"] == []
    assert acme.run("users", "restore", upn).code == 4
    acme.user("ada")
