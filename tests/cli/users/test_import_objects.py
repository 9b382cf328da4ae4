"""`objects import`: groups, contacts and shared mailboxes with their members, and what is wrong with which row."""

from __future__ import annotations

import pytest

from tests.cli.command import Command


@pytest.fixture
def mailboxes(acme: Command) -> Command:
    """Ada and Bob have mailboxes."""
    for name in ("ada", "bob"):
        user = acme.user(name)
        acme.ok("provision", user, "managed-exchange", "--level", "popx")
    return acme


def test_objects_come_in_with_members_and_again_is_nothing_to_do(mailboxes: Command) -> None:
    text = (
        "Kind,Name,Address,Member,Owners,Send as,Who may send,Note\n"
        "distribution-group,Everybody,all@acme.example,sales@acme.example ada@acme.example,bob@acme.example,,anyone,"
        "=all of us\n"
        "Distribution Group,Sales,sales@acme.example,ada; bob,,,,\n"
        "shared-mailbox,Info,info@acme.example,,,ada@acme.example,,\n"
        "Mail Contact,Print Shop,orders@printer.example,,,,,Zürich\n"
    )
    path = mailboxes.directory / "g.csv"
    path.write_text(text, "utf-8")
    tried = mailboxes.ok("objects", "import", "g.csv", "--dry-run", "--json").json
    assert mailboxes.json("objects", "list")["total"] == 0
    done = mailboxes.ok("objects", "import", "g.csv", "--json").json
    assert set(done["created"]) == set(tried["created"])
    assert len(done["created"]) == 4
    shown = mailboxes.json("objects", "show", "all@acme.example")["object"]
    assert {(member["role"], member["address"]) for member in shown["members"]} == {
        ("member", "sales@acme.example"),
        ("member", "ada@acme.example"),
        ("owner", "bob@acme.example"),
    }
    assert shown["settings"]["who-may-send"] == "anyone"
    assert shown["settings"]["note"] == "=all of us"
    again = mailboxes.ok("objects", "import", "g.csv", "--update", "--json").json
    assert (len(again["unchanged"]), again["changed"], again["created"]) == (4, [], [])
    path.write_text(text.replace("Sales,sales", "Sales Team,sales"), "utf-8")
    left = mailboxes.ok("objects", "import", "g.csv")
    assert "1 different and left alone" in left.out
    changed = mailboxes.ok("objects", "import", "g.csv", "--update")
    assert "name: Sales -> Sales Team" in changed.out


def test_each_row_that_is_wrong_is_told_and_the_others_come_in(mailboxes: Command) -> None:
    rows = [
        "Kind;Name;Address;Member;Colour",
        "distribution-group;Good;good@acme.example;ada@acme.example;",
        "no-such;X;x@acme.example;;",
        "distribution-group;Ghosts;ghosts@acme.example;ghost@acme.example;",
        "distribution-group;#REF!;ref@acme.example;;",
        "distribution-group;Red;red@acme.example;;red",
        "distribution-group;Elsewhere;e@elsewhere.example;;",
        "distribution-group;Twice;good@acme.example;;",
    ]
    (mailboxes.directory / "g.csv").write_text("\n".join(rows))
    done = mailboxes.run("objects", "import", "g.csv", "--json")
    assert done.code == 11
    assert done.json["created"] == ["good@acme.example"]
    assert [refused["row"] for refused in done.json["refused"]] == [3, 4, 5, 6, 7, 8]
    for row in range(3, 9):
        assert f"row {row}" in done.err
    contacts = "Display Name,Email Address\nPrint,print@printer.example\n"
    call = ("objects", "import", "-", "--kind", "mail-contact")
    assert "1 created" in mailboxes.ok(*call, stdin=contacts.encode()).out
    assert "Kind" in mailboxes.run("objects", "import", "-", stdin=contacts.encode()).err
