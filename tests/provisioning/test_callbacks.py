"""A back end calls back: the worker looks again at once, and takes no word of the call for true."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.model.states import Light, RequestState
from tests.provisioning.hosted import hosted
from tests.provisioning.support import World, worker
from tests.web_service import SECRET, WebService, call_back


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WebService]:
    started = WebService(tmp_path / "objects.json", slow=True).start()
    yield started
    started.stop()


async def listening(world: World, address: str) -> None:
    host, _, port = address.rpartition(":")

    async def listens() -> bool:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            return False
        return True

    await world.until(listens)


async def test_a_call_makes_the_worker_look_again_and_is_believed_in_nothing(
    world: World, service: WebService
) -> None:
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    address = hosted(world, service)
    key = given.assignment_id

    async def waits() -> bool:
        request = await world.request(given.request_id)
        until = request.next_try_at - request.waits_since
        return request.state == RequestState.QUEUED and request.attempt > 0 and until > 60

    async def called(times: int) -> bool:
        events = [event.kind for event in await world.events(given.request_id)]
        return events.count("called back") == times

    with worker(world):
        await world.until(waits)
        await listening(world, address)
        looks = len(service.log)
        assert call_back(address, "hosting", key, secret=SECRET.replace("YS", "YT")) == 401
        assert call_back(address, "hosting", key, late=600) == 401
        assert call_back(address, "nobody", key) == 404
        assert call_back(address, "hosting", key, method="PUT") == 405
        # Nothing has opened it, and a call opens none.
        assert call_back(address, "simulator", key) == 503
        assert len(service.log) == looks
        assert await called(0)
        # It calls too early: the look finds that it still works.
        assert call_back(address, "hosting", key, message_id="once") == 204
        await world.until(lambda: called(1))
        await world.until(waits)
        assert await world.light(key) == Light.ORANGE
        service.slow = False
        looks = len(service.log)
        assert call_back(address, "hosting", key, message_id="once") == 401
        assert call_back(address, "hosting", "f" * 32) == 204
        time.sleep(0.2)
        assert len(service.log) == looks
        assert call_back(address, "hosting", key) == 204
        await world.settled()
    assert await world.light(key) == Light.GREEN
    assert SECRET not in (world.directory / "worker.log").read_text()


async def test_what_is_no_request_is_dropped_and_the_worker_goes_on(
    sqlite_world: World, service: WebService
) -> None:
    world = sqlite_world
    service.slow = False
    (upn,) = await world.people("ann")
    given = await world.give(upn)
    address = hosted(world, service)
    host, _, port = address.rpartition(":")
    with worker(world):
        await listening(world, address)
        for raw in (b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\n", b"\0" * 40_000):
            with socket.create_connection((host, int(port)), 5) as line:
                line.sendall(raw)
                line.shutdown(socket.SHUT_WR)
                line.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    assert b" 20" not in line.recv(100)
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("POST", "/callbacks/hosting", b"x" * 100_000)
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            assert connection.getresponse().status == 413
        connection.close()
        await world.settled()
    assert await world.light(given.assignment_id) == Light.GREEN
