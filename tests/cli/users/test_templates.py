"""`templates`, `users create --like`, `users paste`: a list of names becomes users with services."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from tests.cli.command import Command

OUT = ("--passwords-out", "p.csv")
MAILBOX = "managed-exchange=popx"


def passwords(mc: Command, name: str = "p.csv") -> list[dict[str, str]]:
    with (mc.directory / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def ada(acme: Command) -> Command:
    """The account with five mailboxes, one of them Ada's, who works in Sales."""
    acme.ok(
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "Lovelace", "--department", "Sales", "--mobile-phone", "+61 400 000 000"),
        *("--passwords-out", "ada.csv"),
    )
    acme.ok(
        "provision",
        "ada@acme.example",
        "managed-exchange",
        "--level",
        "popx",
        "--set",
        "quota=1024",
    )
    return acme


def test_like_a_user_gets_fields_and_services(ada: Command) -> None:
    new = (
        *("users", "create", "--like", "ada@acme.example", "--upn", "grace@acme.example"),
        *("--first-names", "Grace", "--last-name", "Hopper"),
    )
    tried = ada.ok(*new, *OUT, "--dry-run")
    assert "free 4 -> 3" in tried.out or "4" in tried.out
    done = ada.ok(*new, *OUT, "--json").json
    assert done["user"]["department"] == "Sales"
    assert done["user"]["mobile_phone"] == ""
    (mailbox,) = [
        one
        for one in ada.json("status", "grace@acme.example")["services"]
        if one["service"] == "managed-exchange"
    ]
    assert (mailbox["level"], mailbox["settings"]["quota"]) == ("popx", 1024)
    assert [one["upn"] for one in passwords(ada)] == ["grace@acme.example"]


def test_fields_alone_and_what_is_given_wins(ada: Command) -> None:
    done = ada.ok(
        *("users", "create", "--like", "ada@acme.example", "--no-services"),
        *("--upn", "grace@acme.example", "--first-names", "Grace", "--last-name", "Hopper"),
        *("--department", "Navy", *OUT, "--json"),
    ).json
    assert done["user"]["department"] == "Navy"
    assert done["plan"]["requests"] == []


def test_templates_are_saved_shown_renamed_replaced_and_removed(ada: Command) -> None:
    assert "No templates yet" in ada.ok("templates", "list").err
    ada.ok("templates", "save", "Sales", "--like", "ada@acme.example")
    shown = ada.ok("templates", "show", "sales").out
    assert "Managed Exchange: Standard Mail (POPX)" in shown
    assert "Department: Sales" in shown
    assert "400 000 000" not in shown
    again = ada.run("templates", "save", "Sales", "--field", "city=Perth")
    assert again.code == 5
    ada.ok("templates", "save", "Sales", "--field", "city=Perth", "--replace")
    assert ada.json("templates", "show", "Sales")["template"]["fields"] == {"city": "Perth"}
    ada.ok("templates", "rename", "Sales", "Reps")
    ada.ok("templates", "remove", "Reps", "--yes")
    assert ada.json("templates", "list")["templates"] == []


def test_what_no_template_can_have_is_said(ada: Command) -> None:
    for options, code, words in [
        (("--field", "upn=x"), 3, "is no field that a template can have"),
        (("--field", "shoe=38"), 2, "There is no field"),
        (("--give", "managed-exchange"), 2, "SERVICE=LEVEL"),
        (("--set", "managed-exchange.quota=1"), 2, "no service that is given"),
        (("--give", MAILBOX, "--set", "managed-exchange.forward-to=a@b.example"), 3, "one person"),
    ]:
        called = ada.run("templates", "save", "X", *options)
        assert (called.code, words in called.err) == (code, True), called.err


def test_a_pasted_list_becomes_users_with_mailboxes(ada: Command) -> None:
    (ada.directory / "list.txt").write_text("1. Grace Hopper\n\nLovelace, Mary\n", "utf-8")
    tried = ada.ok("users", "paste", "list.txt", "--level", MAILBOX, "--dry-run")
    assert "2 would be created" in tried.out
    assert "4 free, 2 needed" in tried.out
    assert ada.json("users", "list")["total"] == 1

    done = ada.ok("users", "paste", "list.txt", "--level", MAILBOX, *OUT, "--wait", "60", "--json")
    found = done.json
    upns = [one["upn"] for one in found["created"]]
    assert upns == ["grace.hopper@acme.example", "mary.lovelace@acme.example"]
    assert found["bulk"]["progress"]["green"] == 2
    made = passwords(ada)
    assert [one["upn"] for one in made] == upns
    assert stat.S_IMODE((ada.directory / "p.csv").stat().st_mode) == 0o600
    assert not any(one["password"] in done.out + done.err for one in made)


def test_lines_that_cannot_be_used_are_all_told(ada: Command) -> None:
    text = "Grace Hopper\n12345\nAda Lovelace <ada@acme.example>\nx <y>\nAda Lovelace\n"
    (ada.directory / "list.txt").write_text(text, "utf-8")
    called = ada.run("users", "paste", "list.txt", "--template", "nope", *OUT)
    assert called.code == 4
    called = ada.run("users", "paste", "list.txt", *OUT)
    assert called.code == 11
    assert "2 created, 3 refused." in called.out
    assert "ada.lovelace@acme.example" in called.out
    assert "ada@acme.example has the same name" in called.out
    for words in ("line 2: ", "line 3: Ada Lovelace is there already", "line 4: "):
        assert words in called.err
    again = ada.run("users", "paste", "list.txt", "--passwords-out", "q.csv")
    assert again.code == 3
    assert not Path(ada.directory / "q.csv").exists()


def test_short_seats_refuse_everything_unless_allowed(ada: Command) -> None:
    names = "\n".join(f"Person Number{chr(97 + number)}" for number in range(6))
    (ada.directory / "list.txt").write_text(names, "utf-8")
    called = ada.run("users", "paste", "list.txt", "--level", MAILBOX, *OUT)
    assert called.code == 6
    assert "6 needed, 4 free" in called.err
    assert not (ada.directory / "p.csv").exists()
    called = ada.run(
        *("users", "paste", "list.txt", "--level", MAILBOX, "--allow-short", *OUT, "--wait", "60")
    )
    assert called.code == 11
    assert ada.json("users", "list")["total"] == 7


def test_nobody_is_created_without_a_place_for_passwords(ada: Command) -> None:
    (ada.directory / "list.txt").write_text("Grace Hopper\n", "utf-8")
    assert ada.run("users", "paste", "list.txt").code == 2
    (ada.directory / "p.csv").write_text("mine")
    assert ada.run("users", "paste", "list.txt", *OUT).code == 5
    assert (ada.directory / "p.csv").read_text() == "mine"
    assert ada.json("users", "list")["total"] == 1


def test_services_with_passwords_of_their_own_put_them_into_the_file(ada: Command) -> None:
    (ada.directory / "list.txt").write_text("Grace Hopper\nMary Jackson\n", "utf-8")
    ada.ok(
        *("users", "paste", "list.txt", "--level", "databases=small", "--level", MAILBOX, *OUT),
        *("--wait", "60"),
    )
    made = passwords(ada)
    assert [(one["upn"].partition("@")[0], one["service"]) for one in made] == [
        *(("grace.hopper", ""), ("mary.jackson", "")),
        *(("grace.hopper", "databases"), ("mary.jackson", "databases")),
    ]
    assert all(one["password"] for one in made)
