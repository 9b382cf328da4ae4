"""A session written as a script of commands: run in a fresh installation, it leads to the same state."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.model.people.fields import FIELDS
from tests.cli.inprocess import answer, call, ok

DONE: tuple[tuple[str, ...], ...] = (
    ("buy", "email", "--level", "pc-web", "--quantity", "3"),
    ("buy", "email", "--level", "popx", "--quantity", "2"),
    (
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "O'Brien; $(x)", "--title", "-Analyst", "--notes", "two\nlines"),
        *("--expires-on", "2030-01-31", "--passwords-out", "a.csv"),
    ),
    (
        *("users", "create", "--upn", "bob@acme.example", "--first-names", "Bob"),
        *("--last-name", "=Blue", "--manager", "ada@acme.example", "--passwords-out", "b.csv"),
    ),
    ("provision", "ada@acme.example", "managed-exchange", "--level", "popx", "--set", "quota=2 GB"),
    ("provision", "bob@acme.example", "managed-exchange", "--level", "popx"),
    ("users", "alias", "add", "ada@acme.example", "countess@acme.example"),
    ("users", "alias", "add", "ada@acme.example", "al@acme.example"),
    ("users", "alias", "primary", "ada@acme.example", "countess@acme.example"),
    ("users", "alias", "remove", "ada@acme.example", "al@acme.example"),
    ("users", "edit", "bob@acme.example", "--title", "", "--city", "Zürich", "--country", "CH"),
    ("users", "edit", "bob@acme.example", "--upn", "rob@acme.example"),
    ("users", "disable", "rob@acme.example"),
    ("users", "enable", "rob@acme.example"),
    ("suspend", "ada@acme.example", "managed-exchange"),
    ("users", "password", "ada@acme.example", "--passwords-out", "c.csv"),
    ("deprovision", "rob@acme.example", "managed-exchange", "--yes"),
    ("account", "add-domain", "second.example"),
    ("account", "edit", "acme", "--time-zone", "Australia/Sydney", "--password-length", "10"),
    ("remove", "email", "--level", "pc-web", "--quantity", "1", "--yes"),
)
STATED = {field.name for field in FIELDS} | {"aliases", "primary_address"}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)


def begin(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_DATABASE", database)
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")


def state() -> dict[str, Any]:
    """What is wished, without ids and times."""
    account = answer("account", "show", "acme")
    people = {}
    for line in answer("users", "list")["users"]:
        user = answer("users", "show", line["upn"])
        lights = answer("status", line["upn"])["services"]
        people[line["upn"]] = (
            {key: value for key, value in user.items() if key in STATED},
            [tuple(one[key] for key in ("service", "level", "wish", "settings")) for one in lights],
        )
    return {
        "zone": account["account"]["time_zone"],
        "policy": account["policy"],
        "domains": account["account"]["domains"],
        "seats": answer("services", "list")["seats"],
        "people": people,
    }


def test_a_session_can_be_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("first.db", monkeypatch)
    for words in DONE:
        ok(*words, "--ticket", "T-7")
    wanted = state()
    script = ok("audit", "--ticket", "T-7", "--script").out
    assert script.startswith("#!/bin/sh\nset -eu\n")

    begin("second.db", monkeypatch)
    for told in commands(script):
        assert told[0] == "mission-control"
        again = tuple(f"second-{word}" if word.endswith(".csv") else word for word in told[1:])
        ok(*again)
    assert state() == wanted
    assert len(wanted["people"]) == 2
    assert [one[1][0][2] for one in wanted["people"].values()] == ["suspended", "absent"]


def test_a_script_of_all_accounts_does_each_change_in_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def begin_both(database: str) -> None:
        begin(database, monkeypatch)
        ok("init", "--name", "Evil", "--code", "evil", "--domain", "evil.example")

    def cities() -> dict[str, list[tuple[str, str]]]:
        return {
            code: [
                (line["upn"], answer("--account", code, "users", "show", line["upn"])["city"])
                for line in answer("--account", code, "users", "list")["users"]
            ]
            for code in ("acme", "evil")
        }

    begin_both("first.db")
    for code, city in (("evil", "Bonn"), ("acme", "Perth"), ("evil", "Cork")):
        upn = f"{city.lower()}@{code}.example"
        at = ("--account", code, "users")
        ok(
            *(*at, "create", "--upn", upn, "--first-names", "Al", "--last-name", city),
            *("--username", "al" if city != "Cork" else "cork", "--passwords-out", f"{city}.csv"),
            *("--ticket", "T-7"),
        )
        ok(*at, "edit", upn, "--city", city, "--ticket", "T-7")
    wanted = cities()
    script = ok("audit", "--all-accounts", "--ticket", "T-7", "--script").out

    begin_both("second.db")
    for told in commands(script):
        ok(*told[1:])
    assert cities() == wanted
    assert [len(found) for found in wanted.values()] == [1, 2]
    assert {"al.csv", "al-2.csv"} <= {file.name for file in Path().glob("al*.csv")}


def commands(script: str) -> list[list[str]]:
    """The script's commands, read as a shell reads them; an argument may go over several lines."""
    words = shlex.split(script.removeprefix("#!/bin/sh\nset -eu\n"), comments=True)
    found: list[list[str]] = []
    for word in words:
        if word == "mission-control":
            found.append([])
        found[-1].append(word)
    return found


def test_no_password_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("first.db", monkeypatch)
    secret = "Kp7m-xR4w-9fTc"
    ok(
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "L", "--password-stdin"),
        stdin=f"{secret}\n",
    )
    ok("users", "password", "ada@acme.example", "--password-stdin", stdin=f"{secret}2\n")
    for form in ("--script", "--csv", "--text", "--json"):
        told = ok("audit", form).out
        assert secret not in told
    assert call("audit", "--script", "--json").code == 2
