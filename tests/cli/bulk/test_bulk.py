"""`bulk`, `undo` and the outlook of `requests retry --all-red`, with real workers on the simulator."""

from __future__ import annotations

import csv
import stat

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command

WAIT = ("--wait", "90")
BOX = ("--service", "managed-exchange")


@pytest.fixture
def quick(acme: Command) -> Command:
    """Without the simulator's delays."""
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[connectors.simulator]\ndelay_factor = 0\n")
    return acme


def levels(mc: Command) -> list[str]:
    """The levels of all mailboxes that are green."""
    found = mc.json("status")["services"]
    return sorted(
        str(one["level"])
        for one in found
        if one["service"] == "managed-exchange" and one["light"] == "green"
    )


def test_a_level_change_of_many_planned_done_and_undone(quick: Command) -> None:
    people = [quick.user(f"user{number}") for number in range(3)]
    start = ("bulk", "start", "provision", *people, *BOX, "--level", "popx")
    given = quick.ok(*start, *WAIT, "--json", "--ticket", "T-1").json
    assert given["bulk"]["state"] == "done"
    assert given["bulk"]["progress"]["green"] == 3

    change = ("change", *BOX, "--level", "pc-web", "--where", "level=popx")
    planned = quick.json("bulk", "plan", *change)["plan"]
    assert (planned["queued"], planned["refused"]) == (2, 1)
    (short,) = [one for one in planned["seats"] if one["short"]]
    assert (short["level_id"], short["short"]) == ("pc-web", 1)
    before = quick.contents()
    tried = quick.ok("bulk", "start", *change, "--dry-run")
    assert "2 of 3 would be queued" in tried.out
    assert "No free seat" in tried.out
    assert "1 missing" in tried.out
    assert quick.contents() == before

    done = quick.run("bulk", "start", *change, *WAIT, "--ticket", "T-2")
    assert done.code == 11, done.err
    assert people[2] in done.err
    assert levels(quick) == ["pc-web", "pc-web", "popx"]
    shown = quick.json("bulk", "show", "2", "--failed")
    assert [one["name"] for one in shown["items"]] == [people[2]]
    assert shown["bulk"]["ticket"] == "T-2"
    assert "refused" in quick.ok("bulk", "show", "2", "--failed").out
    listed = quick.json("bulk", "list")["bulks"]
    assert [one["id"] for one in listed] == [2, 1]
    assert quick.json("bulk", "list", "--moving")["bulks"] == []

    assert "2 of 2 would be queued" in quick.ok("undo", "bulk", "2", "--dry-run").out
    refused = quick.run("undo", "bulk", "2")
    assert refused.code == 7
    assert "Mailbox quota: 51200 MB -> 5120 MB (2)" in refused.err
    undone = quick.json("undo", "bulk", "2", *WAIT, "--yes")
    assert undone["bulk"]["undoes"] == 2
    assert undone["bulk"]["progress"]["green"] == 2
    assert levels(quick) == ["popx"] * 3
    assert quick.run("bulk", "stop", "2").code == 5
    assert quick.run("bulk", "show", "99").code == 4


def test_passwords_of_many_go_into_a_private_file(quick: Command) -> None:
    people = [quick.user(f"user{number}") for number in range(3)]
    call = ("bulk", "start", "password", *people)
    before = quick.contents()
    assert quick.run(*call).code == 2
    assert quick.contents() == before
    assert quick.run(*call, "--passwords-out", "new.csv").code == 7
    made = quick.ok(*call, "--passwords-out", "new.csv", "--must-change", "--yes")
    path = quick.directory / "new.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["upn"] for row in rows] == people
    secrets = {row["password"] for row in rows}
    assert len(secrets) == 3
    seen = made.out + made.err + repr(quick.contents())
    assert not [secret for secret in secrets if secret in seen]
    refused = quick.run("undo", "bulk", "1")
    assert refused.code == 5
    assert "not kept" in refused.err


