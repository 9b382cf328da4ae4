"""Sessions with a PostgreSQL server: one for each call, with limits that outlive a frozen worker."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mission_control_tui.connect import (
    ConnectorError,
    SecretReference,
    TlsSettings,
    is_this_machine,
)
from mission_control_tui.provisioning.connectors.postgresql.errors import translate

TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
CONNECT_SECONDS = 10.0
LOCK_SECONDS = 5
IDLE_SECONDS = 15
"""The server ends a session of ours that sends nothing for so long, and with it lets go of its lock.
A worker that was frozen and wakes up later finds its session gone and cannot act on an old wish."""


@dataclass(frozen=True, slots=True)
class Server:
    """The place of a server and our role there. `host` may be the directory of a unix socket."""

    host: str
    port: int
    user: str
    database: str
    password: SecretReference | None = None
    tls: str = "prefer"
    certificates: TlsSettings = field(default_factory=TlsSettings)


def default_tls(host: str) -> str:
    """Return the TLS mode of a host: checked in full unless the server is on this machine."""
    return "prefer" if host.startswith("/") or is_this_machine(host) else "verify-full"


@asynccontextmanager
async def session(server: Server, *, writing: bool = False) -> AsyncIterator[Any]:
    """Open an asyncpg connection for one call; every failure in it leaves as a ConnectorError.

    `writing` says that the call changes something: what is lost on the way is an unknown outcome.
    """
    import asyncpg

    try:
        connection = await asyncpg.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            database=server.database,
            password=await asyncio.to_thread(server.password.read) if server.password else None,
            ssl=_tls(server),
            timeout=CONNECT_SECONDS,
            server_settings={
                "application_name": "mission-control",
                "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
                "lock_timeout": f"{LOCK_SECONDS}s",
                "idle_session_timeout": f"{IDLE_SECONDS}s",
                "search_path": "pg_catalog",
                "standard_conforming_strings": "on",
            },
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translate(error, connecting=True) from None
    try:
        yield connection
        await connection.close(timeout=CONNECT_SECONDS)
    except ConnectorError:
        raise
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translate(error, writing=writing) from None
    finally:
        if not connection.is_closed():
            connection.terminate()


def _tls(server: Server) -> ssl.SSLContext | str:
    if server.tls in ("disable", "prefer"):
        return server.tls
    context = server.certificates.context()
    context.check_hostname = server.tls == "verify-full"
    if server.tls == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
