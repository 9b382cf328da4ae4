"""The feed of changes: what another process commits is noticed soon, on both databases, again after an outage."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import drafts, recents
from mission_control_tui.model.store import change_feed as feed_module
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.change_feed import POLL_SECONDS, changes
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.worker_transaction import silent_write
from mission_control_tui.model.users.queries import details
from tests.postgres import PostgresServer
from tests.provisioning.support import World
from tests.support import share

WRITER = """
import asyncio, sys, time
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators import drafts, recents
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.plan import PlanVerb

async def main(where, account, count):
    store = await Store.open(where)
    for number in range(count):
        async with store.write(Caller(operator="other"), account) as tx:
            tx.record(PlanVerb.CHANGED, "thing", str(number))
        print(time.time(), flush=True)
        await asyncio.sleep(0.23)
    await store.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""

ROUNDS = 400
MARKER = """
import os, random, sqlite3, sys, time

where, seed, second = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
pauses = random.Random(seed)
connection = sqlite3.connect(where, isolation_level=None, timeout=30)
# A log that is begun again after each commit keeps its size.
connection.execute("PRAGMA wal_autocheckpoint = 1")
number = 0
for line in sys.stdin:
    time.sleep(2.3 if line == "late\\n" else pauses.choice((0, 0, 0.001, 0.004, 0.012)) * pauses.random())
    for _ in range(pauses.choice((1, 1, 2, 3, 5))):
        number += 1
        connection.execute("BEGIN")
        connection.execute("UPDATE marks SET number = ?", (number,))
        connection.execute(f"PRAGMA user_version = {number}")  # announced as the model does
        connection.execute("COMMIT")
        if second:
            for name in (where, where + "-wal"):
                at = os.stat(name).st_mtime // second * second
                os.utime(name, (at, at))
        time.sleep(pauses.choice((0, 0.0005, 0.003)))
    print(number, flush=True)
"""


class Heard:
    """When the feed told of a change, by this machine's clock."""

    def __init__(self) -> None:
        self.at: list[float] = []

    async def listen(self, store: Store, account_id: int | None = None) -> None:
        async with aclosing(changes(store, account_id)) as feed:
            async for _ in feed:
                self.at.append(time.time())

    async def until(self, wanted: Callable[[int], bool]) -> None:
        async with asyncio.timeout(20):
            while not wanted(len(self.at)):  # noqa: ASYNC110 - the feed itself is what is tested
                await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(store: Store, account_id: int | None = None) -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(heard.listen(store, account_id))
    try:
        await heard.until(lambda count: count >= 1)
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def commits_elsewhere(world: World, count: int, account: int = 1) -> list[float]:
    """Times of commits by another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, world.where, str(account), str(count)),
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return [float(line) for line in output.split()]


async def test_a_commit_of_another_process_is_heard_soon(world: World) -> None:
    async with listening(world.store) as heard:
        committed = await commits_elsewhere(world, 6)
        await heard.until(lambda count: count >= 7)
    delays = [min(at - then for at in heard.at if at >= then - 0.02) for then in committed]
    # The best of several, because this machine may be busy: within a poll or two, or told without any.
    assert min(delays) < POLL_SECONDS * (2 if world.store.is_sqlite else 1)


async def test_nothing_is_heard_while_nothing_happens(world: World) -> None:
    async with listening(world.store) as heard:
        await asyncio.sleep(0.5)
        assert len(heard.at) == 1


async def test_an_operators_own_notes_and_a_workers_lease_wake_nobody(world: World) -> None:
    store, caller = world.store, world.caller
    (upn,) = await world.people("ann")
    scope = AccountScope(store, caller, 1)
    user = (await details(scope, upn)).id
    async with listening(store) as heard:
        await drafts.save_draft(scope, "new-user", {"upn": "b"}, title="B")
        await recents.remember(store, caller, 1, user)
        async with silent_write(store) as session:
            await session.execute(update(InstallationRow).values(epoch_met=0))
        await asyncio.sleep(3 * POLL_SECONDS + 0.2)
        assert len(heard.at) == 1
        async with store.write(caller, 1):
            pass
        await heard.until(lambda count: count == 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(0.0, marks=pytest.mark.proof),
        1.0,
        pytest.param(2.0, marks=pytest.mark.proof),
    ],
    ids=["own clock", "seconds", "two seconds"],
)
async def test_no_commit_is_missed_however_coarse_the_clock_of_the_file_system(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, second: float
) -> None:
    """Each burst of commits by another process must be heard before that goes on: one missed would be waited for."""
    monkeypatch.setattr(feed_module, "BACKSTOP_SECONDS", 3600.0)
    where = sqlite_world.where
    with closing(sqlite3.connect(where, isolation_level=None, timeout=30)) as reader:
        reader.execute("CREATE TABLE marks (number INTEGER)")
        reader.execute("INSERT INTO marks VALUES (0)")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MARKER, where, str(int(second)), str(second)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        async with aclosing(changes(sqlite_world.store, poll_seconds=0.003)) as feed:
            await anext(feed)
            for number in range(rounds := share(ROUNDS)):
                process.stdin.write(b"late\n" if number == rounds // 2 else b"go\n")
                wanted = int(await process.stdout.readline())
                async with asyncio.timeout(20):
                    seen = 0
                    while seen < wanted:
                        await anext(feed)
                        (seen,) = reader.execute("SELECT number FROM marks").fetchone()
        process.stdin.close()
        assert await process.wait() == 0
        assert wanted > rounds * 2


async def test_on_postgresql_other_accounts_stay_silent(postgres_world: World) -> None:
    async with listening(postgres_world.store, account_id=2) as heard:
        await commits_elsewhere(postgres_world, 2, account=1)
        async with postgres_world.store.write(postgres_world.caller):
            pass
        await heard.until(lambda count: count >= 2)
        assert len(heard.at) == 2


async def test_a_backup_put_in_the_place_of_the_database_is_heard(sqlite_world: World) -> None:
    path = Path(sqlite_world.where)
    async with listening(sqlite_world.store) as heard:
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        copy.replace(path)
        await heard.until(lambda count: count >= 2)
        await commits_elsewhere(sqlite_world, 1)
        await heard.until(lambda count: count >= 3)


@pytest.mark.kill
async def test_after_an_outage_of_postgresql_the_feed_goes_on(tmp_path: Path) -> None:
    with PostgresServer.start() as server:
        url = server.url(server.create_database())
        await upgrade.upgrade(database_url(url), tmp_path / "worker.key")
        store = await Store.open(url)
        async with listening(store) as heard:
            server.stop()
            server.resume()
            await heard.until(lambda count: count >= 2)
            before = len(heard.at)
            # A connection from before the outage may not know yet that it is over.
            await store.engine.dispose()
            async with store.write(Caller(operator="anna")):
                pass
            await heard.until(lambda count: count > before)
        await store.close()
