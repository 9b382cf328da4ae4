"""Where back ends call back: a small listener in the worker, which makes it look again at once and believes nothing.

A call names a connector and carries that connector's own signature. What is true of the object says the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sqlalchemy.exc import SQLAlchemyError

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.errors import MissionControlError, StoreError
from mission_control_tui.model.requests.callbacks import look_at_once
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.provisioning.backends import Backends

if TYPE_CHECKING:
    import h11

log = logging.getLogger(__name__)

PATH = "/callbacks/"
SECONDS = 10.0
"""How long one call may take."""
BODY_LIMIT = 16 * 1024
CONNECTIONS = 32
AGAIN_SECONDS = 30.0
"""Between two tries to listen: another worker on this machine may have the address meanwhile."""


class CallbackListener:
    """Listens at `address` ("HOST:PORT") and calls `wake` for each call that was good."""

    def __init__(
        self, store: Store, backends: Backends, address: str, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._backends = backends
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._wake = wake
        self._room = asyncio.Semaphore(CONNECTIONS)

    async def run(self) -> None:
        """Listen until cancelled."""
        told = False
        while True:
            try:
                server = await asyncio.start_server(
                    self._handle, self._host.strip("[]"), self._port, limit=BODY_LIMIT
                )
            except OSError as error:
                if not told:
                    log.warning(
                        "callbacks are not taken at %s:%d: %s", self._host, self._port, error
                    )
                told = True
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            log.info("callbacks are taken at %s:%d", self._host, self._port)
            async with server:
                await server.serve_forever()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import h11

        if self._room.locked():
            # Those that wait would hold a descriptor each, and the worker needs its own.
            writer.close()
            return
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=BODY_LIMIT)
        try:
            async with asyncio.timeout(SECONDS), self._room:
                status = await self._status(connection, reader)
                answer = h11.Response(
                    status_code=status,
                    headers=[("Content-Length", "0"), ("Connection", "close")],
                )
                writer.write(connection.send(answer) or b"")
                writer.write(connection.send(h11.EndOfMessage()) or b"")
                await writer.drain()
        except (TimeoutError, OSError, h11.ProtocolError) as error:
            log.info("a callback broke off: %s", harmless(str(error)) or type(error).__name__)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _status(self, connection: h11.Connection, reader: asyncio.StreamReader) -> int:
        """Read one request, and return the status of its answer."""
        import h11

        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(BODY_LIMIT))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    return 413
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return await self._taken(request, bytes(body))
            else:
                raise h11.RemoteProtocolError("the request was cut off")

    async def _taken(self, request: h11.Request, body: bytes) -> int:
        path = request.target.decode("ascii", "replace").partition("?")[0]
        name = unquote(path.removeprefix(PATH))
        if not path.startswith(PATH) or name not in self._backends.names:
            return 404
        if request.method != b"POST":
            return 405
        headers = {
            key.decode("ascii", "replace").lower(): value.decode("ascii", "replace")
            for key, value in request.headers
        }
        if self._backends.opened(name) is None:
            return 503
        try:
            async with self._backends.using(name) as connector:
                key = await connector.called_back(headers, body)
            found = await look_at_once(self._store, sorted(self._backends.holders(name)), key)
        except ConnectorError as error:
            log.warning("connector %s: %s", name, error.said)
            return 401
        except (MissionControlError, StoreError, SQLAlchemyError) as error:
            log.warning("connector %s: a callback could not be taken: %s", name, error)
            return 503
        log.info(
            "connector %s called back: %s", name, f"request {found}" if found else "nothing waits"
        )
        self._wake()
        return 204
