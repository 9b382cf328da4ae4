"""A verb on a user is one file: commands, bulks, schedules and the worker find it by its class."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mission_control_tui.model.users.actions import registry
from tests.cli.command import Command

ACTIONS = "mission_control_tui.model.users.actions"
VERB = f"""
from {ACTIONS}.base import ActionResult, UserAction


class Farewell(UserAction):
    verb = "farewell"
    place = 90
    label = "Say farewell"
    asked = "Say farewell to"
    warning = "Nobody comes back from a farewell."
    not_undone = "What was said was said."

    async def apply(self, tx, context, user, params):
        from mission_control_tui.model.users.editing import apply_changes

        await apply_changes(tx, user, {{"title": "Leaver", "disabled": True}})
        return (ActionResult.of_user(user, next(iter(tx.requests), None)),)
"""


def test_a_file_with_a_new_verb_is_all_there_is_to_it(acme: Command, tmp_path: Path) -> None:
    ada = acme.user("ada")
    (verbs := tmp_path / "verbs").mkdir()
    (verbs / "farewell.py").write_text(VERB)
    (tmp_path / "sitecustomize.py").write_text(
        f"import {ACTIONS} as actions\nactions.__path__.append({str(verbs)!r})\n"
    )
    there = {"PYTHONPATH": f"{tmp_path}:{os.environ['PYTHONPATH']}"}

    with worker(acme, there):
        farewell(acme, ada, there)
    assert acme.run("bulk", "start", "farewell", ada).code == 2, (
        "without the file there is no such verb"
    )


@contextmanager
def worker(acme: Command, environment: dict[str, str]) -> Iterator[None]:
    """A worker that knows the verb: what the console and commands start gets no other code."""
    process = acme.start("worker", **environment)
    try:
        until = time.monotonic() + 60
        while not acme.rows("SELECT id FROM workers WHERE NOT ended"):
            assert time.monotonic() < until, "no worker came"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.communicate()


def farewell(acme: Command, ada: str, there: dict[str, str]) -> None:
    added = acme.run("schedule", "add", ada, "+1d", "farewell", "--json", environment=there)
    assert added.json["schedule"]["what"] == "Farewell the user"
    start = ("bulk", "start", "farewell", ada)
    assert "Say farewell to 1 user?" in acme.run(*start, environment=there).err
    done = acme.run(*start, "--yes", "--wait", "60", "--json", environment=there)
    assert done.code == 0, done.err
    assert done.json["plan"]["queued"] == 1
    assert done.json["plan"]["warnings"] == ["Nobody comes back from a farewell."]
    assert acme.rows("SELECT disabled FROM users WHERE upn = ?", ada) == [(1,)]
    undone = acme.run("undo", "bulk", "1", environment=there)
    assert "What was said was said." in undone.err


def test_no_two_verbs_are_called_alike() -> None:
    names = [action.verb for action in registry._verbs()]
    assert sorted(names) == sorted(set(names)) == sorted(registry.ACTIONS)
