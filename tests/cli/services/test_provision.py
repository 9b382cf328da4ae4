"""`provision`, `suspend`, `resume`, `deprovision`, with real workers on the simulator."""

from __future__ import annotations

import csv
import json
import stat

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

DB = ("--passwords-out", "db.csv")
WAIT = ("--wait", "90")


@pytest.fixture
def quick(acme: Command) -> Command:
    """Without the simulator's delays."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    return acme


def light(mc: Command, user: str, service: str) -> dict[str, object]:
    (found,) = [one for one in mc.json("status", user)["services"] if one["service"] == service]
    assert isinstance(found, dict)
    return found


def test_a_service_through_its_whole_life(quick: Command) -> None:
    ada = quick.user("ada")
    given = quick.ok("provision", ada, "Databases", *DB, *WAIT, "--json", "--ticket", "T-1")
    assert [(one["light"], one["level"]) for one in given.json["services"]] == [("green", "small")]
    path = quick.directory / "db.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert (row["upn"], row["service"], row["login"]) == (ada, "databases", "acme_ada")
    assert row["password"] not in given.out + given.err + repr(quick.contents())

    suspended = quick.ok("suspend", ada, "databases", *WAIT)
    # A light that settled before the first look is not narrated.
    assert suspended.err == "" or "* Provisioned, suspended" in suspended.err
    assert light(quick, ada, "databases")["suspended"] is True
    assert "Nothing to do" in quick.ok("suspend", ada, "databases").out
    quick.ok("resume", ada, "databases", *WAIT)
    assert light(quick, ada, "databases")["suspended"] is False

    assert quick.run("deprovision", ada, "databases").code == 7
    assert quick.run("users", "delete", ada, "--yes").code == 5
    before = quick.contents()
    assert "wish: present -> absent" in quick.ok("deprovision", ada, "databases", "--dry-run").out
    assert quick.contents() == before
    quick.ok("deprovision", ada, "databases", "--yes", *WAIT)
    assert light(quick, ada, "databases")["light"] == "grey"
    assert "Nothing to do" in quick.ok("deprovision", ada, "databases", "--yes").out
    quick.ok("users", "delete", ada, "--yes")


def test_what_is_so_already_is_left_alone(quick: Command) -> None:
    ada = quick.user("ada")
    quick.ok("provision", ada, "Managed Exchange", "--level", "popx", *WAIT)
    before, effects = quick.contents(), quick.effects()
    again = quick.ok("provision", ada, "managed-exchange", "--level", "popx", *WAIT)
    assert "Nothing to do: everything is so already." in again.out
    after = quick.contents()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert quick.effects() == effects

    level = ("--level", "Managed Exchange - PC & Web Access", "--set", "quota=2 GB")
    change = ("provision", ada, "Managed Exchange", *level)
    tried = quick.ok(*change, "--dry-run")
    assert "level: popx -> pc-web" in tried.out
    assert "free 2 -> 1" in tried.out
    assert quick.contents() == before
    assert quick.ok(*change, *WAIT).out == tried.out
    assert light(quick, ada, "managed-exchange")["level"] == "pc-web"
    settings = light(quick, ada, "managed-exchange")["settings"]
    assert isinstance(settings, dict)
    assert settings["quota"] == 2048


def test_a_generated_password_needs_a_file_before_anything_is_queued(quick: Command) -> None:
    ada = quick.user("ada")
    before = quick.contents()
    refused = quick.run("provision", ada, "databases")
    assert refused.code == 2
    assert "--passwords-out" in refused.err
    (quick.directory / "db.csv").write_text("mine")
    assert quick.run("provision", ada, "databases", *DB).code == 5
    assert quick.run("provision", ada, "databases", *DB, "--dry-run").code == 5
    assert quick.contents() == before
    assert (quick.directory / "db.csv").read_text() == "mine"


CODES = {2: "usage", 3: "invalid-input", 4: "not-found", 5: "conflict", 6: "no-seats"}


def test_calls_that_cannot_be_are_refused_with_what_to_do(quick: Command) -> None:
    ada = quick.user("ada")
    before = quick.contents()
    for code, call in (
        (2, ("provision", ada)),
        (2, ("provision", ada, "managed", "exchange")),
        (2, ("provision", ada, "managed-exchange")),
        (2, ("provision", ada, "managed-exchange", "--level", "popx", "--set", "quota")),
        (3, ("provision", ada, "managed-exchange", "--level", "popx", "--set", "quota=1")),
        (3, ("provision", ada, "managed-exchange", "--level", "popx", "--set", "imap=yes")),
        (4, ("provision", "nobody@acme.example", "databases")),
        (4, ("provision", ada, "telepathy")),
        (4, ("provision", ada, "managed-exchange", "--level", "platinum")),
        (5, ("provision", ada, "web-hosting", "--level", "starter")),
        (6, ("provision", ada, "managed-exchange", "--level", "pc-web-mobile")),
        (4, ("suspend", ada, "databases")),
    ):
        refused = quick.run(*call, "--json")
        assert refused.code == code, (call, refused.err)
        error = json.loads(refused.err)["error"]
        assert error["exit_code"] == code
        assert error["code"] == CODES[code]
        assert error["what"]
        assert refused.out == ""
    assert quick.contents() == before


def test_many_users_at_once_all_or_nobody(quick: Command) -> None:
    people = [quick.user(f"user{number}") for number in range(6)]
    (quick.directory / "six.txt").write_text("".join(f"{upn}\n" for upn in people))
    before = quick.contents()
    refused = quick.run("provision", "databases", "--users-from", "six.txt", *DB)
    assert refused.code == 6
    assert quick.contents() == before
    assert not (quick.directory / "db.csv").exists()
    (quick.directory / "five.txt").write_text("\ufeff" + "\r\n".join([*people[:5], people[0], ""]))
    done = quick.ok("provision", "databases", "--users-from", "five.txt", *DB, *WAIT, "--json")
    assert [one["light"] for one in done.json["services"]] == ["green"] * 5
    assert len((quick.directory / "db.csv").read_text().splitlines()) == 6
    queued = quick.json("requests", "list")["requests"]
    assert {one["priority"] for one in queued} == {"bulk"}
    empty = quick.directory / "empty.txt"
    empty.write_text("\n\n")
    assert quick.run("provision", "databases", "--users-from", "empty.txt").code == 3


def test_red_says_why_what_to_do_and_which_command(quick: Command) -> None:
    bad = quick.user("fails.once")
    call = ("provision", bad, "managed-exchange", "--level", "popx", *WAIT)
    red = quick.run(*call, "--json")
    assert red.code == 10
    (shown,) = red.json["services"]
    assert (shown["light"], shown["word"]) == ("red", "Error")
    assert shown["error"]["said"]
    assert shown["error"]["remedy"]
    text = quick.ok("status", "--light", "red")
    assert "X Error" in text.out
    assert shown["error"]["said"] in text.out
    assert shown["error"]["remedy"] in text.out
    assert f"mission-control provision {bad} managed-exchange" in red.err
    assert quick.run("status", "--wait", "0").code == 10
    quick.ok(*call)
    assert light(quick, bad, "managed-exchange")["light"] == "green"


def test_orange_at_the_end_of_the_wait_is_9_and_nobody_starts_a_worker_when_told_not_to(
    quick: Command,
) -> None:
    ada = quick.user("ada")
    alone = {"MISSION_CONTROL_NO_WORKER": "1"}
    given = quick.run("provision", ada, "databases", *DB, "--wait", "0.5", environment=alone)
    assert given.code == 9
    assert "Queued" in given.err
    assert quick.workers() == []
    assert (quick.directory / "db.csv").read_text().count("acme_ada") == 1
    assert light(quick, ada, "databases")["light"] == "orange"
    quick.ok("status", "--wait", "90")


@pytest.mark.proof
def test_two_at_once_for_the_last_seat(quick: Command) -> None:
    people = [quick.user(f"user{number}") for number in range(4)]
    calls = [
        quick.start(
            *("provision", upn, "managed-exchange", "--level", "pc-web"),
            MISSION_CONTROL_NO_WORKER="1",
        )
        for upn in people
    ]
    for call in calls:
        call.communicate(timeout=90)
    assert sorted(call.returncode for call in calls) == [0, 0, 6, 6]


def test_a_databases_password_is_reset_into_a_file(quick: Command) -> None:
    ada = quick.user("ada")
    quick.ok("provision", ada, "databases", *DB, *WAIT)
    call = ("users", "password", ada, "--service", "databases", "--passwords-out", "new.csv")
    quick.ok(*call, *WAIT)
    with (quick.directory / "new.csv").open(newline="") as file:
        (new,) = list(csv.DictReader(file))
    assert new["upn"] == ada
    assert new["password"] not in (quick.directory / "db.csv").read_text()
    assert light(quick, ada, "databases")["light"] == "green"
