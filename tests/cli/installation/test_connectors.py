"""`connectors`: what is known of each without asking it, whether it answers, and never a secret."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok
from tests.support import free_port

HIDDEN = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


def settings(text: str) -> None:
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def listed() -> dict[str, Any]:
    return {row["connector"]: row for row in answer("connectors", "list")["connectors"]}


def test_before_there_is_a_database_nothing_is_made() -> None:
    (row,) = listed().values()
    assert (row["connector"], row["type"], row["mode"]) == ("simulator", "simulator", "enabled")
    assert (row["waiting"], row["last_success"], row["paused"]) == (0, None, None)
    assert "databases" in row["serves"]
    checked = answer("connectors", "check")
    assert checked["healthy"] is True
    assert checked["connectors"][0]["version"] == "simulator 1"
    assert "All is well." in ok("connectors", "check", "simulator").err
    shown = ok("connectors", "show", "simulator").out
    assert "Options         any" in shown
    assert "Succeeded       nothing yet" in shown
    assert not locations().data.exists()


def test_a_named_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    for words in (("list",), ("check",), ("show", "simulator")):
        refused = call("connectors", *words, "--database", str(tmp_path / "none.db"))
        assert (refused.code != 0, "There is no database" in refused.err) == (True, True)
    assert not any(tmp_path.iterdir())


def test_one_that_cannot_be_loaded_hides_no_other() -> None:
    settings(f'[connectors.mail]\ntype = "nonesuch"\nmode = "observe"\nserver = "{HIDDEN}"\n')
    row = listed()["mail"]
    assert (row["mode"], "no installed package offers" in row["problem"]) == ("observe", True)
    assert row["problem"].endswith("A worker that runs already goes on with the settings before.")
    assert listed()["simulator"]["problem"] == ""
    checked = call("connectors", "check", "--json")
    found = {row["connector"]: row for row in checked.json["connectors"]}
    assert (checked.code, checked.json["healthy"]) == (1, False)
    assert (found["mail"]["reached"], found["mail"]["level"]) == (False, "problem")
    assert found["mail"]["remedy"]
    assert found["simulator"]["reached"] is True
    assert call("connectors", "check", "simulator").code == 0, "only those that are named"
    shown = ok("connectors", "show", "mail")
    assert "Mode            observe" in shown.out
    assert "Setting         server = (not shown)" in shown.out
    assert answer("connectors", "show", "mail")["declares"] is None
    unknown = call("connectors", "check", "nobody")
    assert (unknown.code, "mail, simulator" in unknown.err) == (4, True)


def test_what_is_a_part_says_of_what() -> None:
    settings(
        '[connectors.half]\ntype = "simulator"\n[connectors.whole]\ntype = "composite"\n'
        '[connectors.whole.parts.mailbox]\nconnector = "half"\n'
    )
    assert (listed()["half"]["serves"], listed()["half"]["part_of"]) == ([], ["whole"])
    assert listed()["whole"]["part_of"] == []
    assert "Serves          part of whole" in ok("connectors", "show", "half").out
    assert "(part of whole)" in ok("connectors", "check", "half").out


def test_settings_are_shown_and_no_secret_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{HIDDEN}\n")
    secret.chmod(0o600)
    monkeypatch.setenv("API_KEY", HIDDEN)
    settings(
        '[services]\ndatabases = "pg"\nmanaged-exchange = "pg"\n'
        f'[connectors.pg]\ntype = "postgresql"\nhost = "127.0.0.1"\nport = {free_port()}\n'
        f'user = "provisioner"\npassword_file = "{secret}"\ntls = "disable"\nmode = "observe"\n'
        '[connectors.dns]\ntype = "powerdns"\nurl = "http://127.0.0.1:1"\napi_key_env = "API_KEY"\n'
        'name_servers = ["ns1.provider.example"]\n'
        f'[connectors.wrong]\ntype = "postgresql"\npassword = "{HIDDEN}"\nserver = "{HIDDEN}"\n'
    )
    calls = [("list",), ("list", "--csv"), ("check",)]
    calls += [("show", name) for name in ("pg", "dns", "wrong")]
    for words in calls:
        for form in ((), ("--json",)) if "--csv" not in words else ((),):
            called = call("connectors", *words, *form)
            assert called.code == (1 if words == ("check",) else 0), (words, called.err)
            assert HIDDEN not in called.out + called.err, words
    shown = answer("connectors", "show", "pg")
    assert shown["settings"]["user"] == "provisioner"
    assert shown["settings"]["password_file"] is None
    assert (shown["mode"], shown["declares"]["fence"]) == ("observe", "locked")
    assert shown["declares"]["limits"]["connection_limit"]["needed"] is True
    assert any(words.startswith("Managed Exchange: connector pg") for words in shown["not_kept"])
    assert answer("connectors", "show", "dns")["settings"]["url"] == "http://127.0.0.1:1"
    wrong = answer("connectors", "show", "wrong")
    assert wrong["settings"] == {"type": "postgresql", "password": None, "server": None}
    settings(
        '[connectors.odd]\ntype = "postgresql"\nuser = "u"\n'
        f'password_env = "API_KEY"\ndatabase = "pg://joe:{HIDDEN}@db.example/a"\n'
    )
    odd = answer("connectors", "show", "odd")
    assert (odd["declares"] is None, odd["settings"]["database"]) == (False, None)


def test_queue_pause_last_success_and_failure_are_those_of_the_database() -> None:
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
    ok("buy", "email", "--level", "popx", "--quantity", "2")
    for name in ("ada", "bob"):
        ok(
            *("users", "create", "--upn", f"{name}@acme.example", "--first-names", name),
            *("--last-name", "A", "--password-stdin"),
            stdin="Kp7m-xR4w-9fTc\n",
        )
        ok("provision", f"{name}@acme.example", "managed-exchange", "--level", "popx")
    before = listed()["simulator"]
    assert before["waiting"] >= 2
    with closing(sqlite3.connect(locations().database)) as db:
        ids = [row[0] for row in db.execute("SELECT id FROM requests ORDER BY id")]
        db.execute(
            "UPDATE requests SET state = 'succeeded', ended_at = '2026-03-02 09:00:00' WHERE id = ?",
            ids[-2:-1],
        )
        db.execute(
            "UPDATE requests SET state = 'failed', ended_at = '2026-03-02 09:05:00' WHERE id = ?",
            ids[-1:],
        )
        db.execute(
            "INSERT INTO request_events (account_id, request_id, at, attempt, kind, step, said, remedy,"
            " detail) SELECT account_id, id, '2026-03-02 09:05:00', 1, 'failed', '', 'No room left.',"
            " 'Add a disk.', '{}' FROM requests WHERE id = ?",
            ids[-1:],
        )
        db.execute(
            "INSERT INTO connector_states (name, paused, kind, said, remedy, since, next_check_at,"
            " wait, failed_checks, strikes, resumed_at) VALUES ('simulator', 1, 'unreachable',"
            " '=Nobody \x1b[31manswers', 'Start it.', '2026-03-02 09:00:00', 1772442000, 60, 0, 0, 0)"
        )
        db.commit()
    row = listed()["simulator"]
    assert (row["waiting"], row["running"]) == (before["waiting"] - 2, 0)
    assert row["last_success"] == "2026-03-02T09:00:00Z"
    assert row["paused"]["next_check_at"] == "2026-03-02T09:00:00Z"
    assert row["paused"]["remedy"] == "Start it."
    (cells,) = csv.DictReader(io.StringIO(ok("connectors", "list", "--csv").out))
    assert cells["paused until"] == "2026-03-02 09:00Z"
    assert cells["why"].startswith("'="), "no formula"
    for words in (("list",), ("check",), ("show", "simulator")):
        assert "\x1b" not in ok("connectors", *words).out
    assert "still paused after" in ok("connectors", "check").out
    shown = answer("connectors", "show", "simulator")
    assert shown["last_failure"] == {
        "request": ids[-1],
        "at": "2026-03-02T09:05:00Z",
        "said": "No room left.",
        "remedy": "Add a disk.",
    }
    assert f"request {ids[-1]}: No room left." in ok("connectors", "show", "simulator").out
    assert call("connectors", "list", "--json", "--csv").code == 2
