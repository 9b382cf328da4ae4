"""What PostgreSQL, asyncpg and the network say, as kinds of errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from mission_control_tui.connect import ConnectorError, ErrorKind

# https://www.postgresql.org/docs/current/errcodes-appendix.html: a whole SQLSTATE wins over its class.
_KINDS: Mapping[str, ErrorKind] = {
    "28P01": ErrorKind.AUTH,
    "28000": ErrorKind.AUTH,
    "42501": ErrorKind.DENIED,
    "53100": ErrorKind.QUOTA,
    "2BP01": ErrorKind.CONFLICT,
    "42710": ErrorKind.STALE,
    "42P04": ErrorKind.STALE,
    "42704": ErrorKind.STALE,
    "55P03": ErrorKind.STALE,  # lock_timeout: somebody else is at work on the same object
    "3D000": ErrorKind.STALE,
    "XX000": ErrorKind.STALE,
    "0A000": ErrorKind.UNSUPPORTED,
    "08": ErrorKind.UNREACHABLE,
    "57014": ErrorKind.TRANSIENT,
    "57P05": ErrorKind.TRANSIENT,  # our own idle limit: we were frozen, not the server
    "57": ErrorKind.UNREACHABLE,  # the server shuts down, or its administrator ended the session
    "53300": ErrorKind.THROTTLED,  # too many connections
    "22": ErrorKind.INVALID,
    "23": ErrorKind.INVALID,
    "42": ErrorKind.INVALID,
}
_AT_CONNECT: Mapping[str, ErrorKind] = {
    "3D000": ErrorKind.CONFIG,
    "42501": ErrorKind.AUTH,  # the database does not allow this role to connect
    "42704": ErrorKind.CONFIG,
    "22": ErrorKind.CONFIG,
    "42": ErrorKind.CONFIG,
}
_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.TRANSIENT: "It is tried again.",
    ErrorKind.UNREACHABLE: "See whether the server is up and reachable; it goes on by itself.",
    ErrorKind.STALE: "It is observed and planned again.",
    ErrorKind.AUTH: "Check the connector's user and password, and the server's pg_hba.conf.",
    ErrorKind.CONFIG: "Check the connector's settings.",
    ErrorKind.DENIED: "Give the connector's role the right (CREATEROLE, CREATEDB), or ask the DBA.",
    ErrorKind.QUOTA: "Make room on the server's disk.",
    ErrorKind.CONFLICT: "Remove or reassign what depends on it, then try again.",
    ErrorKind.INVALID: "Correct the value, then provision again.",
    ErrorKind.UNSUPPORTED: "This server cannot do it; use a newer one.",
}
# Sessions are opened with idle_session_timeout, which came with this version.
_TOO_OLD = "The server must be PostgreSQL 14 or newer."
# The server cut the session off in these classes, so what it had begun may be done or not.
_CUT_OFF = ("08", "57", "25P03")


def translate(
    error: Exception, *, connecting: bool = False, writing: bool = False
) -> ConnectorError:
    """Return the ConnectorError for `error`; only the server's own words are kept, never a statement.

    `connecting` is while the session is opened; `writing` once a statement that changes something
    may have been sent, which makes a lost connection an unknown outcome.
    """
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        kind = _kind(sqlstate, connecting=connecting)
        words = str(getattr(error, "message", None) or error)
        detail = getattr(error, "detail", None)
        said = f"{words}: {detail}" if detail else words
        unknown = writing and sqlstate.startswith(_CUT_OFF)
        remedy = _TOO_OLD if connecting and sqlstate == "42704" else ""
        return _made(kind, said, sqlstate, unknown, remedy)
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
        return _made(ErrorKind.CONFIG, f"TLS: {why}", "tls", False)
    if isinstance(error, socket.gaierror):
        again = error.errno == socket.EAI_AGAIN
        kind = ErrorKind.UNREACHABLE if again else ErrorKind.CONFIG
        return _made(kind, f"The host's name is not known: {error.strerror}", "name", False)
    if isinstance(error, PermissionError):
        return _made(ErrorKind.CONFIG, f"The server's socket: {error.strerror}", "socket", False)
    if isinstance(error, TimeoutError):
        return _made(ErrorKind.UNREACHABLE, "The server does not answer", "timeout", writing)
    if type(error) is ConnectionError:
        # asyncpg's way to say that the server refuses TLS.
        return _made(ErrorKind.CONFIG, str(error), "tls", False)
    if isinstance(error, OSError):
        said = error.strerror or str(error) or type(error).__name__
        return _made(ErrorKind.UNREACHABLE, said, type(error).__name__, writing)
    kind = ErrorKind.CONFIG if connecting else ErrorKind.TRANSIENT
    return _made(kind, f"{type(error).__name__}: {error}", type(error).__name__, writing)


def _kind(sqlstate: str, *, connecting: bool) -> ErrorKind:
    tables = (_AT_CONNECT, _KINDS) if connecting else (_KINDS,)
    for code in (sqlstate, sqlstate[:2]):
        for table in tables:
            if code in table:
                return table[code]
    return ErrorKind.TRANSIENT


def _made(kind: ErrorKind, said: str, code: str, unknown: bool, remedy: str = "") -> ConnectorError:
    return ConnectorError(
        kind, said, remedy=remedy or _REMEDIES.get(kind, ""), code=code, outcome_unknown=unknown
    )
