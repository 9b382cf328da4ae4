"""`account contacts`, `approval`, `statement`, `usage`, `domains`, and decisions on orders: text, JSON, CSV, PDF."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pypdf
import pytest

from tests.cli.inprocess import answer, call, ok

REGISTRANT = ("--set", "registrant-name=Acme", "--set", "registrant-email=owner@acme.example")


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")


def test_contacts_are_set_changed_and_cleared() -> None:
    assert "No contacts yet" in ok("account", "contacts", "list").err
    ok("account", "contacts", "set", "secondary", "--name", "Zoe")
    rita = ("--name", "Rita", "--phone", "+61 2 9374 4000")
    ok("account", "contacts", "set", "primary", *rita)
    ok("account", "contacts", "set", "primary", "--email", "rita@acme.example", "--dry-run")
    ok("account", "contacts", "set", "primary", "--email", "rita@acme.example")
    found = answer("account", "contacts", "list")["contacts"]
    assert [(one["role"], one["name"], one["email"]) for one in found] == [
        ("primary", "Rita", "rita@acme.example"),
        ("secondary", "Zoe", ""),
    ]
    assert call("account", "contacts", "clear", "secondary").code == 7
    ok("account", "contacts", "clear", "secondary", "--yes")
    assert "Zoe" not in ok("account", "contacts", "list").out


def test_contacts_that_are_wrong_are_named_all_at_once() -> None:
    wrong = ("--name", " ", "--email", "nonsense", "--phone", "1")
    refused = call("account", "contacts", "set", "primary", *wrong)
    assert refused.code == 3
    for words in ("a name is required", "not an e-mail address", "too few digits"):
        assert words in refused.err
    assert call("account", "contacts", "set", "primary").code == 2


def test_an_order_above_the_limit_waits_is_approved_and_taken_back() -> None:
    assert "No order waits" in ok("account", "approval").out
    assert call("account", "approval", "--above", "1.234").code == 3
    assert call("account", "approval", "--above", "5", "--never").code == 2
    ok("account", "approval", "--above", "1,000.50", "--ticket", "T-1")
    assert answer("account", "approval")["approval_above"] == {"minor": 100050, "currency": "AUD"}
    ok("account", "approval", "--above", "5")
    bought = ok("buy", "email", "--level", "popx", "--quantity", "5")
    assert "waits for approval: AUD 16.50 is more than AUD 5.00" in bought.err
    assert answer("services", "list")["seats"] == []
    assert answer("orders", "list", "--state", "complete")["orders"] == []
    ok("orders", "approve", "1", "--note", "asked Rita")
    assert call("orders", "approve", "1").code == 5
    assert answer("services", "list")["seats"][0]["owned"] == 5
    shown = ok("orders", "show", "1").out
    assert "Reason: asked Rita" in shown
    assert "Decided " in shown
    assert call("orders", "cancel", "1").code == 7
    assert answer("orders", "cancel", "1", "--yes", "--reason", "twice")["order"]["state"] == (
        "returned"
    )
    assert answer("services", "list")["seats"][0]["owned"] == 0
    assert [one["id"] for one in answer("orders", "list", "--kind", "removal")["orders"]] == [2]
    actions = [one["action"] for one in answer("audit", "--action", "approve")["entries"]]
    assert actions == ["approve order"]
    ok("account", "approval", "--never")
    assert answer("account", "approval")["approval_above"] is None


def test_a_waiting_order_is_cancelled() -> None:
    ok("account", "approval", "--above", "0")
    ok("buy", "email", "--level", "popx")
    assert answer("orders", "cancel", "1", "--yes")["order"]["state"] == "cancelled"
    assert call("orders", "approve", "1").code == 5


def test_the_statement_in_every_format(tmp_path: Path) -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "5")
    text = ok("account", "statement").out
    assert "Acme Pty Ltd (acme)" in text
    assert "5 x 3.00" in text
    assert "AUD 16.50" in text
    document = answer("account", "statement")["statement"]
    assert document["sums"][0]["total"] == {"minor": 1650, "currency": "AUD"}
    assert json.loads(ok("account", "statement", "--format", "json").out)["statement"] == document
    rows = list(csv.DictReader(io.StringIO(ok("account", "statement", "--format", "csv").out)))
    assert [row["total"] for row in rows] == ["16.50", "16.50"]
    for name in ("may.pdf", "may.csv", "may.txt"):
        assert str(tmp_path / name) in ok("account", "statement", "--out", name).err
    assert "AUD 16.50" in pypdf.PdfReader("may.pdf").pages[0].extract_text()
    assert call("account", "statement", "--out", "may.pdf").code == 2
    assert call("account", "statement", "--format", "pdf").code == 2
    assert call("account", "statement", "--out", "may.doc").code == 3
    assert call("account", "statement", "--month", "1999-01").code == 4
    ok("account", "statement", "--json", "--out", "may.json")
    assert json.loads(Path("may.json").read_text())["statement"]["period"] == document["period"]


def test_without_its_libraries_a_pdf_says_which_line_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "reportlab"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "reportlab", None)
    told = call("account", "statement", "--out", "may.pdf")
    assert told.code == 1
    assert "A PDF needs reportlab, which is not installed here" in told.err
    assert f"{sys.executable} -m pip install 'mission-control-tui[pdf]'" in told.err
    assert list(tmp_path.iterdir()) == []
    ok("account", "statement", "--out", "may.csv")


def test_usage_names_what_is_idle_and_its_cost() -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "3")
    new = ("users", "create", "--first-names", "Ada", "--last-name", "L", "--upn")
    ok(*new, "=ada@acme.example", "--passwords-out", "p.csv")
    ok("provision", "=ada@acme.example", "managed-exchange", "--level", "popx")
    assert "A month AUD 9.00, of it idle AUD 6.00" in ok("account", "usage").out
    usage = answer("account", "usage")["usage"]
    assert (usage["levels"][0]["owned"], usage["levels"][0]["free"]) == (3, 2)
    (row,) = csv.DictReader(io.StringIO(ok("account", "usage", "--csv").out))
    assert (row["level"], row["free"], row["idle"]) == ("popx", "2", "6.00")
    ok("users", "disable", "=ada@acme.example")
    (idle,) = csv.DictReader(io.StringIO(ok("account", "usage", "--idle", "--csv").out))
    assert idle["user"] == "'=ada@acme.example"
    assert idle["why"] == "disabled"
    assert call("account", "usage", "--csv", "--json").code == 2


def test_domains_say_where_they_are() -> None:
    ok("account", "approval", "--above", "20")
    ok("buy", "domain-names", "--domain", "acme.com", *REGISTRANT)
    ok("buy", "domain-names", "--domain", "acme.net", "--term", "24", *REGISTRANT)
    found = {one["name"]: one for one in answer("account", "domains")["domains"]}
    assert found["acme.com"]["state"] == "registering"
    assert found["acme.com"]["services"][0]["light"] == "orange"
    assert found["acme.net"]["state"] == "waiting for approval"
    assert found["acme.example"]["state"] == "owned elsewhere"
    assert "waiting for approval (order 2)" in ok("account", "domains").out
