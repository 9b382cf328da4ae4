"""Whatever a store of today holds is read by every later program, and is called what it was called."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter

import pytest

from mission_control_tui.model.store.migrations import HEAD
from tests.cli.inprocess import answer, ok
from tests.frozen.store import FROZEN
from tests.model.store.test_upgrade import columns_of, rows_of

STORED = """
add alias; add domain; allow removal; approve order; archive managed-exchange; buy databases; buy domain-names;
buy email; buy web-hosting; cancel order; cancel request; cancel schedule; change distribution-group;
change managed-exchange; change members; change schedule; close statement; create account;
create distribution-group; create mail-contact; create shared-mailbox; create user; decline order; delete user;
deprovision databases; deprovision managed-exchange; disable user; drift found; drift gone; edit account; edit user;
enable user; expire user; provision databases; provision domain-registration; provision managed-exchange;
purge user; remove alias; remove databases; remove distribution-group; remove domain;
remove domain-names; remove template; rename template; reset password; reset password databases; reset status;
restore distribution-group; restore user; resume bulk; resume managed-exchange; retry request; return order;
save template; schedule deprovision; schedule disable; schedule done; schedule enable; schedule failed;
schedule provision; schedule resume; schedule suspend; set contacts; set primary address; start bulk; stop bulk;
subscription changed; subscription created; subscription removed; suspend managed-exchange; switch connector;
transmogrify user; unlock user
"""
ACTIONS = frozenset(" ".join(action.split()) for action in STORED.split(";"))
"""Every audit action of today, and two that a later version may have stored."""

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.mark.usefixtures("as_it_was")
def test_it_opens_with_nothing_lost(frozen: str) -> None:
    before, columns = rows_of(frozen), columns_of(frozen)
    done = answer("upgrade")
    assert (done["before"], done["after"]) == (FROZEN, HEAD)
    assert rows_of(frozen, columns) == before


def test_the_audit_is_read_in_every_form() -> None:
    told = answer("audit", "--limit", "1000")["entries"]
    assert {entry["action"] for entry in told} == ACTIONS
    later = {entry["action"]: entry for entry in told}["transmogrify user"]
    assert (later["operator"], later["source"]) == ("zed", "later")
    assert later["after"] == {"form": "tiger"}
    rows = list(csv.DictReader(io.StringIO(ok("audit", "--csv").out)))
    assert len(rows) == len(told)
    for form in ("--text", "--script"):
        assert "ada@acme.example" in ok("audit", form).out
    assert "transmogrify user" in ok("users", "history", "ada").out


@pytest.mark.any_database
def test_schedules_of_every_verb_and_state() -> None:
    told = answer("schedule", "list")["schedules"]
    found = Counter((schedule["action"], schedule["state"]) for schedule in told)
    assert found == {
        **{(verb, "waiting"): 2 for verb in ("provision", "suspend", "resume", "deprovision")},
        ("disable", "waiting"): 3,
        ("enable", "waiting"): 2,
        ("disable", "done"): 1,
        ("resume", "failed"): 1,
        ("enable", "cancelled"): 1,
        ("hibernate", "waiting"): 1,
        ("hibernate", "done"): 1,
    }
    assert "Hibernate Managed Exchange" in ok("schedule", "list").out


@pytest.mark.any_database
def test_bulks_of_every_action() -> None:
    told = answer("bulk", "list")["bulks"]
    assert [(bulk["action"], bulk["state"]) for bulk in reversed(told)] == [
        *((action, "done") for action in ("provision", "change", "suspend", "resume", "disable")),
        *((action, "done") for action in ("enable", "password", "deprovision", "retry")),
        *(("restate", "done"), ("give", "done"), ("provision", "running")),
        *(("suspend", "stopped"), ("password", "attended"), ("archive", "done")),
    ]
    for bulk in told:
        assert f"Bulk {bulk['id']}: " in ok("bulk", "show", str(bulk["id"])).out
    assert "archive managed-exchange" in ok("bulk", "list").out


@pytest.mark.any_database
def test_requests_in_every_state_with_their_events() -> None:
    told = answer("requests", "list", "--limit", "500")["requests"]
    states = Counter(request["state"] for request in told)
    assert states.keys() == {
        *("waiting", "queued", "running", "succeeded", "failed", "cancelled", "superseded")
    }
    running = next(request for request in told if request["state"] == "running")
    shown = json.dumps(answer("requests", "show", str(running["id"])))
    assert '"mailbox"' in shown
    held = json.dumps([request for request in told if request["state"] == "waiting"])
    assert "more than 1 removal within 1 minute" in held


@pytest.mark.any_database
def test_lights_of_every_colour() -> None:
    words = ok("status").out
    for word in ("Provisioned", "Error", "Queued", "Provisioning", "Waiting", "Not checked"):
        assert word in words
    assert "ada@acme.example" in ok("lights").out
    assert "never.works" in ok("find", "never").out


@pytest.mark.any_database
def test_what_else_is_kept() -> None:
    (sales, shop) = answer("templates", "list")["templates"]
    assert (sales["name"], shop["name"]) == ("Sales", "Shop")
    assert "Small" in ok("templates", "show", "Shop").out
    states = Counter(order["state"] for order in answer("orders", "list")["orders"])
    assert states.keys() == {
        *("complete", "awaiting approval", "declined", "cancelled", "returned")
    }
    kinds = [one["name"] for one in answer("objects", "list")["objects"]]
    assert kinds == ["Again", "Info", "Print Shop", "Sales Team"]
    (old,) = answer("objects", "list", "--removed")["objects"]
    assert old["name"] == "Old"
    assert "gone@acme.example" in ok("users", "bin").out
    assert "Total" in ok("account", "statement", "--month", "2026-10").out
    assert "Paula" in ok("account", "show").out


FORMS = {
    "bea": {"edit-user"},
    "cid": {"new-user", "object", "paste"},
    "dan": {"account"},
    "eva": {"settings", "buy"},
    "zed": {"robot"},
}
"""Operator -> the forms that they left, by the names that are stored."""


@pytest.mark.any_database
def test_drafts_of_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    for operator, kinds in FORMS.items():
        monkeypatch.setenv("LOGNAME", operator)
        told = answer("drafts", "list")["drafts"]
        assert {draft["kind"] for draft in told} == kinds
        for draft in told:
            assert draft["kind"] in ok("drafts", "show", str(draft["id"])).out