def test_a_change_of_one_is_undone_by_request_and_by_audit(quick: Command) -> None:
    ada = quick.user("ada")
    quick.ok("provision", ada, "managed-exchange", "--level", "popx", *WAIT)
    quick.ok("provision", ada, "managed-exchange", "--level", "pc-web", *WAIT)
    request = quick.json("requests", "list")["requests"][0]["id"]
    assert "level: pc-web -> popx" in quick.ok("undo", "request", str(request), "--dry-run").out
    assert quick.run("undo", "request", str(request)).code == 7
    quick.ok("undo", "request", str(request), *WAIT, "--yes")
    assert levels(quick) == ["popx"]
    stale = quick.run("undo", "request", str(request))
    assert stale.code == 5
    assert "changed since" in stale.err
    first = quick.json("requests", "list")["requests"][-1]["id"]
    refused = quick.run("undo", "request", str(first), "--force")
    assert refused.code == 7
    assert "with the data" in refused.err
    quick.ok("users", "edit", ada, "--city", "Perth")
    row = quick.json("audit", "--limit", "1")["entries"][0]["id"]
    quick.ok("undo", "audit", str(row), "--ticket", "T-3")
    assert quick.json("users", "show", ada)["city"] == ""


def test_a_retry_says_what_is_likely_to_fail_again(quick: Command) -> None:
    bad = quick.user("fails.once")
    assert quick.run("provision", bad, "managed-exchange", "--level", "popx", *WAIT).code == 10
    tried = quick.json("requests", "retry", "--all-red", "--dry-run")
    assert tried["retried"] == 1
    (likely,) = tried["likely"]
    assert likely["likely"] in {"may work", "fails again"}
    assert likely["why"]
    done = quick.ok("requests", "retry", "--all-red")
    assert likely["why"] in done.out
    quick.ok("status", *WAIT)
    assert levels(quick) == ["popx"]


def test_what_was_done_for_many_is_told_as_done(quick: Command) -> None:
    people = "".join(f"{quick.user(f'user{number}')}\n" for number in range(2))
    (quick.directory / "both.txt").write_text(people)
    give = ("provision", "managed-exchange", "--users-from", "both.txt", "--level", "popx")
    assert "2 of 2 would be queued." in quick.ok(*give, "--dry-run").out
    assert "2 of 2 were queued." in quick.ok(*give, *WAIT).out
    change = ("bulk", "start", "change", *BOX, "--level", "pc-web", "--where", "level=popx")
    quick.ok(*change, *WAIT)
    assert "2 of 2 were queued." in quick.ok("undo", "bulk", "2", "--yes", *WAIT).out


def test_a_stopped_bulk_is_resumed(quick: Command) -> None:
    people = [quick.user(f"user{number}") for number in range(3)]
    alone = {"MISSION_CONTROL_NO_WORKER": "1"}
    quick.run("bulk", "start", "disable", *people, "--yes", environment=alone)
    left = quick.json("bulk", "show", "1")["bulk"]["progress"]["left"]
    assert left == 3
    tried = quick.ok("bulk", "stop", "1", "--dry-run")
    assert "3 would be left out, 0 are on their way, 0 would be cancelled." in tried.out
    stopped = quick.json("bulk", "stop", "1")
    assert (stopped["left"], stopped["bulk"]["state"]) == (3, "stopped")
    assert "Dry run: nothing was changed." in quick.ok("bulk", "resume", "1", "--dry-run").err
    quick.ok("bulk", "resume", "1", *WAIT)
    assert quick.json("bulk", "show", "1")["bulk"]["progress"]["green"] == 3
    for words in (
        ("bulk", "start", "disable"),
        ("bulk", "start", "disable", people[0], "--where", "light=red"),
        ("bulk", "plan", "disable", "--where", "colour=red"),
        ("bulk", "plan", "change", people[0]),
    ):
        assert quick.run(*words).code == 2, words
