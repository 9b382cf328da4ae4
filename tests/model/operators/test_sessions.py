"""Sessions: a console that was lost is offered again, once; one that was quit or still runs is not."""

from __future__ import annotations

import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import sessions
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.operators import SessionRow

pytestmark = pytest.mark.any_database

BEGIN_AND_DIE = """
import asyncio, os, sys
from mission_control_tui.model.operators import sessions
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.database import Store

async def main():
    store = await Store.open(sys.argv[1])
    caller = Caller(operator="anna", ticket="T-9", session="5e" * 16)
    await sessions.begin(store, caller)
    await sessions.keep_place(store, caller, {"screen": "user", "account": 7})
    print(caller.session, flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def with_session(caller: Caller) -> Caller:
    """The caller, with the id of a new session."""
    return replace(caller, session=uuid.uuid4().hex)


def run_and_die(where: str) -> str:
    """The id of a session whose process was killed."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN_AND_DIE, where], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


async def places(store: Store) -> list[dict[str, Any]]:
    async with store.read() as session:
        return list(await session.scalars(select(SessionRow.place)))


async def test_a_killed_console_is_offered_once(where: str, store: Store) -> None:
    killed = run_and_die(where)
    caller = with_session(Caller(operator="anna"))
    await sessions.begin(store, caller)
    found = await sessions.lost(store, caller)
    assert found is not None
    assert (found.id, found.place, found.ticket) == (
        killed,
        {"screen": "user", "account": 7},
        "T-9",
    )
    assert await sessions.lost(store, with_session(Caller(operator="bob"))) is None

    await sessions.take_over(store, caller, found.id)
    assert await sessions.lost(store, caller) is None
    assert await places(store) == [{}, {}]


async def test_what_runs_or_was_quit_is_not_offered(store: Store, caller: Caller) -> None:
    running, quitted, cut = (with_session(caller) for _ in range(3))
    for one in (running, quitted, cut):
        await sessions.begin(store, one)
    await sessions.keep_place(store, quitted, {"screens": [("user", [])]})
    await sessions.end(store, quitted)
    assert await places(store) == [{}, {}, {}]
    fresh = with_session(caller)
    assert await sessions.lost(store, fresh) is None
    await sessions.end(store, cut, sessions.SessionEnding.LOST)
    found = await sessions.lost(store, fresh)
    assert found is not None
    assert found.id == cut.session


async def test_what_was_lost_long_ago_is_not_offered(store: Store, caller: Caller) -> None:
    old = with_session(caller)
    await sessions.begin(store, old)
    await sessions.end(store, old, sessions.SessionEnding.LOST)
    async with store.private() as session:
        await session.execute(
            update(SessionRow).values(seen_at=datetime.now(UTC) - timedelta(hours=25))
        )
    assert await sessions.lost(store, with_session(caller)) is None


async def test_another_operator_cannot_end_a_session(store: Store, caller: Caller) -> None:
    mine = with_session(caller)
    await sessions.begin(store, mine)
    await sessions.end(store, replace(mine, operator="bob"), sessions.SessionEnding.LOST)
    assert await sessions.lost(store, with_session(caller)) is None
