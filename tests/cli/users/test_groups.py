"""`objects`, with real workers on the simulator."""

from __future__ import annotations

import json

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

WAIT = ("--wait", "90")


@pytest.fixture
def quick(acme: Command) -> Command:
    """Without the simulator's delays; Ada has a mailbox."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    ada = acme.user("ada")
    acme.ok("provision", ada, "managed-exchange", "--level", "popx", *WAIT)
    return acme


def test_a_group_through_its_whole_life(quick: Command) -> None:
    made = quick.ok(
        "objects", "create", "Distribution Group", "Sales", "sales@acme.example",
        "--add", "member=ada@acme.example", "--set", "who-may-send=anyone",
        *WAIT, "--json", "--ticket", "T-1",
    )  # fmt: skip
    assert made.json["services"][0]["light"] == "green"
    assert made.json["services"][0]["subject"] == "Sales"
    shown = quick.json("objects", "show", "sales")["object"]
    assert [(one["role"], one["address"]) for one in shown["members"]] == [
        ("member", "ada@acme.example")
    ]
    before = quick.contents()
    tried = quick.ok("objects", "join", "sales", "ada", "--role", "owner", "--dry-run")
    assert "owner: ada@acme.example" in tried.out
    assert quick.contents() == before
    quick.ok("objects", "join", "sales", "ada", "--role", "owner", *WAIT)
    quick.ok("objects", "leave", "sales", "ada", *WAIT)
    shown = quick.json("objects", "show", "sales")["object"]
    assert [one["role"] for one in shown["members"]] == ["owner"]
    assert "Nothing to do" in quick.ok("objects", "join", "sales", "ada", "--role", "Owner").out
    edited = quick.ok("objects", "edit", "sales", "--name", "Sales Team", *WAIT)
    assert "name: Sales -> Sales Team" in edited.out
    assert quick.run("objects", "edit", "sales@acme.example", "--set", "x=1").code == 3
    assert quick.run("objects", "edit", "sales@acme.example", "--add", "owner").code == 2

    taken = quick.ok("deprovision", "ada@acme.example", "managed-exchange", "--dry-run")
    assert "leaves Sales Team" in taken.err
    assert quick.run("objects", "remove", "sales team").code == 7
    quick.ok("objects", "remove", "sales team", "--yes", *WAIT)
    assert quick.json("objects", "list") == {"objects": [], "total": 0, "more": False}
    (gone,) = quick.json("objects", "list", "--removed")["objects"]
    assert (gone["name"], gone["light"]) == ("Sales Team", "grey")
    quick.ok("objects", "restore", gone["id"], *WAIT)
    listed = quick.ok("objects", "list", "team", "--kind", "distribution-group").out
    assert "Sales Team  sales@acme.example  Distribution Group" in listed
    assert "* Provisioned" in listed


def test_every_problem_is_told_with_its_place(quick: Command) -> None:
    refused = quick.run(
        "objects", "create", "distribution-group", " ", "x@elsewhere.example",
        "--add", "member=nobody", "--json",
    )  # fmt: skip
    assert refused.code == 3
    places = [one["where"] for one in json.loads(refused.err)["error"]["problems"]]
    assert places == ["name", "address", "member"]
    assert quick.run("objects", "create", "group", "A", "a@acme.example").code == 4


def test_the_kinds_say_what_can_be_set(quick: Command) -> None:
    kinds = {one["id"]: one for one in quick.json("objects", "kinds")["kinds"]}
    assert [role["id"] for role in kinds["shared-mailbox"]["roles"]] == ["full-access", "send-as"]
    assert "--add owner=" in quick.ok("objects", "kinds").out


def test_changes_of_a_group_are_undone_and_waited_for(quick: Command) -> None:
    quick.ok("objects", "create", "distribution-group", "Sales", "sales@acme.example", *WAIT)
    row = quick.json("audit", "--action", "create distribution-group")["entries"][0]
    refused = quick.run("undo", "audit", str(row["id"]))
    assert refused.code == 7
    assert "takes an object away" in refused.err
    undone = quick.ok("undo", "audit", str(row["id"]), "--yes", *WAIT, "--json").json
    assert [one["light"] for one in undone["services"]] == ["grey"]
    gone = quick.json("audit", "--action", "remove distribution-group")["entries"][0]
    back = quick.ok("undo", "audit", str(gone["id"]), *WAIT)
    assert "comes back empty" in back.err
    assert quick.json("objects", "list")["objects"][0]["name"] == "Sales"
