"""The engine of an embedded worker: it keeps nothing, and clears away what engines of earlier versions kept."""

from __future__ import annotations

from pathlib import Path

from tests.provisioning.support import World, engine_files, worker


async def test_files_of_an_earlier_engine_go_and_none_is_made(sqlite_world: World) -> None:
    database = sqlite_world.store.url.database
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}.engine-host-1-abcd{suffix}").write_text("of another version")
    with worker(sqlite_world):
        (upn,) = await sqlite_world.people("ann")
        await sqlite_world.give(upn)
        await sqlite_world.settled()
        assert engine_files(sqlite_world.store.url) == ()
