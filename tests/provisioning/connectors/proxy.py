"""A TCP proxy on loopback that loses a server's answer at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support import LOOPBACK


@dataclass
class LosingProxy:
    """Passes everything on until a client sends `trigger`; then the server gets it and answers,
    and the client hears nothing: its connection is cut, or with `silent` just never answered.
    """

    server_port: int
    trigger: bytes
    silent: bool = False
    after: bytes = b""
    """What has to have been sent before the trigger counts."""
    port: int = 0
    lost: int = 0
    dark: bool = False
    """Whether new connections are taken and nothing of them is passed on, as behind a firewall that drops all."""
    _armed: bool = True
    _carrying: set[asyncio.Task[None]] = field(default_factory=set)
    _holes: set[asyncio.Event] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(
        self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter
    ) -> None:
        """Carry one connection."""
        if (carrying := asyncio.current_task()) is not None:
            self._carrying.add(carrying)
        while self.dark:  # noqa: ASYNC110 - the tests turn it on and off
            await asyncio.sleep(0.05)
        server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self.server_port)
        losing, hole = asyncio.Event(), asyncio.Event()
        self._holes.add(hole)

        async def up() -> None:
            while data := await client_reader.read(65536):
                if hole.is_set():
                    continue
                if self.after and self.after in data:
                    self.after = b""
                if self._armed and not self.after and self.trigger and self.trigger in data:
                    self._armed = False
                    losing.set()
                server_writer.write(data)
                await server_writer.drain()

        async def down() -> None:
            while data := await server_reader.read(65536):
                if hole.is_set():
                    continue
                if losing.is_set():
                    self.lost += 1
                    if self.silent:
                        await asyncio.sleep(3600)
                    return
                client_writer.write(data)
                await client_writer.drain()

        pumps = {asyncio.create_task(up()), asyncio.create_task(down())}
        self._tasks |= pumps
        with suppress(ConnectionError):
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in (server_writer, client_writer):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def swallow(self) -> None:
        """From now on nothing goes through the connections that there are, and nobody is told; new ones work."""
        for hole in self._holes:
            hole.set()
        self._holes.clear()

    async def stop(self) -> None:
        """End the connections that are still carried."""
        self.dark = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._carrying, return_exceptions=True)


@asynccontextmanager
async def losing_proxy(
    server_port: int, trigger: bytes, *, silent: bool = False, after: bytes = b""
) -> AsyncIterator[LosingProxy]:
    """A running proxy in front of the server on `server_port`."""
    proxy = LosingProxy(server_port, trigger, silent, after)
    listener = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        await proxy.stop()
        listener.close()
        await asyncio.sleep(0)
