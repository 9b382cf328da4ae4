"""`--all-accounts`: what reads one account reads all that the caller may see, with the account in each row."""

from __future__ import annotations

import csv
import io

import click
import pytest

from mission_control_tui.cli.main import root
from tests.cli.inprocess import answer, call, ok
from tests.cli.test_read_only import LOOKS

PASSWORD = "Kp7m-xR4w-9fTc\n"


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    for code in ("acme", "globex"):
        at = ("--account", code)
        ok("init", "--name", f"{code} Ltd", "--code", code, "--domain", f"{code}.example")
        ok(*at, "buy", "email", "--level", "popx", "--quantity", "2", "--ticket", code)
        ok(
            *(*at, "users", "create", "--upn", f"ada@{code}.example"),
            *("--first-names", "Ada", "--last-name", code, "--password-stdin"),
            stdin=PASSWORD,
        )
        ok(*at, "provision", f"ada@{code}.example", "managed-exchange", "--level", "popx")
        ok(*at, "schedule", "add", f"ada@{code}.example", "+3d", "disable")


def cells(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ok(*arguments, "--all-accounts", "--csv").out)))


LISTS = {
    ("status",): "services",
    ("lights",): "users",
    ("users", "list"): "users",
    ("users", "list", "ada", "--light", "orange"): "users",
    ("users", "bin"): "users",
    ("users", "export"): "users",
    ("objects", "list"): "objects",
    ("templates", "list"): "templates",
    ("account", "domains"): "domains",
    ("account", "contacts", "list"): "contacts",
    ("account", "usage", "--idle"): "idle_seats",
    ("requests", "list"): "requests",
    ("orders", "list"): "orders",
    ("schedule", "list"): "schedules",
    ("services", "list"): "seats",
    ("account", "usage"): "usage",
}


ONE = {
    "account approval": "a number of one account's own",
    "account list": "of all accounts anyway",
    "account show": "everything of one account",
    "find": "of all accounts anyway",
    "users recent": "of all accounts anyway",
    **dict.fromkeys(("users show", "users history"), "one user"),
    **dict.fromkeys(
        ("bulk show", "objects show", "orders show", "requests show", "templates show"), "one thing"
    ),
    **dict.fromkeys(
        (
            *("catalogue check", "catalogue diff", "catalogue export", "catalogue show"),
            *("connectors check", "connectors list", "connectors show", "connectors schema"),
            *("clock show", "completion", "docs", "doctor", "locate", "objects kinds"),
            "settings show",
        ),
        "the installation's",
    ),
}
"""Commands that look and have no --all-accounts, and what they are of."""


def test_whatever_reads_an_account_reads_all() -> None:
    for path in LOOKS:
        command: click.Command = root
        for word in path.split():
            assert isinstance(command, click.Group)
            below = command.get_command(click.Context(command), word)
            assert below is not None
            command = below
        spans = any("--all-accounts" in parameter.opts for parameter in command.params)
        assert spans is (path not in ONE), path


def test_each_row_names_its_account_as_text_json_and_csv() -> None:
    for code in ("acme", "globex"):
        at = ("--account", code)
        ok(
            *(*at, "users", "create", "--upn", f"bob@{code}.example"),
            *("--first-names", "Bob", "--last-name", code, "--password-stdin"),
            stdin=PASSWORD,
        )
        ok(*at, "users", "delete", f"bob@{code}.example", "--yes")
        ok(*at, "users", "disable", f"ada@{code}.example")
        ok(*at, "account", "contacts", "set", "primary", "--name", "Rita")
        ok(*at, "templates", "save", "staff", "--field", "department=Shop")
        ok(*at, "objects", "create", "mail-contact", "Print", f"print@{code}.print.example")
    for command, name in LISTS.items():
        found = answer(*command, "--all-accounts")[name]
        codes = [row["account"] for row in found]
        assert set(codes) == {"acme", "globex"}, command
        lines = ok(*command, "--all-accounts").out.splitlines()
        if command == ("users", "export"):
            assert [line.split(",")[0] for line in lines] == ["Account", "acme", "globex"]
            continue
        assert [row["account"] for row in cells(*command)] == codes, command
        assert lines[0].split()[0].upper() == "ACCOUNT", command
        assert {line.split()[0] for line in lines[1:]} >= {"acme", "globex"}, command
        if command != ("account", "usage", "--idle"):
            one = answer(*command, "--account", "acme")[name]
            assert all("account" not in row for row in one), command
    for command in (("users", "list"), ("lights",), ("account", "domains"), ("services", "list")):
        page = answer(*command, "--all-accounts", "--limit", "1")
        assert (len(page[LISTS[command]]), page["more"]) == (1, True), command
        rest = answer(*command, "--all-accounts", "--offset", "1")
        assert rest["more"] is False, command
        assert rest[LISTS[command]][0]["account"] == "globex", command
        assert "--offset 1" in ok(*command, "--all-accounts", "--limit", "1").err, command
    assert call("status").code == 2, "without it one account has to be named"


