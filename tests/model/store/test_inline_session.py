"""A worker's way to SQLite, without threads: nobody waits for a thread, and a lock holds up no event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.store import database
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.workers import ConnectorStateRow
from mission_control_tui.model.store.transaction import Transaction


def _state(name: str) -> ConnectorStateRow:
    return ConnectorStateRow(
        name=name,
        paused=False,
        kind="",
        said="",
        remedy="",
        since=datetime.now(UTC),
        next_check_at=0.0,
    )


async def _names(store: Store) -> list[str]:
    async with store.read() as session:
        return list(await session.scalars(select(ConnectorStateRow.name)))


async def test_a_lock_of_another_process_is_waited_for_while_the_event_loop_goes_on(
    sqlite_where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(sqlite_where, inline=True)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    async def write() -> None:
        async with store.write(WORKER) as tx:
            tx.session.add(_state("one"))

    with closing(sqlite3.connect(Path(sqlite_where), isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        beside, writing = asyncio.create_task(others()), asyncio.create_task(write())
        await asyncio.sleep(0.15)
        assert not writing.done()
        assert turns > 0
        assert await _names(store) == []  # who reads waits for nobody
        another.execute("COMMIT")
        await asyncio.wait_for(writing, 5)
        assert await _names(store) == ["one"]

        monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
        another.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            await write()
        assert time.monotonic() - begun < 5
        another.execute("ROLLBACK")
    await write_again(store)
    beside.cancel()
    await store.close()


async def write_again(store: Store) -> None:
    """What was refused has left nothing behind: neither a transaction nor a lock."""
    async with store.write(WORKER) as tx:
        tx.session.add(_state("two"))
    assert await _names(store) == ["one", "two"]


async def test_an_inline_transaction_is_whole_and_its_parts_can_be_taken_back(
    sqlite_where: str,
) -> None:
    store = await Store.open(sqlite_where, inline=True)

    async def lose() -> None:
        async with store.write(WORKER) as tx:
            tx.session.add(_state("lost"))
            await tx.session.flush()
            raise RuntimeError

    async def refused(tx: Transaction) -> None:
        async with tx.attempt():
            tx.session.add(_state("refused"))
            await tx.session.flush()
            tx.session.expunge_all()
            tx.session.add(_state("kept"))
            await tx.session.flush()

    with pytest.raises(RuntimeError):
        await lose()
    async with store.write(WORKER, dry_run=True) as tx:
        tx.session.add(_state("tried"))
    async with store.write(WORKER) as tx:
        tx.session.add(_state("kept"))
        await tx.session.flush()
        with pytest.raises(IntegrityError):
            await refused(tx)
        assert await tx.session.scalar(select(func.count()).select_from(ConnectorStateRow)) == 1
        assert await tx.session.get(ConnectorStateRow, "kept") is not None
    async with store.private() as session:
        session.add(_state("private"))
    assert await _names(store) == ["kept", "private"]
    await store.close()
