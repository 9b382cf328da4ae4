"""`users`: every verb by the real command; passwords only in files; names only as harmless text."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import Command, Result

ADA = ("--upn", "ada@acme.example", "--first-names", "Ada", "--last-name", "Lovelace")
HARMFUL = [byte for byte in range(32) if byte not in b"\n"] + [127]


def passwords_in(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return {row["upn"]: row["password"] for row in csv.DictReader(file)}


def shows_nowhere(secret: str, results: Sequence[Result]) -> bool:
    return not any(secret in one.out or secret in one.err for one in results)


def test_a_user_needs_a_password_from_somewhere(acme: Command) -> None:
    before = acme.contents()
    for more in ((), ("--password-stdin", "--passwords-out", "p.csv")):
        refused = acme.run("users", "create", *ADA, *more)
        assert refused.code == 2
        assert "--passwords-out" in refused.err
    assert "password: generated" in acme.ok("users", "create", *ADA, "--dry-run").out
    assert acme.contents() == before
    assert not (acme.directory / "p.csv").exists()


def test_a_generated_password_goes_to_a_private_file_and_nowhere_else(acme: Command) -> None:
    path = acme.directory / "p.csv"
    tried = acme.ok("users", "create", *ADA, "--passwords-out", "p.csv", "--dry-run", "--json")
    assert not tried.json["applied"]
    assert not path.exists()
    made = acme.ok("users", "create", *ADA, "--passwords-out", "p.csv", "--json")
    assert made.json["user"]["username"] == "ada"
    assert made.json["user"]["display_name"] == "Ada Lovelace"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (password,) = passwords_in(path).values()
    assert len(password) >= 16
    shown = [made, acme.ok("users", "show", "ada", "--json"), acme.ok("users", "history", "ada")]
    assert shows_nowhere(password, shown)
    assert password not in repr(acme.contents())


def test_a_file_of_passwords_is_never_overwritten(acme: Command) -> None:
    path = acme.directory / "p.csv"
    path.write_text("mine")
    before = acme.contents()
    refused = acme.run("users", "create", *ADA, "--passwords-out", "p.csv")
    assert refused.code == 5
    assert "p.csv" in refused.err
    path.unlink()
    path.symlink_to(acme.directory / "elsewhere")
    assert acme.run("users", "create", *ADA, "--passwords-out", "p.csv").code == 5
    assert acme.run("users", "create", *ADA, "--passwords-out", "no/such/p.csv").code == 2
    assert acme.run("users", "create", *ADA, "--passwords-out", "-").code == 2
    assert acme.contents() == before
    assert not (acme.directory / "elsewhere").exists()


def test_no_empty_file_stays_when_the_change_fails(acme: Command) -> None:
    acme.user("ada")
    refused = acme.run("users", "create", *ADA, "--passwords-out", "p.csv")
    assert refused.code == 5
    assert "ada2@acme.example is free" in refused.err
    assert not (acme.directory / "p.csv").exists()


@pytest.mark.parametrize(
    "given",
    [b"", b"\n", b"one\ntwo\n", b"\xff\xfe\n", b"x" * 5000],
    ids=["nothing", "empty", "two", "no-text", "long"],
)
def test_a_password_on_stdin_is_one_line(acme: Command, given: bytes) -> None:
    refused = acme.run("users", "create", *ADA, "--password-stdin", stdin=given)
    assert refused.code == 3
    assert acme.json("users", "list")["total"] == 0


def test_all_that_is_wrong_is_said_at_once(acme: Command) -> None:
    refused = acme.run(
        *("users", "create", "--upn", "ada@elsewhere.example", "--country", "Atlantis"),
        *("--expires-on", "2030-12-31", "--password-stdin", "--json"),
        stdin=b"short\n",
    )
    assert refused.code == 3
    assert refused.out == ""
    error = json.loads(refused.err)["error"]
    assert {"upn", "first_names", "last_name", "country", "password"} <= {
        one["where"] for one in error["problems"]
    }
    codes = {one["where"]: one["code"] for one in error["problems"]}
    assert (codes["first_names"], codes["country"]) == ("missing", "invalid")
    assert "short" not in refused.err.replace("shorter", "")


def test_a_taken_upn_is_told_by_its_code(acme: Command) -> None:
    ada = acme.user("ada")
    taken = acme.run(
        *("users", "create", "--upn", ada, "--first-names", "Ada", "--last-name", "Byron"),
        *("--password-stdin", "--json"),
        stdin=b"Correct-Horse-7\n",
    )
    error = json.loads(taken.err)["error"]
    assert (taken.code, error["code"]) == (5, "conflict")
    assert {one["code"] for one in error["problems"]} == {"taken"}


def test_a_derived_username_is_free(acme: Command) -> None:
    acme.user("ada")
    acme.ok("users", "edit", "ada", "--upn", "countess@acme.example")
    acme.ok("users", "alias", "remove", "countess@acme.example", "ada@acme.example")
    acme.user("ada")
    names = {one["upn"]: one["username"] for one in acme.json("users", "list")["users"]}
    assert names == {"countess@acme.example": "ada", "ada@acme.example": "ada2"}


def test_editing_shows_before_and_after_and_twice_is_nothing(acme: Command) -> None:
    acme.user("ada", "--title", "Analyst", "--test-user")
    change = ("users", "edit", "ada", "--title", "Head of Engines", "--no-test-user")
    tried = acme.ok(*change, "--dry-run")
    assert "Analyst -> Head of Engines" in tried.out
    assert acme.json("users", "show", "ada")["title"] == "Analyst"
    done = acme.ok(*change, "--ticket", "T-42")
    assert tried.out == done.out
    shown = acme.json("users", "show", "ada")
    assert (shown["title"], shown["test_user"]) == ("Head of Engines", False)
    assert "Nothing to do" in acme.ok(*change).out
    told = acme.ok("users", "history", "ada")
    assert "T-42" in told.out
    assert "title: Analyst -> Head of Engines" in told.out
    assert acme.run("users", "edit", "ada").code == 2
    assert acme.run("users", "edit", "ada", "--expires-on", "soon").code == 3
    assert acme.run("users", "edit", "nobody", "--title", "x").code == 4


def test_aliases_come_go_and_become_primary(acme: Command) -> None:
    ada = acme.user("ada")
    added = acme.json("users", "alias", "add", ada, "countess@acme.example")["user"]
    assert added["aliases"] == ["countess@acme.example"]
    first = acme.json("users", "alias", "primary", ada, "countess@acme.example")["user"]
    assert first["primary_address"] == "countess@acme.example"
    assert acme.json("users", "show", "countess@acme.example")["upn"] == ada
    gone = acme.json("users", "alias", "remove", ada, "countess@acme.example")["user"]
    assert (gone["aliases"], gone["primary_address"]) == ([], ada)
    assert acme.run("users", "alias", "remove", ada, ada).code == 5


def test_disable_enable_unlock(acme: Command) -> None:
    acme.user("ada")
    assert acme.json("users", "disable", "ada")["user"]["disabled"] is True
    assert [one["upn"] for one in acme.json("users", "list", "--disabled")["users"]] == [
        "ada@acme.example"
    ]
    assert "disabled" in acme.ok("users", "list").out
    assert acme.json("users", "enable", "ada")["user"]["disabled"] is False
    assert "Nothing to do" in acme.ok("users", "enable", "ada").out
    unlocked = acme.ok("users", "unlock", "ada")
    assert "Nothing to do" in unlocked.out
    assert "end it there" in unlocked.err


def test_a_password_is_reset_into_a_file(acme: Command) -> None:
    acme.user("ada")
    told = acme.ok(
        "users", "password", "ada", "--passwords-out", "p.csv", "--must-change", "--json"
    )
    (password,) = passwords_in(acme.directory / "p.csv").values()
    assert shows_nowhere(password, [told])
    assert acme.json("users", "show", "ada")["must_change_password"] is True
    assert acme.run("users", "password", "ada").code == 2
    weak = acme.run("users", "password", "ada", "--password-stdin", stdin=b"ada\n")
    assert weak.code == 3
    none = acme.run(
        *("users", "password", "ada", "--service", "databases", "--passwords-out", "q.csv")
    )
    assert none.code == 4
    assert not (acme.directory / "q.csv").exists()


def test_delete_wants_a_yes_and_restore_brings_back(acme: Command) -> None:
    ada = acme.user("ada")
    assert acme.run("users", "delete", ada).code == 7
    assert acme.run("users", "deprovision", ada).code == 7
    assert "in the recycling bin: no -> yes" in acme.ok("users", "delete", ada, "--dry-run").out
    acme.ok("users", "delete", ada, "--yes")
    assert acme.json("users", "list")["total"] == 0
    assert [one["upn"] for one in acme.json("users", "list", "--bin")["users"]] == [ada]
    gone = acme.run("users", "edit", ada, "--title", "x")
    assert gone.code == 4
    assert "users restore" in gone.err
    told = acme.run("users", "edit", ada, "--title", "x", "--json")
    assert json.loads(told.err)["error"]["code"] == "in-recycle-bin"
    acme.ok("users", "restore", ada)
    assert "Nothing to do" in acme.ok("users", "restore", ada).out
    assert acme.json("users", "list")["total"] == 1


def test_finding_paging_and_csv_without_formulas(acme: Command) -> None:
    names = ("ada", "bob", "cyd")
    for name in names:
        acme.user(name, "--display-name", f"=HYPERLINK({name})")
    assert acme.json("users", "list", "bob")["total"] == 1
    page = acme.ok("users", "list", "--limit", "1", "--offset", "1")
    assert "2 to 2 of 3." in page.err
    rows = list(csv.DictReader(io.StringIO(acme.ok("users", "list", "--csv").out)))
    assert [row["upn"] for row in rows] == [f"{name}@acme.example" for name in names]
    assert all(row["display_name"] == f"'=HYPERLINK({row['username']})" for row in rows)
    assert acme.run("users", "list", "--csv", "--json").code == 2


def test_control_characters_of_data_reach_no_terminal(acme: Command) -> None:
    acme.user("ada")
    evil = "\x1b]0;owned\x07\x1b[2J\u202eevil\x9b31m\x00"
    # Nothing of this program lets such a name in; another program that writes the database might.

    with closing(sqlite3.connect(acme.database)) as connection, connection:
        connection.execute("UPDATE users SET display_name = ?", (evil,))
    for call in (
        ("users", "list"),
        ("users", "list", "--json"),
        ("users", "list", "--csv"),
        ("users", "show", "ada"),
        ("users", "show", "ada", "--json"),
        ("users", "edit", "ada", "--title", evil.replace("\x00", "")),
        ("users", "edit", evil.replace("\x00", ""), "--title", "x"),
        ("users", "edit", "ada", "--display-name", "Ada", "--dry-run"),
        ("users", "create", "--upn", evil.replace("\x00", ""), "--passwords-out", "p.csv"),
        ("status", "ada"),
        ("provision", "ada", evil.replace("\x00", "")),
        ("users", "list", "--light", evil.replace("\x00", "")),
        (evil.replace("\x00", ""),),
    ):
        raw = acme.run(*call).raw
        assert raw
        assert not [byte for byte in HARMFUL if byte in raw], call
        text = raw.decode()
        assert "\u202e" not in text
        assert "\x9b" not in text


@pytest.mark.proof
def test_two_commands_at_once_for_the_same_upn(acme: Command) -> None:
    calls = [
        acme.start("users", "create", *ADA, "--passwords-out", f"p{number}.csv")
        for number in range(4)
    ]
    codes = [call.wait(60) for call in calls]
    for call in calls:
        call.communicate()
    assert sorted(codes) == [0, 5, 5, 5]
    files = [f"p{number}.csv" for number in range(4)]
    assert [name for name in files if (acme.directory / name).exists()] == [files[codes.index(0)]]
    assert acme.json("users", "list")["total"] == 1


def test_help_of_every_command_has_an_example(inside: Command) -> None:
    from mission_control_tui.cli.users.users import COMMANDS

    for name in COMMANDS:
        if name != "alias":
            assert "mission-control users " + name in inside.ok("users", name, "--help").out


def test_it_starts_without_textual_and_without_the_engine(acme: Command) -> None:
    told = acme.run("users", "list", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert told.code == 0
    heavy = {
        "textual",
        "rich",
        "procrastinate",
        "psycopg",
        "pydantic",
        "alembic",
        "phonenumbers",
        "iso3166",
        "iso4217",
    }
    loaded = {line.rpartition("|")[2].strip() for line in told.err.splitlines() if "|" in line}
    assert "click" in loaded
    assert not heavy & loaded


def test_a_warning_names_its_field_as_the_form_does(acme: Command) -> None:
    ada = acme.user("ada")
    edited = acme.ok("users", "edit", ada, "--expires-on", "2020-01-01")
    said = edited.out + edited.err
    assert "Account expires: 2020-01-01 is past" in said
    assert "expires_on:" not in said
