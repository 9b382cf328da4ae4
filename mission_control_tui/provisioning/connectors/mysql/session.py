"""Sessions on a server: opened for one call, their limits set, their failures translated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from mission_control_tui.connect import (
    ConnectorError,
    ErrorKind,
    SecretReference,
    TlsSettings,
    is_this_machine,
)
from mission_control_tui.provisioning.connectors.mysql.errors import translate

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 25.0
LOCK_SECONDS = 5
IDLE_SECONDS = 15
"""The server ends a session of ours that sends nothing for so long, and with it lets go of its lock.
A worker that was frozen and wakes up later finds its session gone and cannot act on an old wish."""

_SET_UP = (
    f"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', wait_timeout = {IDLE_SECONDS},"
    f" lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}"
)


@dataclass(frozen=True, slots=True)
class Server:
    """The place of a server and our user there. `host` may be the file of a unix socket."""

    host: str
    port: int
    user: str
    password: SecretReference | None = None
    certificates: TlsSettings = field(default_factory=TlsSettings)

    @property
    def is_plain(self) -> bool:
        """Whether TLS is left out: what goes over no network, unless certificates are named."""
        local = self.host.startswith("/") or is_this_machine(self.host)
        return local and self.certificates.ca_file is None


@dataclass(frozen=True, slots=True)
class Session:
    """An open session; statements have their parameters as %s."""

    connection: Any

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows that a statement answers."""
        with self.connection.cursor(DictCursor) as cursor:
            cursor.execute(statement, tuple(parameters))
            return list(cursor.fetchall())

    def row(self, statement: str, parameters: Sequence[object] = ()) -> dict[str, Any] | None:
        """Return the first row, None where there is none."""
        return next(iter(self.rows(statement, parameters)), None)

    def run(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement that answers nothing."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, tuple(parameters))

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock of the server's while something is done. Raises ConnectorError (stale) when others keep it."""
        taken = self.row("SELECT GET_LOCK(%s, %s) AS taken", (name, LOCK_SECONDS))
        if taken is None or taken["taken"] != 1:
            raise ConnectorError(
                ErrorKind.STALE,
                "Another worker is at work on the same object",
                remedy="It is observed and planned again.",
                code="lock",
            )
        yield
        self.run("SELECT RELEASE_LOCK(%s)", (name,))


@contextmanager
def session(server: Server, *, writing: bool = False) -> Iterator[Session]:
    """Open a session for one call; every failure in it leaves as a ConnectorError.

    `writing` says that the call changes something: what is lost on the way is an unknown outcome. Its end lets go of
    the locks that it holds.
    """
    where = {"unix_socket": server.host} if server.host.startswith("/") else {"host": server.host}
    try:
        connection = pymysql.connect(
            **where,
            port=server.port,
            user=server.user,
            # A text would be sent as Latin-1.
            password=server.password.read().encode() if server.password else b"",
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            init_command=_SET_UP,
            **(
                {"ssl_disabled": True}
                if server.is_plain
                else {"ssl": server.certificates.context()}
            ),
        )
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        raise translate(error, connecting=True) from None
    try:
        yield Session(connection)
        connection.close()
    except (pymysql.MySQLError, OSError) as error:
        raise translate(error, writing=writing) from None
    finally:
        connection._force_close()
