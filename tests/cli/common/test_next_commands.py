"""Commands that are printed as what comes next act where this call acted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok

INIT = ("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
URL = "postgresql://mission:hunter2@127.0.0.1:1/mission?sslmode=disable&password=hunter3"
NEVER = ("hunter2", "hunter3")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[str, str]:
    """A database whose name has to be quoted, with an account, as it is named to a command."""
    named = ("--database", str(tmp_path / "the other's.db"))
    ok(*INIT, *named)
    return named


def printed(text: str) -> list[str]:
    """The command that a text ends with, or that stands in backticks."""
    found = re.search(r"`(mission-control [^`]+)`|(mission-control .+)", text)
    assert found is not None, text
    return shlex.split(found[1] or found[2])


def test_what_comes_next_is_for_the_database_that_was_named(tmp_path: Path) -> None:
    named = ("--database", str(tmp_path / "a place" / "its.db"))
    Path(named[1]).parent.mkdir()
    words = printed(ok(*INIT, *named).err)
    assert words[:5] == ["mission-control", *named, "--account", "acme"]
    ok(*words[1:])
    assert answer("services", "list", *named)["seats"]
    assert not locations().database.exists()


def test_one_in_the_working_directory_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = printed(ok(*INIT, "--database", "its.db").err)
    assert words[2] == str(tmp_path / "its.db")


def test_hints_of_errors_name_both_in_words_and_in_json(elsewhere: tuple[str, str]) -> None:
    for places in ((), ("--account", "acme")):
        wrong = call("orders", "show", "99", *elsewhere, *places)
        as_json = call("orders", "show", "99", *elsewhere, *places, "--json")
        for text in (wrong.err, as_json.error["hint"]):
            words = printed(text)
            assert words == ["mission-control", *elsewhere, *places, "orders", "list"]
            ok(*words[1:])


def test_what_is_shown_on_stdout_names_it(elsewhere: tuple[str, str]) -> None:
    ok("buy", "email", "--level", "popx", *elsewhere)
    person = ("--first-names", "Ada", "--last-name", "Lovelace", "--password-stdin")
    upn = "ada@acme.example"
    ok("users", "create", "--upn", upn, *person, *elsewhere, stdin="Correct-Horse-7\n")
    given = ok("provision", upn, "managed-exchange", "--level", "popx", *elsewhere)
    words = printed(given.err[given.err.index("To watch") :])
    assert words == ["mission-control", *elsewhere, "status"]
    assert upn in ok(*words[1:]).out
    request = answer("requests", "list", *elsewhere)["requests"][0]["id"]
    words = printed(ok("requests", "show", str(request), *elsewhere).out)
    assert words == ["mission-control", *elsewhere, "connectors", "show", "simulator"]
    ok(*words[1:])


def test_what_is_about_the_installation_names_no_account(elsewhere: tuple[str, str]) -> None:
    unknown = call("status", "--account", "nobody", *elsewhere)
    assert printed(unknown.err)[:5] == ["mission-control", *elsewhere, "account", "list"]


def test_a_database_of_the_settings_needs_no_option(
    elsewhere: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONTROL_DATABASE", elsewhere[1])
    monkeypatch.setenv("MISSION_CONTROL_ACCOUNT", "acme")
    words = printed(call("orders", "show", "99").err)
    assert words == ["mission-control", "orders", "list"]
    ok(*words[1:])


def test_a_dry_run_without_a_database_names_none_that_is_thrown_away() -> None:
    refused = call(*INIT, "--domain", "not a domain", "--dry-run")
    assert refused.code
    assert "--database" not in refused.err


def test_a_page_is_read_without_a_database(elsewhere: tuple[str, str]) -> None:
    assert "`mission-control docs PAGE`" in ok("docs", *elsewhere).err


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_password_is_never_printed(form: tuple[str, ...]) -> None:
    wrong = call("schedule", "add", "--database", URL, "--account", "a b", *form)
    said = wrong.error["what"] if form else wrong.err
    called = "mission-control --database 'postgresql://mission@127.0.0.1:1/mission?sslmode=disable'"
    assert f"{called} --account 'a b' schedule add" in said
    doctor = call("doctor", "--database", URL, *form)
    for secret in NEVER:
        assert secret not in wrong.out + wrong.err + doctor.out + doctor.err


def test_of_an_address_that_cannot_be_read_nothing_is_printed() -> None:
    wrong = call("schedule", "add", "--database", "postgresql://mission:hunter2@host:port/mission")
    assert "mission-control --database URL-OR-PATH schedule add" in wrong.err
    assert "hunter2" not in wrong.err
