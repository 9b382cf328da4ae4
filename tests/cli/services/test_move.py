"""Several connectors by command: `provision --on`, `move` and its plan, as a bulk, at a date; what tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

MAIL = "managed-exchange"
WAIT = ("--wait", "90")


@pytest.fixture
def mails(acme: Command) -> Command:
    """Three simulators that serve Managed Exchange, the third closed."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"[placement.{MAIL}]", 'connectors = ["mail-1", "mail-2", "mail-3"]']
    lines += ['closed = ["mail-3"]', "most = { mail-2 = 5 }"]
    for name in ("mail-1", "mail-2", "mail-3"):
        path = acme.directory / f"{name}.db"
        lines += [f"[connectors.{name}]", 'type = "simulator"', f'path = "{path}"']
        lines += ["delay_factor = 0"]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return acme


def where(mc: Command, user: str) -> list[tuple[str, str, str]]:
    return [
        (one["connector"], one["instance"], one["light"])
        for one in mc.json("status", user)["services"]
        if one["service"] == MAIL
    ]


def test_a_mailbox_is_placed_and_moves(mails: Command) -> None:
    ada, bob = mails.user("ada"), mails.user("bob")
    given = mails.ok("provision", ada, MAIL, "--level", "popx", *WAIT, "--json").json["given"]
    assert given[0]["connector"] == "mail-1"
    planned = mails.ok("provision", bob, MAIL, "--level", "popx", "--dry-run").out
    assert "mail-2" in planned
    said = mails.ok("provision", bob, MAIL, "--level", "popx", "--on", "mail-3", *WAIT)
    assert "mail-3 is closed" in said.out + said.err
    assert where(mails, bob) == [("mail-3", "", "green")]

    refused = mails.run("move", ada, MAIL, "--to", "mail-2", "--yes")
    assert refused.code == 5
    assert "--reset-password" in refused.err
    reset = ("--reset-password", "--passwords-out", "ada.csv")
    dry = mails.ok("move", ada, MAIL, "--to", "mail-2", *reset, "--dry-run").out
    assert "connector: mail-1 -> mail-2" in dry
    assert "left at mail-1" in dry
    assert mails.run("move", ada, MAIL, "--to", "mail-2", *reset).code == 7, "it asks"
    mails.ok("move", ada, MAIL, "--to", "mail-2", *reset, "--yes", *WAIT)
    assert ("mail-2", "", "green") in where(mails, ada)
    assert "Nothing to do" in mails.ok("move", ada, MAIL, "--to", "mail-2", "--yes").out
    password = (Path(mails.directory) / "ada.csv").read_text().splitlines()[1].split(",")
    assert all(len(word) < 8 or word not in repr(mails.contents()) for word in password[-1:])

    shown = mails.json("connectors", "show", "mail-2")
    assert shown["services"] == 1
    assert shown["placement"] == [f"{MAIL}: fewest of mail-1, mail-2, mail-3; 1 of at most 5"]
    listed = {
        one["connector"]: one["services"] for one in mails.json("connectors", "list")["connectors"]
    }
    assert listed | {"mail-2": 1, "mail-3": 1} == listed
    findings = mails.run("doctor", "--json").json["checks"]
    (found,) = [one for one in findings if one["check"] == f"placement {MAIL}"]
    assert found["said"] == "fewest: mail-1 0, mail-2 1, mail-3 1 (closed)"
    listed_requests = mails.ok("requests", "list").out
    assert f"deprovision {MAIL} (left at mail-1)" in listed_requests
    (removal,) = [
        one
        for one in mails.json("requests", "list")["requests"]
        if one["instance"] == "left at mail-1"
    ]
    told = mails.ok("requests", "show", str(removal["id"])).out
    assert f"deprovision {MAIL} (left at mail-1) for {ada}" in told
    audited = mails.ok("audit", "--json").json
    assert any(one["action"] == f"move {MAIL}" for one in audited["entries"])


def test_many_move_as_a_bulk_and_one_at_a_date(mails: Command) -> None:
    ada, bob = mails.user("ada"), mails.user("bob")
    for user in (ada, bob):
        mails.ok("provision", user, MAIL, "--level", "popx", "--on", "mail-1", *WAIT)
    started = ("bulk", "start", "move", "--service", MAIL, "--on", "mail-2")
    mails.ok(*started, "--reset-password", "--passwords-out", "new.csv", ada, bob, "--yes", *WAIT)
    assert {place[:2] for user in (ada, bob) for place in where(mails, user)} >= {("mail-2", "")}
    added = mails.ok("schedule", "add", ada, "+3d", "move", MAIL, "--on", "mail-1", "--json")
    assert added.json["schedule"]["on"] == "mail-1"
    assert mails.run("schedule", "add", ada, "+3d", "move", MAIL).code == 2
