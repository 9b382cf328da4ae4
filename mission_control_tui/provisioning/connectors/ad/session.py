"""Sessions on a domain controller: LDAPS alone, its certificate always checked, opened for one call."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ldap3
from ldap3.core import results
from ldap3.core.exceptions import LDAPException

from mission_control_tui.connect import ConnectorError, ErrorKind, SecretReference, TlsSettings
from mission_control_tui.provisioning.connectors.ad.errors import made, refused, unreachable

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
ANSWER_SECONDS = 20
WRITING_SECONDS = 25.0
"""A session that is older writes no more: a worker that was frozen and wakes up later cannot act on an old wish."""
PAGE = 500

Attributes = Mapping[str, Sequence[bytes]]


class CheckedTls(ldap3.Tls):  # type: ignore[misc] # ldap3 has no types
    """TLS by Python's own rules: ldap3's know no addresses in certificates on new Pythons."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self.context = context
        self.failure: Exception | None = None
        """Why there is no TLS: ldap3 keeps only the words of it."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Put TLS around the connection's socket, and check whom it leads to."""
        try:
            connection.socket = self.context.wrap_socket(
                connection.socket,
                do_handshake_on_connect=do_handshake,
                server_hostname=connection.server.host,
            )
        except OSError as error:
            self.failure = error
            raise


@dataclass(frozen=True, slots=True)
class Server:
    """The place of a domain controller and our user there (its UPN or distinguished name)."""

    host: str
    port: int
    user: str
    password: SecretReference
    certificates: TlsSettings


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the directory."""

    dn: str
    attributes: Attributes

    def raw(self, name: str) -> bytes:
        """Return the first value, empty where there is none."""
        values = self.attributes.get(name) or ()
        return values[0] if values else b""

    def text(self, name: str) -> str:
        """Return the first value as text."""
        return self.raw(name).decode(errors="replace")

    def texts(self, name: str) -> list[str]:
        """Return all values as texts."""
        return [value.decode(errors="replace") for value in self.attributes.get(name) or ()]

    def number(self, name: str) -> int:
        """Return the first value as a number, 0 where there is none."""
        return int(self.raw(name) or 0)


@dataclass(slots=True)
class Session:
    """An open session."""

    connection: Any
    opened: float = field(default_factory=time.monotonic)
    writing: bool = False
    """Whether something that changes the directory may have been sent last."""

    def entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """Return the entry of this name, None where there is none. An empty name is the server itself."""
        found = self._search(dn, "(objectClass=*)", attributes, scope=ldap3.BASE)
        return found[0] if found else None

    def search(self, base: str, condition: str, attributes: Sequence[str]) -> list[Entry]:
        """Return the entries below `base` that fit, page by page. Raises ConnectorError (config) without it."""
        found: list[Entry] = []
        cookie: bytes | None = None
        while True:
            found += self._search(base, condition, attributes, paged_size=PAGE, paged_cookie=cookie)
            control = (self.connection.result.get("controls") or {}).get(
                "1.2.840.113556.1.4.319", {}
            )
            cookie = control.get("value", {}).get("cookie")
            if not cookie:
                return found

    def add(self, dn: str, classes: Sequence[str], attributes: Mapping[str, object]) -> None:
        """Make an entry."""
        self._write("add", dn, list(classes), dict(attributes))

    def modify(self, dn: str, changes: Mapping[str, Sequence[tuple[str, list[object]]]]) -> None:
        """Change an entry: attribute -> (MODIFY_ADD, MODIFY_DELETE or MODIFY_REPLACE, values), all or nothing."""
        self._write("modify", dn, {name: list(acts) for name, acts in changes.items()})

    def move(self, dn: str, name: str, parent: str) -> None:
        """Rename an entry, and put it below `parent`."""
        self._write("modify_dn", dn, name, new_superior=parent)

    def delete(self, dn: str) -> None:
        """Remove an entry."""
        self._write("delete", dn)

    def _search(
        self,
        base: str,
        condition: str,
        attributes: Sequence[str],
        *,
        scope: str = ldap3.SUBTREE,
        **more: object,
    ) -> list[Entry]:
        self.connection.search(
            base, condition, scope, attributes=list(attributes), time_limit=ANSWER_SECONDS, **more
        )
        result = self.connection.result
        if result["result"] == results.RESULT_NO_SUCH_OBJECT:
            if scope != ldap3.BASE:  # else all that was below it would seem to be gone
                raise not_there(base, "base")
            return []
        self._look_at(result)
        return [
            Entry(row["dn"], row["raw_attributes"])
            for row in self.connection.response or ()
            if row["type"] == "searchResEntry"
        ]

    def _write(self, verb: str, *given: object, **named: object) -> None:
        if time.monotonic() - self.opened > WRITING_SECONDS:
            raise ConnectorError(
                ErrorKind.STALE,
                "The session is too old to write",
                remedy="It is observed and planned again.",
                code="age",
            )
        self.writing = True
        getattr(self.connection, verb)(*given, **named)
        self.writing = False
        self._look_at(self.connection.result)

    def _look_at(self, result: Mapping[str, Any]) -> None:
        code = int(result["result"])
        if code != results.RESULT_SUCCESS:
            # Windows ends its words with a NUL.
            message = str(result.get("message") or "").strip("\0 ")
            raise refused(code, message, str(result.get("description") or code))


@contextmanager
def session(server: Server) -> Iterator[Session]:
    """Log in for one call; every failure in it leaves as a ConnectorError."""
    connection = _open(server)
    opened = Session(connection)
    try:
        if not connection.bind():
            opened._look_at(connection.result)
        yield opened
    except (LDAPException, OSError) as error:
        raise unreachable(error, writing=opened.writing) from None
    finally:
        _close(connection)


def _open(server: Server) -> Any:
    """Return a connection on which nobody is logged in yet."""
    tls = CheckedTls(server.certificates.context())
    connection = ldap3.Connection(
        ldap3.Server(
            server.host,
            server.port,
            use_ssl=True,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=CONNECT_SECONDS,
        ),
        server.user,
        server.password.read(),
        auto_referrals=False,
        check_names=False,
        receive_timeout=ANSWER_SECONDS,
        raise_exceptions=False,
    )
    try:
        # ldap3 does not tell a name that is not known from an address that does not answer.
        socket.getaddrinfo(server.host, server.port)
        connection.open(read_server_info=False)
    except (LDAPException, OSError) as error:
        _close(connection)
        raise unreachable(tls.failure or error) from None
    return connection


def _close(connection: Any) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        log.debug("the session had ended already")
    if connection.socket is not None:
        connection.socket.close()


def not_there(what: str, setting: str) -> ConnectorError:
    """Return the error for what the settings name and the directory does not have."""
    return made(
        ErrorKind.CONFIG,
        f"{what} is not in the directory",
        "missing",
        f"Make it, or correct {setting}.",
    )
