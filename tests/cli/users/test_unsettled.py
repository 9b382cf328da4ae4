"""Settings that break a rule since before it was asked: told by doctor and with the user until they are settled."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok


def test_what_has_to_be_settled_is_told_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
    ok("buy", "email", "--level", "pc-web")
    name = ("--first-names", "Ada", "--last-name", "L", "--upn", "ada@acme.example")
    ok("users", "create", *name, "--password-stdin", stdin="Sup3rS3cret!!x\n")
    ok("provision", "ada@acme.example", "managed-exchange", "--level", "pc-web")
    with closing(sqlite3.connect(locations().database)) as connection, connection:
        connection.execute(
            "INSERT INTO unsettled_settings (account_id, assignment_id, option_id, value, reason)"
            " SELECT account_id, id, 'full-access', 'ghost@acme.example', 'nobody' FROM assignments"
        )
    told = call("doctor").out
    command = [
        "provision",
        "ada@acme.example",
        "managed-exchange",
        "--level",
        "pc-web",
        "--set",
        "full-access=",
    ]
    assert "full-access has ghost@acme.example: nobody here is called so" in told
    assert f"--account acme {' '.join(command)}" in told
    assert answer("users", "show", "ada@acme.example")["unsettled"][0]["option_id"] == "full-access"
    assert "To be settled" in ok("users", "show", "ada@acme.example").out
    ok(*command)
    assert "ghost@acme.example" not in call("doctor").out
    assert answer("users", "show", "ada@acme.example")["unsettled"] == []
