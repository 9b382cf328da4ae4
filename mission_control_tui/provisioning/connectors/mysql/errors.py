"""What MariaDB, its client and the network say, as kinds of errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from mission_control_tui.connect import ConnectorError, ErrorKind

# https://mariadb.com/kb/en/mariadb-error-code-reference/
_KINDS: Mapping[int, ErrorKind] = {
    1007: ErrorKind.STALE,  # the database is there by now
    1008: ErrorKind.STALE,
    1049: ErrorKind.STALE,
    1141: ErrorKind.STALE,
    1205: ErrorKind.STALE,  # somebody else is at work on the same object
    1396: ErrorKind.STALE,  # the user is there by now, or is gone
    1213: ErrorKind.TRANSIENT,
    1317: ErrorKind.TRANSIENT,
    1969: ErrorKind.TRANSIENT,
    1045: ErrorKind.AUTH,
    1698: ErrorKind.AUTH,
    1820: ErrorKind.AUTH,
    4151: ErrorKind.AUTH,  # our own account is locked
    1044: ErrorKind.DENIED,
    1142: ErrorKind.DENIED,
    1227: ErrorKind.DENIED,
    1370: ErrorKind.DENIED,
    1410: ErrorKind.DENIED,
    1040: ErrorKind.THROTTLED,
    1203: ErrorKind.THROTTLED,
    1226: ErrorKind.THROTTLED,
    1129: ErrorKind.CONFIG,
    1130: ErrorKind.CONFIG,
    1290: ErrorKind.CONFIG,  # --read-only, --strict-password-validation
    1836: ErrorKind.CONFIG,
    2026: ErrorKind.CONFIG,  # the server offers no TLS
    3159: ErrorKind.CONFIG,
    1021: ErrorKind.QUOTA,
    1041: ErrorKind.QUOTA,
    1114: ErrorKind.QUOTA,
    1010: ErrorKind.CONFLICT,
    1524: ErrorKind.UNSUPPORTED,
    1053: ErrorKind.UNREACHABLE,
    1927: ErrorKind.UNREACHABLE,
    2002: ErrorKind.UNREACHABLE,
    2003: ErrorKind.UNREACHABLE,
    2006: ErrorKind.UNREACHABLE,
    2013: ErrorKind.UNREACHABLE,
    2014: ErrorKind.UNREACHABLE,
}
_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.TRANSIENT: "It is tried again.",
    ErrorKind.UNREACHABLE: "See whether the server is up and reachable; it goes on by itself.",
    ErrorKind.THROTTLED: "Nothing to do: it goes on when the server has room.",
    ErrorKind.STALE: "It is observed and planned again.",
    ErrorKind.AUTH: "Check the connector's user and password, and from which hosts it may come.",
    ErrorKind.CONFIG: "Check the connector's settings, and the server's.",
    ErrorKind.DENIED: "Give the connector's user the right, as docs/connectors.md says.",
    ErrorKind.QUOTA: "Make room on the server.",
    ErrorKind.CONFLICT: "Let the DBA see what is in the way.",
    ErrorKind.INVALID: "Correct the value, then provision again.",
    ErrorKind.UNSUPPORTED: "This server cannot do it.",
}
_CUT_OFF = frozenset({1053, 1317, 1927, 2006, 2013, 2014})
"""The session ended in the middle, so what it had begun may be done or not."""


def number_of(error: Exception) -> int:
    """Return MariaDB's number of an error, 0 where it has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def translate(
    error: Exception, *, connecting: bool = False, writing: bool = False
) -> ConnectorError:
    """Return the ConnectorError for `error`; only the server's own words are kept, never a statement.

    `connecting` is while the session is opened; `writing` once a statement that changes something may have been sent,
    which makes a lost connection an unknown outcome.
    """
    cause = getattr(error, "original_exception", error)
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or str(cause)
        return _made(
            ErrorKind.CONFIG, f"TLS: {why}", "tls", "Check ca_file and the server's certificate."
        )
    if isinstance(cause, socket.gaierror):
        again = cause.errno == socket.EAI_AGAIN
        kind = ErrorKind.UNREACHABLE if again else ErrorKind.CONFIG
        return _made(kind, f"The host's name is not known: {cause.strerror}", "name")
    if isinstance(cause, PermissionError):
        return _made(ErrorKind.CONFIG, f"The server's socket: {cause.strerror}", "socket")
    if isinstance(cause, OSError):
        why = (
            "it does not answer"
            if isinstance(cause, TimeoutError)
            else cause.strerror or str(cause)
        )
        lost = _made(ErrorKind.UNREACHABLE, f"The server cannot be reached: {why}", "connect")
        lost.outcome_unknown = writing
        return lost
    number = number_of(error)
    words = str(error.args[1]) if len(error.args) > 1 else str(error)
    kind = _KINDS.get(number, ErrorKind.INVALID if 1000 <= number < 2000 else ErrorKind.TRANSIENT)
    if connecting:
        kind = {ErrorKind.DENIED: ErrorKind.AUTH, ErrorKind.STALE: ErrorKind.CONFIG}.get(kind, kind)
    made = _made(kind, words, str(number) if number else type(error).__name__)
    made.outcome_unknown = writing and number in _CUT_OFF
    return made


def _made(kind: ErrorKind, said: str, code: str, remedy: str = "") -> ConnectorError:
    return ConnectorError(kind, said, remedy=remedy or _REMEDIES[kind], code=code)
