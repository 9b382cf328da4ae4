"""Connections to the mail database: one for a call, in one transaction."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from mission_control_tui.connect import ConnectorError, ErrorKind, SecretReference, TlsSettings
from mission_control_tui.provisioning.connectors.mail_sql.errors import translate
from mission_control_tui.provisioning.connectors.mail_sql.tables import POSTGRESQL, SQLITE

CONNECT_SECONDS = 10.0
WAIT_SECONDS = 10
"""How long a write waits for another's, and an open transaction may say nothing."""


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a mail database on PostgreSQL is, and who we are there."""

    host: str
    port: int
    user: str
    database: str
    schema: str
    password: SecretReference | None
    certificates: TlsSettings | None


@dataclass(slots=True)
class MailDatabase:
    """A SQLite file or a database on PostgreSQL; it connects when a transaction begins."""

    where: Path | PostgresAddress
    _engine: AsyncEngine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.where, Path):
            uri = f"file:{quote(str(self.where))}?mode=rw&uri=true"
            self._engine = create_async_engine(
                f"sqlite+aiosqlite:///{uri}",
                poolclass=NullPool,
                connect_args={"timeout": WAIT_SECONDS},
            )
            event.listen(self._engine.sync_engine, "connect", _own_transactions)
            event.listen(self._engine.sync_engine, "begin", _begin)
        else:
            self._engine = create_async_engine(
                "postgresql+asyncpg://",
                poolclass=NullPool,
                async_creator=partial(_connect, self.where),
            )

    @property
    def kind(self) -> str:
        """Either "sqlite" or "postgresql"."""
        return SQLITE if isinstance(self.where, Path) else POSTGRESQL

    @asynccontextmanager
    async def transaction(
        self, *, writing: bool = False, lock: str = ""
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; every failure in it leaves as a ConnectorError.

        One that is `writing` is the only one that writes what `lock` names: SQLite has one writer, PostgreSQL an
        advisory lock.
        """
        if isinstance(self.where, Path) and not await asyncio.to_thread(self.where.exists):
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The mail database {self.where} is not there",
                remedy="Make it with its tables, or correct path.",
            )
        engine = self._engine.execution_options(writes=True) if writing else self._engine
        try:
            async with engine.begin() as connection:
                if writing and self.kind == POSTGRESQL:
                    number = zlib.crc32(lock.encode())
                    await connection.execute(
                        text("SELECT pg_advisory_xact_lock(:space, :number)"),
                        {"space": 0x6D61696C, "number": number - 2**31},
                    )
                yield connection
        except ConnectorError:
            raise
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise translate(error, writing=writing) from None

    async def aclose(self) -> None:
        """Let go of everything."""
        await self._engine.dispose()


async def _connect(where: PostgresAddress) -> Any:
    import asyncpg

    try:
        return await _session(where)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translate(error, writing=False) from None


async def _session(where: PostgresAddress) -> Any:
    import asyncpg

    return await asyncpg.connect(
        host=where.host,
        port=where.port,
        user=where.user,
        database=where.database,
        password=await asyncio.to_thread(where.password.read) if where.password else None,
        ssl=where.certificates.context() if where.certificates else "prefer",
        timeout=CONNECT_SECONDS,
        server_settings={
            "application_name": "mission-control",
            "search_path": f'"{where.schema}"',
            "lock_timeout": f"{WAIT_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{WAIT_SECONDS}s",
        },
    )


def _own_transactions(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
