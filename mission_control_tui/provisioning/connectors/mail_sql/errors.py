"""What SQLite, PostgreSQL and the network say, as kinds of errors."""

from __future__ import annotations

import socket
import sqlite3
import ssl
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError

from mission_control_tui.connect import ConnectorError, ErrorKind

# The longest beginning of the SQLSTATE counts.
_STATES: Mapping[str, ErrorKind] = {
    "08": ErrorKind.UNREACHABLE,
    "57": ErrorKind.UNREACHABLE,
    "57014": ErrorKind.TRANSIENT,
    "25P03": ErrorKind.TRANSIENT,
    "40": ErrorKind.STALE,
    "55P03": ErrorKind.STALE,
    "23505": ErrorKind.STALE,  # somebody else was faster: the next look says who
    "53": ErrorKind.THROTTLED,
    "53100": ErrorKind.QUOTA,
    "28": ErrorKind.AUTH,
    "3D000": ErrorKind.CONFIG,
    "3F000": ErrorKind.CONFIG,
    "42P01": ErrorKind.CONFIG,
    "42703": ErrorKind.CONFIG,
    "42501": ErrorKind.DENIED,
    "22": ErrorKind.INVALID,
    "23": ErrorKind.INVALID,
}
_CODES: Mapping[int, ErrorKind] = {
    sqlite3.SQLITE_BUSY: ErrorKind.STALE,
    sqlite3.SQLITE_LOCKED: ErrorKind.STALE,
    sqlite3.SQLITE_READONLY: ErrorKind.DENIED,
    sqlite3.SQLITE_PERM: ErrorKind.DENIED,
    sqlite3.SQLITE_AUTH: ErrorKind.DENIED,
    sqlite3.SQLITE_FULL: ErrorKind.QUOTA,
    sqlite3.SQLITE_IOERR: ErrorKind.UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: ErrorKind.UNREACHABLE,
    sqlite3.SQLITE_NOTADB: ErrorKind.CONFIG,
    sqlite3.SQLITE_CORRUPT: ErrorKind.CONFIG,
    sqlite3.SQLITE_ERROR: ErrorKind.CONFIG,
    sqlite3.SQLITE_CONSTRAINT: ErrorKind.STALE,
}
TABLES_REMEDY = "Make the tables: mission-control docs connectors, mail-sql, says how."
_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.UNREACHABLE: "See whether the mail database is up and reachable; it goes on by itself.",
    ErrorKind.AUTH: "Check the connector's user and password at the mail database.",
    ErrorKind.CONFIG: TABLES_REMEDY,
    ErrorKind.DENIED: "Let the connector's user write the tables that begin with mail_.",
    ErrorKind.QUOTA: "Make room where the mail database is.",
}


def translate(error: Exception, *, writing: bool) -> ConnectorError:
    """Return the ConnectorError for `error`: the database's own words, never a statement or its values.

    `writing` says that a change may have been sent, which makes a lost connection an unknown outcome.
    """
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        kind = next(
            (_STATES[state[:length]] for length in (5, 2) if state[:length] in _STATES),
            ErrorKind.TRANSIENT,
        )
        return _made(kind, str(getattr(cause, "message", None) or "failed"), state, writing)
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        name = getattr(cause, "sqlite_errorname", "")
        return _made(_CODES.get(code, ErrorKind.TRANSIENT), str(cause), name, writing=False)
    if isinstance(cause, ssl.SSLError):
        said = cause.reason or "the certificate cannot be verified"
        return _made(ErrorKind.CONFIG, f"TLS: {said}", "tls", writing=False)
    if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
        return ConnectorError(
            ErrorKind.CONFIG,
            f"The host's name is not known: {cause.strerror}",
            remedy="Correct host.",
        )
    if isinstance(cause, (OSError, TimeoutError)):
        said = getattr(cause, "strerror", None) or str(cause) or "The server does not answer"
        return _made(ErrorKind.UNREACHABLE, said, type(cause).__name__, writing)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    kind = ErrorKind.UNREACHABLE if lost or "closed" in str(cause) else ErrorKind.TRANSIENT
    return _made(kind, str(cause) or type(cause).__name__, type(cause).__name__, writing)


def _made(kind: ErrorKind, said: str, code: str, writing: bool) -> ConnectorError:
    lost = kind in (ErrorKind.UNREACHABLE, ErrorKind.TRANSIENT)
    return ConnectorError(
        kind,
        said,
        remedy=_REMEDIES.get(kind, "It is tried again."),
        code=code,
        outcome_unknown=writing and lost,
    )
