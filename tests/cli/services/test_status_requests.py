"""`status`, `requests` and `worker` by the real command."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

WAIT = ("--wait", "90")
KEYS = {
    *("subject", "user_id", "service", "service_name", "instance", "level", "level_name", "light"),
    *(
        "subject_kind",
        "word",
        "step",
        "error",
        "since",
        "wish",
        "suspended",
        "usage",
        "kept_until",
        "not_kept",
        "drift",
        "settings",
        "connector",
    ),
    *("login", "request"),
}


@pytest.fixture
def still(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Without delays, and without a worker unless a test runs one."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    return acme


def give(mc: Command, name: str, level: str = "popx") -> str:
    upn = mc.user(name)
    mc.ok("provision", upn, "managed-exchange", "--level", level)
    return upn


def work(mc: Command) -> str:
    """A worker in the foreground until nothing is left; returns its log."""
    done = mc.run("worker", "--idle-exit", "0.2", seconds=90)
    assert done.code == 0, done.err
    assert done.out == ""
    return done.err


def test_the_lights_as_json_and_as_text(still: Command) -> None:
    ada, bad = give(still, "ada"), give(still, "never.works")
    bob = still.user("bob")
    first = still.json("status")["services"]
    assert {one["light"] for one in first} == {"orange"}
    assert "~ Queued" in still.ok("status").out
    work(still)
    services = {one["subject"]: one for one in still.json("status")["services"]}
    assert set(services) == {ada, bad}
    assert {key for one in services.values() for key in set(one) ^ KEYS} == set()
    assert services[ada]["light"] == "green"
    assert services[ada]["error"] is None
    assert services[ada]["usage"] == {}
    assert services[bad]["error"]["kind"]
    grey = still.json("status", bob)["services"]
    assert {(one["service"], one["light"], one["word"]) for one in grey} == {
        ("databases", "grey", "Not provisioned"),
        ("managed-exchange", "grey", "Not provisioned"),
    }
    text = still.ok("status")
    assert "* Provisioned" in text.out
    assert "X Error" in text.out
    assert "1 red, 1 green." in text.err
    assert [one["subject"] for one in still.json("status", "--light", "red")["services"]] == [bad]
    assert still.run("status", *WAIT).code == 10
    assert still.run("status", "nobody").code == 4
    red = still.json("users", "list", "--light", "red")["users"]
    assert [one["upn"] for one in red] == [bad]


def test_the_lights_of_all_users_as_a_matrix(still: Command) -> None:
    upn = give(still, "alan")
    other = still.user("grace")
    shown = still.ok("lights")
    assert "ME Managed Exchange" in shown.out + shown.err
    assert [line.split()[:2] for line in shown.out.splitlines() if "@" in line] == [
        [upn, "~Q"],
        [other, "--"],
    ]
    found = still.json("lights", "orange", "popx")
    (row,) = found["users"]
    assert (row["upn"], found["total"], found["more"]) == (upn, 1, False)
    cell = row["services"]["managed-exchange"]
    assert (cell["light"], cell["letter"], cell["level"]) == ("orange", "Q", "popx")
    assert still.json("lights", "red")["users"] == []
    by_age = still.json("lights", "--sort", "oldest", "--limit", "1")["users"]
    assert [one["upn"] for one in by_age] == [upn]


def test_all_that_is_red_is_tried_again_and_counted(still: Command) -> None:
    people = [give(still, "fails.once"), give(still, "ada")]
    work(still)
    tried = still.ok("requests", "retry", "--all-red", "--dry-run")
    assert "1 would be queued again." in tried.out
    done = still.ok("requests", "retry", "--all-red", "--ticket", "T-9")
    assert "1 was queued again." in done.out
    work(still)
    assert {one["light"] for one in still.json("status")["services"]} == {"green"}
    none = still.ok("requests", "retry", "--all-red")
    assert "0 were queued again." in none.out
    assert len(people) == len(still.json("status")["services"])
    assert still.run("requests", "retry").code == 2
    assert still.run("requests", "retry", "1", "--all-red").code == 2
    listed = still.json("requests", "list")["requests"]
    assert [one["id"] for one in listed] == sorted((one["id"] for one in listed), reverse=True)
    assert listed[0]["ticket"] == "T-9"


def test_a_request_is_shown_cancelled_and_retried(still: Command) -> None:
    ada = give(still, "ada")
    (one,) = still.json("requests", "list", "--state", "queued")["requests"]
    number = str(one["id"])
    assert "queued" in still.ok("requests", "show", number).out
    assert "provision managed-exchange" in still.ok("requests", "list", "--user", ada).out
    before = still.contents()
    still.ok("requests", "cancel", number, "--dry-run")
    assert still.contents() == before
    assert still.json("requests", "cancel", number)["state"] == "cancelled"
    assert still.json("status")["services"][0]["light"] == "grey"
    assert still.run("requests", "cancel", number).code == 5
    assert still.run("requests", "show", "999").code == 4


def test_a_stuck_request_is_reset_and_provisioned_again(still: Command) -> None:
    ada = give(still, "ada")
    (one,) = still.json("requests", "list")["requests"]
    still.ok("requests", "reset", str(one["id"]))
    red = still.json("status")["services"][0]
    assert red["light"] == "red"
    assert "Provision again" in red["error"]["remedy"]
    still.ok("provision", ada, "managed-exchange")
    work(still)
    shown = still.json("requests", "show", str(still.json("requests", "list")["requests"][0]["id"]))
    assert shown["request"]["state"] == "succeeded"
    assert {step["state"] for step in shown["steps"]} == {"done"}
    assert shown["events"]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.proof)]
)
def test_a_worker_in_the_foreground_ends_cleanly(still: Command, number: signal.Signals) -> None:
    give(still, "ada")
    with still.start("worker") as worker:
        deadline = time.monotonic() + 60
        while still.json("status")["services"][0]["light"] != "green":
            assert time.monotonic() < deadline
        second = still.run("worker")
        assert second.code == 5
        assert "A worker runs already" in second.err
        os.kill(worker.pid, number)
        out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert out == b""
    assert b"begins at" in err
    assert b"ends with code 0" in err
    assert b"Traceback" not in err
    assert still.workers() == []


def test_the_history_of_a_user_has_changes_and_requests(still: Command) -> None:
    ada = give(still, "ada")
    work(still)
    text = still.ok("users", "history", ada).out
    assert text.index("create user") < text.index("provision managed-exchange")
    assert "(provision managed-exchange): succeeded" in text
    told = still.json("users", "history", ada)
    assert [one["action"] for one in told["changes"]] == [
        "create user",
        "provision managed-exchange",
    ]
    assert [one["state"] for one in told["requests"]] == ["succeeded"]
    json.dumps(told)


def test_taking_everything_from_a_user(still: Command) -> None:
    ada = give(still, "ada")
    still.ok("provision", ada, "databases", "--passwords-out", "db.csv")
    work(still)
    still.ok("users", "deprovision", ada, "--yes")
    work(still)
    assert {one["light"] for one in still.json("status", ada)["services"]} == {"grey"}
    assert "Nothing to do" in still.ok("users", "deprovision", ada, "--yes").out
