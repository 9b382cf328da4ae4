"""A worker goes on with the settings that it read last while the file is written, broken or gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mission_control_tui.connect import ConnectorError
from mission_control_tui.model.states import ErrorKind, Light, RequestState
from mission_control_tui.provisioning import backends as backends_module
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.composite import Composite
from mission_control_tui.provisioning.connectors.simulator.connector import ledger
from mission_control_tui.settings import followed
from mission_control_tui.settings.settings import load
from tests.provisioning.support import EXCHANGE, World, worker
from tests.provisioning.test_operation_switch import OTHER, add_connector

GOOD = '[connectors.lab]\ntype = "simulator"\npath = "{path}"\nrate_per_second = {rate}\n'
WHOLE = '[connectors.whole]\ntype = "composite"\nparts.mail.connector = "lab"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(path))
    monkeypatch.setattr(followed, "SETTLED_SECONDS", 0.05)
    return path


def good(file: Path, rate: int) -> str:
    return GOOD.format(path=file.with_name("lab.db"), rate=rate)


async def _nothing(_: Collection[str]) -> None:
    """Told of changed tables where nothing waits for them."""


def _make_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


BREAKS: dict[str, Callable[[Path], object]] = {
    "half": lambda file: file.write_text(good(file, 7)[:25]),
    "wrong": lambda file: file.write_text(
        '[connectors.lab]\ntype = "simulator"\n[worker]\nslots = 1'
    ),
    "empty": lambda file: file.write_text(""),
    "gone": lambda file: file.unlink(),
    "no file": _make_directory,
    "bytes": lambda file: file.write_bytes(b"\xff\xfe"),
}


async def test_what_changes_while_a_worker_starts_is_noticed(file: Path) -> None:
    file.write_text(good(file, 7))
    before = load()
    file.write_text(good(file, 8))
    backends = Backends(before, "here", load)
    assert backends.is_stale
    await backends.refresh("lab")
    assert (backends.is_stale, backends.rates("lab").rate_per_second) == (False, 8)


@pytest.mark.parametrize("how", BREAKS)
async def test_what_cannot_be_read_changes_nothing_and_is_said_once(
    file: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    opened = await backends.get("lab")
    BREAKS[how](file)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await backends.refresh("lab")
            assert await backends.get("lab") is opened
            assert backends.rates("lab").rate_per_second == 7
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        with pytest.raises(ConnectorError) as unknown:
            await backends.get("fresh")
        assert unknown.value.kind is ErrorKind.TRANSIENT, "it may be in what cannot be read"

        if file.is_dir():
            file.rmdir()
        other = file.with_name("other.toml")
        other.write_text(good(file, 9) + '[connectors.fresh]\ntype = "simulator"\n')
        other.replace(file)
        assert await backends.get("lab") is not opened, "taken as soon as it can be read"
    assert backends.rates("lab").rate_per_second == 9
    assert (await backends.get("fresh")).call_seconds > 0
    assert "can be read again" in caplog.text
    await backends.close()


async def test_what_is_wrong_is_said_at_once_though_nobody_needs_the_settings(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(followed, "SETTLED_SECONDS", 0.0)
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    following = asyncio.create_task(backends.follow_settings(_nothing))

    async def said(count: int) -> None:
        while len(caplog.records) < count:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)

    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(30):
            await asyncio.sleep(0)  # the task has seen the good file
            BREAKS["wrong"](file)
            await said(1)
            file.write_text(good(file, 9))
            await said(2)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert backends.rates("lab").rate_per_second == 9
    following.cancel()
    await backends.close()


async def test_a_file_that_is_being_written_is_waited_for(file: Path) -> None:
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    text = good(file, 9)

    async def write() -> None:
        for end in range(0, len(text) + 1, 20):
            file.write_text(text[:end])
            await asyncio.sleep(0.02)
        file.write_text(text)

    await asyncio.gather(write(), backends.refresh("lab"))
    assert backends.rates("lab").rate_per_second == 9
    await backends.close()


async def test_a_table_that_cannot_be_used_leaves_the_open_connector(file: Path) -> None:
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    opened = await backends.get("lab")
    backends.only_observes("lab")
    file.write_text('[connectors.lab]\ntype = "nosuch"\n')
    assert await backends.get("lab") is opened
    await backends.close()


async def test_a_worker_waits_for_settings_that_it_cannot_read(sqlite_world: World) -> None:
    world = sqlite_world
    (ada,) = await world.people("ada")
    whole = world.settings_path.read_text("utf-8")
    with worker(world):
        await world.give(ada, "popx")
        await world.settled()
        add_connector(world)
        then = world.settings_path.read_text("utf-8")
        world.settings_path.write_text(f"{whole}[connectors.{OTHER}", "utf-8")
        world.store.connectors = {EXCHANGE: OTHER}
        (ben,) = await world.people("ben")
        given = await world.give(ben, "popx")

        async def tried() -> bool:
            return bool((await world.request(given.request_id)).failures)

        await world.until(tried)
        assert (await world.assignment(given.assignment_id)).light == Light.ORANGE
        world.settings_path.write_text(then, "utf-8")
        await world.settled()
        assert (await world.assignment(given.assignment_id)).light == Light.GREEN


async def test_requests_that_begin_together_share_one_connector(file: Path) -> None:
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    first, *others = await asyncio.gather(*(backends.get("lab") for _ in range(4)))
    assert all(other is first for other in others)
    await backends.close()


async def test_a_connector_that_could_not_be_opened_anew_is_opened_once_it_can(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(good(file, 7))
    backends = Backends(load(), "here", load)
    opened = await backends.get("lab")
    file.write_text(good(file, 9))
    with monkeypatch.context() as broken:
        broken.setitem(registry.BUILT_IN, "simulator", "nosuch:create")
        with pytest.raises(registry.ConnectorUnavailable):
            await backends.refresh("lab")
        assert await backends.get("lab") is opened
    await backends.refresh("lab")
    assert await backends.get("lab") is not opened
    await backends.close()


@asynccontextmanager
async def following(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Backends]:
    """Backends that look at the file all the time, as a worker's do."""
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0.01)
    opened = Backends(load(), "here", load)
    task = asyncio.create_task(opened.follow_settings(_nothing))
    yield opened
    task.cancel()
    await opened.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def test_a_changed_table_counts_for_what_begins_and_not_for_what_runs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(good(file, 7))
    async with following(file, monkeypatch) as backends:
        async with backends.using("lab") as before:
            file.write_text(good(file, 9))

            async def replaced() -> bool:
                return await backends.get("lab") is not before

            await until(replaced)
            async with backends.using("lab") as fresh:
                assert fresh.context.settings["rate_per_second"] == 9
            await before.check()
        with pytest.raises(ConnectorError):
            await before.check()
        await (await backends.get("lab")).check()


