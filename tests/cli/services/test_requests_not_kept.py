"""Requests that ended long ago and are deleted: whoever asks for one by its number is told so, at every door."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mission_control_tui.model.history import pruning
from mission_control_tui.model.store.database import Store
from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok
from tests.screens.driving import console, shows

ADA = "ada@acme.example"


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """The number of a request that is no longer kept; its service had a later one."""
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.chdir(tmp_path)
    ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example")
    ok("buy", "email", "--level", "popx", "--quantity", "2")
    ok(
        *("users", "create", "--upn", ADA, "--first-names", "Ada", "--last-name", "Byron"),
        "--password-stdin",
        stdin="Correct-Horse-7\n",
    )
    ok("provision", ADA, "managed-exchange")
    number = int(answer("requests", "list")["requests"][0]["id"])
    ok("suspend", ADA, "managed-exchange")
    with closing(sqlite3.connect(locations().database)) as database:
        database.execute(
            "UPDATE requests SET state = 'succeeded', ended_at = '2020-01-01 00:00:00'"
        )
        database.execute("UPDATE assignments SET light = 'green', word = 'Suspended'")
        database.commit()
    asyncio.run(prune(locations().database))
    return number


async def prune(where: Path) -> None:
    store = await Store.open(where)
    await pruning.prune(store, 30)
    await store.close()


def test_commands_say_that_it_is_not_kept_and_where_its_audit_is(first: int) -> None:
    for words in (
        ("requests", "show"),
        ("requests", "retry"),
        ("requests", "cancel"),
        ("requests", "reset"),
    ):
        refused = call(*words, str(first), "--json")
        assert refused.code == 4, words
        assert "no longer kept" in refused.error["what"], words
        assert f"audit --request {first}" in refused.error["hint"], words
    assert answer("audit", "--request", str(first))["entries"]
    # Its audit is kept for good, and undone by it.
    assert answer("undo", "request", str(first), "--dry-run")["undone"].startswith("provision")


async def test_the_console_says_so_on_the_screen_of_the_request(first: int) -> None:
    async with console(locations().database) as (app, pilot):
        app.screen.go_to("request", first)  # type: ignore[attr-defined]
        await shows(pilot, "no longer kept")
