"""What was under way in a store of today goes on and ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.cli.inprocess import answer, ok
from tests.forked import ForkedProcess
from tests.frozen.store import plain

pytestmark = pytest.mark.any_database

UNDER_WAY = """
SELECT id FROM requests WHERE state IN ('queued', 'waiting', 'running')
UNION ALL SELECT id FROM bulks WHERE state <> 'done'
UNION ALL SELECT id FROM schedules WHERE state = 'waiting' AND due_at < '2030-01-01'
"""
SECONDS = 60.0


@contextmanager
def worker(directory: Path) -> Iterator[None]:
    """A worker as long as the block lasts."""
    with (directory / "worker.log").open("wb") as log:
        process = ForkedProcess("mission_control_tui", ["worker"], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


def numbers(where: str, statement: str) -> list[Any]:
    with plain(where) as connection:
        return list(connection.scalars(text(statement)))


def until(done: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.1)


def test_what_was_under_way_goes_on_and_ends(frozen: str, tmp_path: Path) -> None:
    with plain(frozen) as connection:
        due = "UPDATE schedules SET due_at = :at WHERE action = 'hibernate' AND state = 'waiting'"
        connection.execute(text(due), {"at": "2026-11-01 09:00:00.000000"})
    ok("requests", "allow", "--yes")
    ok("bulk", "resume", "13")
    ok("bulk", "resume", "14", "--passwords-out", "passwords.csv")
    for account in ("acme", "sample"):
        ok("--account", account, "requests", "retry", "--all-red")
    ok("requests", "retry", "120")
    log = tmp_path / "worker.log"
    with worker(tmp_path):
        until(lambda: not numbers(frozen, UNDER_WAY), log)
    lights = set(numbers(frozen, "SELECT word FROM assignments"))
    assert lights == {"Provisioned", "Not provisioned", "Not checked"}
    ended = "SELECT state FROM requests WHERE id IN (11, 119, 120, 121, 122, 123) ORDER BY id"
    assert set(numbers(frozen, ended)) <= {"succeeded", "superseded"}

    told = {bulk["id"]: bulk for bulk in answer("bulk", "list")["bulks"]}
    for number in (12, 13, 14):
        assert told[number]["state"] == "done"
        progress = told[number]["progress"]
        assert {progress[state] for state in ("left", "orange", "red", "refused")} == {0}
    passwords = (tmp_path / "passwords.csv").read_text("utf-8")
    assert "fay@acme.example" in passwords

    schedules = answer("schedule", "list")["schedules"]
    found = Counter((schedule["action"], schedule["state"]) for schedule in schedules)
    verbs = ("provision", "suspend", "resume", "deprovision", "enable")
    assert {verb: found[verb, "done"] for verb in verbs} == dict.fromkeys(verbs, 1)
    assert found["disable", "done"] == 2
    (failed,) = (
        one for one in schedules if (one["action"], one["state"]) == ("hibernate", "failed")
    )
    assert failed["said"] == "This version has no action 'hibernate'."