async def test_a_changed_table_that_cannot_be_used_is_told_once_and_changes_nothing(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends_module, "REFUSED_SECONDS", 0.0)
    file.write_text(good(file, 7))
    async with following(file, monkeypatch) as backends:
        before = await backends.get("lab")
        with caplog.at_level(logging.INFO):
            file.write_text(good(file, 8) + 'nosuch = "key"\n')

            async def told() -> bool:
                return bool(caplog.records)

            await until(told)
            await asyncio.sleep(0.1)
            assert await backends.get("lab") is before
            await before.check()
            assert backends.rates("lab").rate_per_second == 7
            (told_once,) = caplog.records
            assert "goes on with the settings before" in told_once.message
            assert "nosuch" in told_once.message
            file.write_text(good(file, 9))

            async def replaced() -> bool:
                return await backends.get("lab") is not before

            await until(replaced)
            assert "opened anew" in caplog.records[-1].message


async def test_a_composite_goes_on_with_the_new_part(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(good(file, 7) + WHOLE)
    async with following(file, monkeypatch) as backends:
        async with backends.using("whole") as before:
            file.write_text(good(file, 9) + WHOLE)

            async def replaced() -> bool:
                return await backends.get("whole") is not before

            await until(replaced)
            await before.check()
            await (await backends.get("whole")).check()
            part = await backends.get("lab")
            assert part.context.settings["rate_per_second"] == 9
        made = (await backends.get("whole")).connector
        assert isinstance(made, Composite)
        assert made.parts[0].backend is part


async def test_a_composite_opens_while_its_part_is_changed(file: Path) -> None:
    file.write_text(good(file, 7) + WHOLE)
    backends = Backends(load(), "here", load)
    await backends.get("lab")
    backends.only_observes("lab")
    file.write_text(good(file, 9) + WHOLE)
    async with asyncio.timeout(30):
        await backends.get("whole")
        part = await backends.get("lab")
        made = (await backends.get("whole")).connector
    assert part.context.settings["rate_per_second"] == 9
    assert isinstance(made, Composite)
    assert made.parts[0].backend is part
    await backends.close()


async def test_a_composite_that_cannot_be_used_is_told_of_and_not_its_part(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(good(file, 7) + WHOLE)
    async with following(file, monkeypatch) as backends:
        before = await backends.get("whole")
        file.write_text(good(file, 9) + WHOLE + 'nosuch = "key"\n')

        async def told() -> bool:
            return any("whole goes on" in record.message for record in caplog.records)

        await until(told)
        assert await backends.get("whole") is before
        await before.check()
        assert (await backends.get("lab")).context.settings["rate_per_second"] == 9
    assert not any("lab goes on" in record.message for record in caplog.records)


@pytest.mark.any_database
async def test_a_worker_follows_an_enabled_connector_whose_table_is_changed(world: World) -> None:
    ada, ben = await world.people("ada", "ben")
    world.rules('call = "*"\nupn = "ada@*"\ndelay = 1.5')
    other = world.directory / "other.db"
    with worker(world):
        first = await world.give(ada)

        async def runs() -> bool:
            return bool(world.effects())

        await world.until(runs)
        world.configure(simulator={"path": str(other)})

        async def opened_anew() -> bool:
            return "connector simulator was opened anew" in await world.story()

        await world.until(opened_anew)
        second = await world.give(ben)
        await world.settled()
        for given in (first, second):
            assert await world.light(given.assignment_id) == Light.GREEN
        assert {effect.name for effect in world.effects()} == {first.backend_name}
        assert {effect.name for effect in ledger(other)} == {second.backend_name}


@pytest.mark.any_database
async def test_a_paused_connector_is_checked_at_once_when_its_table_is_changed(
    world: World,
) -> None:
    (ada,) = await world.people("ada")
    world.configure(simulator={"nosuch": "key"}, pause_seconds=3600.0)
    with worker(world):
        given = await world.give(ada)

        async def paused() -> bool:
            return (await world.request(given.request_id)).state == RequestState.WAITING

        await world.until(paused)
        world.configure(pause_seconds=3600.0)
        await world.settled()
        assert await world.light(given.assignment_id) == Light.GREEN
