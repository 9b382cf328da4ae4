"""`audit`: filters, CSV that no spreadsheet evaluates, JSON."""

from __future__ import annotations

import csv
import io

import pytest

from mission_control_tui.model.text.spreadsheet_cells import free
from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example", "--ticket", "T-1")
    ok("account", "edit", "--name", "Acme Ltd", "--ticket", "=1+1")


def actions(*arguments: str) -> list[str]:
    return [one["action"] for one in answer("audit", *arguments)["entries"]]


def test_newest_first_with_before_and_after() -> None:
    assert actions() == ["edit account", "add domain", "create account"]
    entry = answer("audit")["entries"][0]
    assert (entry["before"], entry["after"]) == ({"name": "Acme"}, {"name": "Acme Ltd"})
    assert "name: Acme -> Acme Ltd" in ok("audit").out


def test_filters() -> None:
    operator = answer("audit")["entries"][0]["operator"]
    assert actions("--ticket", "T-1") == ["add domain", "create account"]
    assert actions("--action", "edit") == ["edit account"]
    assert len(actions("--operator", operator)) == 3
    assert actions("--operator", "nobody") == []
    assert len(actions("--since", "1h")) == 3
    assert actions("--until", "1h") == []
    assert actions("--since", "2999-01-01") == []
    assert actions("--limit", "1") == ["edit account"]
    assert call("audit", "--user", "nobody@acme.example").code == 4
    assert "No such change" in ok("audit", "--ticket", "T-99").err


@pytest.mark.parametrize("when", ["yesterday", "7x", "99999999d", "2026-13-01"])
def test_times_that_are_none(when: str) -> None:
    refused = call("audit", "--since", when)
    assert refused.code == 2
    assert "is no time" in refused.err


def test_csv_is_no_formula_and_loses_nothing() -> None:
    text = ok("audit", "--csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 3
    assert rows[0]["ticket"] == "'=1+1"
    assert [free(row["ticket"]) for row in rows] == ["=1+1", "T-1", "T-1"]
    assert call("audit", "--csv", "--json").code == 2


def test_export_is_not_cut_to_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mission_control_tui.cli.history.audit.PAGE", 2)
    assert len(ok("audit", "--csv").out.splitlines()) == 4
    ids = [one["id"] for one in answer("audit")["entries"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
