"""What a screen asks about because it takes something away, the command line asks about too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.inprocess import answer, call, ok

ADA = "ada@acme.example"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")
    ok("buy", "email", "--level", "popx")
    names = ("--first-names", "Ada", "--last-name", "L", "--password-stdin")
    ok("users", "create", "--upn", ADA, *names, stdin="Kp7m-xR4w-9fTc\n")
    ok("provision", ADA, "managed-exchange", "--level", "popx")


def test_what_is_lost_is_asked_about_and_yes_answers() -> None:
    ok("users", "alias", "add", ADA, "countess@acme.example")
    schedule = answer("schedule", "add", ADA, "+2h", "disable")["schedule"]["id"]
    request = str(answer("requests", "list")["requests"][0]["id"])
    for words, lost in (
        (("suspend", ADA, "managed-exchange"), "the access, until it is resumed"),
        (("users", "disable", ADA), "the access to every service"),
        (("users", "alias", "remove", ADA, "countess@acme.example"), "mail to it"),
        (("schedule", "cancel", str(schedule)), "it will not happen"),
        (("requests", "reset", request), "its result"),
        (("requests", "cancel", request), "this wish"),
    ):
        before = answer("audit")["entries"]
        refused = call(*words)
        assert refused.code == 7, words
        assert f"Lost: {lost}" in refused.err
        assert "--yes" in refused.err
        assert call(*words, stdin="n\n", terminal=True).code == 7
        assert call(*words, "--dry-run").code == 0, words
        assert answer("audit")["entries"] == before
    ok("suspend", ADA, "managed-exchange", stdin="y\n", terminal=True)
    ok("resume", ADA, "managed-exchange")
    ok("users", "disable", ADA, "--yes")
    ok("users", "enable", ADA)
    said = [command for entry in answer("audit")["entries"] for command in entry["commands"]]
    assert ["suspend", ADA, "managed-exchange", "--yes"] in said
    assert ["users", "disable", ADA, "--yes"] in said
