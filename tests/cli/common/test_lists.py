"""Lists: whole where programs read them, and a list that was cut says so, with how to get all of it."""

from __future__ import annotations

import csv
import io

import pytest

from tests.cli.command import Command
from tests.cli.inprocess import ok


@pytest.fixture
def many(acme: Command) -> Command:
    """An account with 60 users."""
    rows = [f"u{number}@acme.example,U{number},Correct-Horse-7\n" for number in range(60)]
    (acme.directory / "u.csv").write_text("UPN,Display Name,Password\n" + "".join(rows))
    acme.ok("users", "import", "u.csv")
    return acme


def test_exports_are_whole_and_what_is_cut_says_so(many: Command) -> None:
    exported = many.ok("users", "list", "--csv")
    assert len(list(csv.DictReader(io.StringIO(exported.out)))) == 60
    assert exported.err == ""
    whole = many.json("users", "list")
    assert (len(whole["users"]), whole["total"], whole["more"]) == (60, 60, False)
    some = many.json("users", "list", "--limit", "50")
    assert (len(some["users"]), some["total"], some["more"]) == (50, 60, True)
    last = many.json("users", "list", "--limit", "50", "--offset", "10")
    assert last["more"] is False
    for wanted in ((), ("--limit", "50", "--csv")):
        shown = many.ok("users", "list", *wanted)
        assert len(shown.out.splitlines()) == 51
        assert "--limit all" in shown.err
    everything = many.ok("users", "list", "--limit", "all")
    assert len(everything.out.splitlines()) == 61
    assert "--limit all" not in everything.err
    assert len(many.json("lights")["users"]) == 60
    assert many.json("lights", "--limit", "59")["more"] is True
    assert many.run("users", "list", "--limit", "some").code == 2
    assert len(many.json("find", "u")["users"]) == 60
    assert many.json("find", "u", "--limit", "all")["more"] is False
    assert many.run("find", "u", "--limit", "1001").code == 2


def test_every_list_with_a_limit_tells_whether_it_is_whole(acme: Command) -> None:
    for name in ("ada", "bob"):
        acme.user(name)
    for name in ("Sales", "Support"):
        acme.ok("objects", "create", "distribution-group", name, f"{name.lower()}@acme.example")
        acme.ok("schedule", "add", "ada@acme.example", "+2d", "disable")
    for _ in range(2):
        acme.ok("bulk", "start", "disable", "ada@acme.example", "bob@acme.example", "--yes")
        acme.ok("bulk", "start", "enable", "ada@acme.example", "bob@acme.example")
    lists = (
        ("objects", "list"),
        ("requests", "list"),
        ("schedule", "list"),
        ("bulk", "list"),
        ("orders", "list"),
        ("audit",),
        ("users", "history", "ada@acme.example"),
    )
    for words in lists:
        assert acme.json(*words)["more"] is False, words
        assert acme.json(*words, "--limit", "1")["more"] is True, words
        assert "--limit" in acme.ok(*words, "--limit", "1").err, words
    for name in ("ada", "bob"):
        acme.ok("users", "delete", f"{name}@acme.example", "--yes")
    assert acme.json("users", "bin", "--limit", "1")["more"] is True
    assert acme.json("users", "bin")["more"] is False


@pytest.mark.parametrize(
    ("command", "ways"),
    [
        (("users", "list"), "all as --json or --csv]"),
        (("account", "statement"), "all as --json or --csv]"),
        (("users", "recent"), "50 as --json or --csv]"),
    ],
)
def test_help_names_the_ways_that_a_list_is_whole(command: tuple[str, ...], ways: str) -> None:
    assert ways in " ".join(ok(*command, "--help").out.split())