def test_pages_are_said_and_nothing_is_in_two_of_them() -> None:
    first = ok("status", "--all-accounts", "--limit", "1")
    assert "--offset 1" in first.err
    second = ok("status", "--all-accounts", "--limit", "1", "--offset", "1")
    assert second.err == ""
    assert first.out.splitlines()[1].split()[0] != second.out.splitlines()[1].split()[0]
    newest = ok("orders", "list", "--all-accounts", "--limit", "1")
    assert "--before" in newest.err
    assert [row["order"] for row in cells("orders", "list", "--before", "2")] == ["1"]
    assert len(cells("status", "--light", "orange")) == 2
    assert cells("status", "--light", "red") == []


def test_the_audit_and_statements_are_of_all_accounts() -> None:
    entries = answer("audit", "--all-accounts", "--action", "buy")["entries"]
    assert [(entry["account"], entry["ticket"]) for entry in entries] == [
        ("globex", "globex"),
        ("acme", "acme"),
    ]
    assert {row["account"] for row in cells("audit")} == {"acme", "globex"}
    assert "  globex  " in ok("audit", "--all-accounts").out.splitlines()[0]
    page = answer("account", "statement", "--all-accounts", "--limit", "1")
    assert [one["account_code"] for one in page["statements"]] == ["acme"]
    rest = answer("account", "statement", "--all-accounts", "--after", page["after"])
    assert [one["account_code"] for one in rest["statements"]] == ["globex"]
    assert rest["after"] is None
    rows = ok("account", "statement", "--all-accounts", "--format", "csv").out.splitlines()
    assert len([row for row in rows if ",total," in row]) == 2
    assert [line.split()[0] for line in rows[1:]] == sorted(line.split()[0] for line in rows[1:])


def test_what_is_about_one_user_needs_an_account() -> None:
    for command in (
        ("status", "ada@acme.example"),
        ("requests", "list", "--user", "ada@acme.example"),
        ("audit", "--user", "ada@acme.example"),
        ("drift", "ada@acme.example"),
    ):
        refused = call(*command, "--all-accounts")
        assert (refused.code, "--account CODE" in refused.err) == (2, True), command


def test_what_waits_anywhere_is_one_list() -> None:
    found = answer("attention", "--sort", "account")["services"]
    assert [(one["account"], one["light"]) for one in found] == [
        ("acme", "orange"),
        ("globex", "orange"),
    ]
    assert [row["account"] for row in cells("attention", "orange", "globex")] == ["globex"]
    assert [one["account"] for one in answer("--account", "acme", "attention")["services"]] == [
        "acme"
    ]
    assert "Nothing is red" in ok("attention", "red").err
    assert "--offset 1" in ok("attention", "--limit", "1").err


def test_drift_looks_at_every_account() -> None:
    found = answer("drift", "--all-accounts")["accounts"]
    assert [(one["account"], one["looked"]) for one in found] == [("acme", 0), ("globex", 0)]


def test_lights_by_age_come_first_and_the_others_by_code() -> None:
    assert answer("lights", "--all-accounts", "--sort", "oldest")["users"] != []
    first = answer("lights", "--all-accounts", "--sort", "oldest", "--limit", "1")["users"]
    rest = answer("lights", "--all-accounts", "--sort", "oldest", "--offset", "1")["users"]
    assert [user["upn"] for user in (*first, *rest)] == ["ada@acme.example", "ada@globex.example"]
    newest = answer("lights", "--all-accounts", "--sort", "newest")["users"]
    assert [user["account"] for user in newest] == ["globex", "acme"]
    assert answer("lights", "green", "--all-accounts", "--sort", "oldest")["users"] == []
    assert len(answer("lights", "ada", "orange", "--all-accounts")["users"]) == 2
