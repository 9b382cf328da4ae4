"""A database that was put back to an earlier state: its wishes count, and nobody's from before do."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.requests.attempts import Run
from mission_control_tui.model.requests.fences import FenceVerdict, judge
from mission_control_tui.model.requests.run_batch import write_one
from mission_control_tui.model.states import Light, RequestState
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.provisioning.connectors.simulator.connector import login
from tests.provisioning.support import ACCOUNT, World, worker

FIRST, SECOND, THIRD = "First-Reset-11", "Second-Reset-22", "Third-Reset-33"


async def put_back(world: World, backup: Path) -> None:
    """Put the database back as somebody does without the program: its file, and nothing else."""
    await world.store.close()
    for end in ("-wal", "-shm"):
        Path(world.where + end).unlink(missing_ok=True)
    shutil.copy(backup, world.where)
    world.store = await Store.open(world.where)


def copied(world: World) -> Path:
    """A copy of the database as it is now."""
    copy = world.directory / "copy.db"
    with (
        contextlib.closing(sqlite3.connect(world.where)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


async def reset(world: World, user: str, password: str) -> None:
    await set_password(AccountScope(world.store, world.caller, ACCOUNT), user, password)
    await world.settled()


def takes(world: World, name: str, password: str) -> bool:
    return login(world.simulator_path, name, password)


async def raised(world: World) -> list[AuditRow]:
    async with world.store.read() as session:
        found = await session.scalars(
            select(AuditRow).where(AuditRow.action == AuditAction.RAISE_EPOCH)
        )
        return list(found)


async def test_a_reset_after_a_restore_sets_the_password(sqlite_world: World) -> None:
    world = sqlite_world
    users = await world.people("ann", "ben", "cid")
    given = [await world.give(user) for user in users]
    with worker(world):
        await world.settled()
    backup = copied(world)
    name = (await world.assignment(given[0].assignment_id)).backend_name
    with worker(world):
        await reset(world, users[0], FIRST)
        # Ben's object is two wishes ahead of the backup, Ann's one: equal to what comes next.
        await reset(world, users[1], FIRST)
        await reset(world, users[1], SECOND)
    await put_back(world, backup)
    with worker(world):
        for user in users:
            await reset(world, user, THIRD)
    rows = await world.services()
    assert {row.light for row in rows.values()} == {Light.GREEN}
    assert takes(world, name, THIRD)
    assert not takes(world, name, FIRST)
    assert takes(world, rows[users[1]].backend_name, THIRD)
    async with world.store.read() as session:
        assert await epochs.present(session) == 2
    (entry,) = await raised(world)
    assert entry.operator == "worker"
    assert "older backup" in entry.after["reason"]


async def test_marks_of_before_have_no_id_and_the_password_is_set(sqlite_world: World) -> None:
    world = sqlite_world
    (user,) = await world.people("ann")
    given = await world.give(user)
    with worker(world):
        await world.settled()
        await reset(world, user, FIRST)
    name = (await world.assignment(given.assignment_id)).backend_name
    with contextlib.closing(sqlite3.connect(world.simulator_path)) as db, db:
        db.execute("UPDATE object SET body = json_remove(body, '$.secret_id')")
        db.execute("ALTER TABLE fence DROP COLUMN epoch")
        db.execute("PRAGMA user_version = 1")
        db.execute("UPDATE object SET body = json_set(body, '$.secret_generation', 99)")
    with worker(world):
        await reset(world, user, SECOND)
    assert (await world.assignment(given.assignment_id)).light == Light.GREEN
    assert takes(world, name, SECOND)


@pytest.mark.proof
async def test_a_worker_with_the_database_of_before_does_not_outbid_the_restored_one(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    (user,) = await world.people("ann")
    given = await world.give(user)
    with worker(world):
        await world.settled()
    backup = copied(world).rename(world.directory / "backup.db")
    with worker(world):
        await reset(world, user, FIRST)
    of_before = copied(world).rename(world.directory / "before.db")
    await put_back(world, backup)
    name = (await world.assignment(given.assignment_id)).backend_name
    async with world.store.write(world.caller) as tx:
        await epochs.raise_above(tx, 0, "said by a person")
    with worker(world):
        await reset(world, user, SECOND)
    await put_back(world, of_before)
    with worker(world):
        await reset(world, user, THIRD)
    row = await world.assignment(given.assignment_id)
    assert (row.light, takes(world, name, SECOND)) == (Light.RED, True)
    assert "another copy of the database" in row.error_said
    assert "--new-epoch" in row.error_remedy
    assert not takes(world, name, THIRD)
    # Somebody says that this is the one that counts: above what was met.
    async with world.store.write(world.caller) as tx:
        assert await epochs.raise_above(tx, 0, "said by a person") == 3


@pytest.mark.proof
async def test_of_several_attempts_that_find_out_one_raises_the_epoch(world: World) -> None:
    users = await world.people("ann", "ben")
    given = [await world.give(user) for user in users]
    async with world.store.write(world.caller) as tx:
        runs = []
        for one in given:
            request = await world.request(one.request_id)
            request.state, request.attempt, request.worker_id = RequestState.RUNNING, 1, "w"
            await tx.session.merge(request)
            runs.append(Run(request.id, 1, "w"))
    verdicts = [await write_one(world.store, run, None, judge(1, 1)) for run in runs]
    assert verdicts == [FenceVerdict.AGAIN, FenceVerdict.AGAIN]
    assert len(await raised(world)) == 1
    assert await write_one(world.store, runs[0], None, judge(2, 5)) is FenceVerdict.REPLACED
    newer = await world.give(users[0], "pc-web")
    assert newer.request_id != runs[0].request_id
    assert await write_one(world.store, runs[0], None, judge(2, 2)) is FenceVerdict.SUPERSEDED
