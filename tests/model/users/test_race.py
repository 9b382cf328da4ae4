"""Two operators at the same time, as two real processes: one gets the name, the other is told who has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.views import Account
from tests.model.processes import race

NAMES = 15

START = """
import asyncio, json, sys
from mission_control_tui.model.users import creation as users
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.errors import MissionControlError

def say(value):
    print(json.dumps(value), flush=True)

async def main(where, me):
    store = await Store.open(where)
    scope = AccountScope(store, Caller(me), "acme")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await work(scope, me)
    await store.close()
"""

CREATE = """
from tests.model.helpers import PASSWORD, ada

async def work(scope, me):
    for number in range({names}):
        local = f"user{{number}}" if me == "anna" else f"USER{{number}}"
        details = ada(upn=f"{{local}}@acme.example", username=local, display_name=me)
        try:
            await users.create_user(scope, details, PASSWORD)
            say([number, "created"])
        except MissionControlError as error:
            say([number, type(error).__name__, [str(one) for one in error.problems]])
"""

IMPORT = """
from mission_control_tui.model.onboarding.file_import import Passwords, run_import
from mission_control_tui.model.onboarding.files.read import read_users

async def work(scope, me):
    order = range({names}) if me == "anna" else reversed(range({names}))
    rows = [f"same{{number}}@acme.example,{{me}}" for number in order]
    rows += [f"{{me}}.{{number}}.common-to-both@acme.example,{{me}}" for number in range({names})]
    file = read_users(("UPN,Display Name\\n" + "\\n".join(rows)).encode())
    outcome = await run_import(scope, file, passwords=Passwords.GENERATE)
    result = outcome.result
    say([len(result.created), len(result.differing), len(result.refused)])
"""


def said_by_two(where: str, work: str) -> dict[str, list[Any]]:
    """What each of two processes said that were let go at the same moment."""
    code = START + work.format(names=NAMES) + "\nasyncio.run(main(*sys.argv[1:]))\n"
    people = ("anna", "ben")
    said = race([["-c", code, where, me] for me in people], 120)
    return {
        me: [json.loads(line) for line in lines] for me, lines in zip(people, said, strict=True)
    }


@pytest.mark.any_database
async def test_one_of_two_gets_the_name(where: str, store: Store, account: Account) -> None:
    said = said_by_two(where, CREATE)
    for number in range(NAMES):
        outcomes = [said[me][number] for me in ("anna", "ben")]
        assert sorted(outcome[1] for outcome in outcomes) == ["Conflict", "created"]
        (loser,) = [outcome for outcome in outcomes if outcome[1] == "Conflict"]
        winner = "ben" if loser is said["anna"][number] else "anna"
        assert loser[2]
        assert not [problem for problem in loser[2] if f"is taken by {winner}" not in problem]
    async with store.read() as session:
        for table in (UserRow, AddressRow):
            assert await session.scalar(select(func.count()).select_from(table)) == NAMES


@pytest.mark.proof
async def test_two_imports_at_once_make_every_user_once(
    where: str, store: Store, account: Account
) -> None:
    said = said_by_two(where, IMPORT)
    (first, second) = (said["anna"][0], said["ben"][0])
    assert {first[0], second[0]} == {2 * NAMES, NAMES}
    assert {first[1], second[1]} == {0, NAMES}
    assert first[2] == second[2] == 0
    async with store.read() as session:
        names = list(await session.scalars(select(UserRow.username_key)))
    assert len(names) == len(set(names)) == 3 * NAMES
