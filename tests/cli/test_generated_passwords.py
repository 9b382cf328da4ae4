"""Passwords that a command makes are in their file before anything is changed with them, whichever command it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.cli.inprocess import Called, answer, call, ok
from tests.lost_answers import lose_next_answer

ADA = "ada@acme.example"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")
    ok("buy", "databases", "--level", "small", "--quantity", "3")
    ok(
        *("users", "create", "--upn", ADA, "--first-names", "Ada", "--last-name", "Byron"),
        "--password-stdin",
        stdin="Correct-Horse-7\n",
    )


def full_disk(_descriptor: int, _data: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def changes() -> int:
    return len(answer("audit")["entries"])


def test_nothing_is_changed_with_a_password_that_could_not_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = (ADA, "databases", "--level", "small")
    commands: dict[str, tuple[str, ...]] = {
        "own": ("users", "password", ADA),
        "new": (
            *("users", "create", "--upn", "bob@acme.example"),
            *("--first-names", "Bob", "--last-name", "Bird"),
        ),
        "database": ("provision", *database),
        "second": ("provision", *database, "--instance", "b"),
        "reset": ("users", "password", ADA, "--service", "databases"),
    }

    def called(name: str) -> Called:
        return call(*commands[name], "--passwords-out", f"{name}.csv", "--json")

    def judged(name: str, lines: int = 2) -> None:
        before = changes()
        with monkeypatch.context() as patched:
            patched.setattr("mission_control_tui.cli.common.passwords.put", full_disk)
            refused = called(name)
        assert (refused.code, refused.error["code"]) == (8, "store"), name
        assert "No space left" in refused.error["what"]
        assert "were not set" in refused.error["hint"]
        assert changes() == before, name
        file = tmp_path / f"{name}.csv"
        assert not file.exists(), name
        with monkeypatch.context() as patched:
            lose_next_answer(patched)
            lost = called(name)
        assert (lost.code, lost.error["code"]) == (8, "outcome-unknown"), name
        assert changes() > before, name
        assert len(file.read_text("utf-8").splitlines()) == lines, name

    for name in commands:
        judged(name)
    assert called("own").error["code"] == "conflict", "a file of passwords is never written over"


def test_a_dry_run_needs_no_place_for_passwords() -> None:
    before = changes()
    for command in (
        ("users", "password", ADA),
        *(
            (
                "users",
                "create",
                "--upn",
                f"{name}@acme.example",
                "--first-names",
                "B",
                "--last-name",
                "B",
            )
            for name in ("bob", "eve")
        ),
        ("provision", ADA, "databases", "--level", "small"),
        ("bulk", "start", "password", ADA),
        ("bulk", "start", "provision", "--service", "databases", "--level", "small", ADA),
    ):
        tried = call(*command, "--dry-run", "--json")
        assert (tried.code, tried.json["applied"]) == (0, False), (command, tried.err)
        assert call(*command).code == 2, "what is done needs a place"
    assert changes() == before
