"""What a domain controller, the LDAP client and the network say, as kinds of errors."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping

from ldap3.core import results
from ldap3.core.exceptions import (
    LDAPCommunicationError,
    LDAPExceptionError,
    LDAPResponseTimeoutError,
)

from mission_control_tui.connect import ConnectorError, ErrorKind

# https://learn.microsoft.com/windows/win32/debug/system-error-codes
_LOGIN: Mapping[str, str] = {
    "525": "there is no such user",
    "52e": "the password is wrong",
    "530": "the user may not log in at this time",
    "531": "the user may not log in from here",
    "532": "the user's password has expired",
    "533": "the user is disabled",
    "701": "the user's account has expired",
    "773": "the user has to change the password first",
    "775": "the user is locked out",
}
_KINDS: Mapping[int, ErrorKind] = {
    results.RESULT_OPERATIONS_ERROR: ErrorKind.TRANSIENT,
    results.RESULT_TIME_LIMIT_EXCEEDED: ErrorKind.TRANSIENT,
    results.RESULT_SIZE_LIMIT_EXCEEDED: ErrorKind.TRANSIENT,
    results.RESULT_ADMIN_LIMIT_EXCEEDED: ErrorKind.THROTTLED,
    results.RESULT_BUSY: ErrorKind.THROTTLED,
    results.RESULT_UNAVAILABLE: ErrorKind.UNREACHABLE,
    results.RESULT_STRONGER_AUTH_REQUIRED: ErrorKind.CONFIG,
    results.RESULT_CONFIDENTIALITY_REQUIRED: ErrorKind.CONFIG,
    results.RESULT_REFERRAL: ErrorKind.CONFIG,
    results.RESULT_INVALID_CREDENTIALS: ErrorKind.AUTH,
    results.RESULT_INAPPROPRIATE_AUTHENTICATION: ErrorKind.AUTH,
    results.RESULT_INSUFFICIENT_ACCESS_RIGHTS: ErrorKind.DENIED,
    # The mark is not what was seen, the entry is gone or there by now: somebody else was quicker.
    results.RESULT_NO_SUCH_ATTRIBUTE: ErrorKind.STALE,
    results.RESULT_NO_SUCH_OBJECT: ErrorKind.STALE,
    results.RESULT_ATTRIBUTE_OR_VALUE_EXISTS: ErrorKind.STALE,
    results.RESULT_ENTRY_ALREADY_EXISTS: ErrorKind.STALE,
    results.RESULT_NOT_ALLOWED_ON_NON_LEAF: ErrorKind.CONFLICT,
    results.RESULT_CONSTRAINT_VIOLATION: ErrorKind.INVALID,
    results.RESULT_UNWILLING_TO_PERFORM: ErrorKind.INVALID,
    results.RESULT_OBJECT_CLASS_VIOLATION: ErrorKind.UNSUPPORTED,
    results.RESULT_UNDEFINED_ATTRIBUTE_TYPE: ErrorKind.UNSUPPORTED,
}
_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.TRANSIENT: "It is tried again.",
    ErrorKind.UNREACHABLE: "See whether the domain controller is up and reachable; it goes on by itself.",
    ErrorKind.THROTTLED: "Nothing to do: it goes on when the domain controller has room.",
    ErrorKind.STALE: "It is observed and planned again.",
    ErrorKind.AUTH: "Check the connector's user and its password.",
    ErrorKind.CONFIG: "Check the connector's settings, and the domain controller's.",
    ErrorKind.DENIED: "Delegate the right to the connector's user, as docs/connectors.md says.",
    ErrorKind.CONFLICT: "Let the directory's administrator see what is in the way.",
    ErrorKind.INVALID: "Correct the value, then provision again.",
    ErrorKind.UNSUPPORTED: "This directory cannot do it.",
}
WEAK_PASSWORD = "0000052d"
_TAKEN = re.compile("000021c[78]|already in use")
"""What is said where a UPN is taken in the forest: by Windows, and by Samba."""
_LOGIN_CODE = re.compile(r"data ([0-9a-f]{2,4})\b")


def unreachable(error: Exception, *, writing: bool = False) -> ConnectorError:
    """Return the ConnectorError for what the client or the network raised; `writing` makes the outcome unknown."""
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        return made(
            ErrorKind.CONFIG, f"TLS: {why}", "tls", "Check ca_file and the server's certificate."
        )
    if isinstance(error, socket.gaierror):
        again = error.errno == socket.EAI_AGAIN
        kind = ErrorKind.UNREACHABLE if again else ErrorKind.CONFIG
        return made(kind, f"The host's name is not known: {error.strerror}", "name")
    if isinstance(error, (OSError, LDAPCommunicationError, LDAPResponseTimeoutError)):
        slow = isinstance(error, (TimeoutError, LDAPResponseTimeoutError))
        why = "it does not answer" if slow else getattr(error, "strerror", "") or str(error)
        lost = made(
            ErrorKind.UNREACHABLE, f"The domain controller cannot be reached: {why}", "connect"
        )
        lost.outcome_unknown = writing
        return lost
    name = type(error).__name__
    if isinstance(error, LDAPExceptionError):
        # Its words repeat what was to be sent.
        return made(ErrorKind.INVALID, f"The LDAP client refuses it: {name}", name)
    return made(ErrorKind.TRANSIENT, f"The LDAP client failed: {name}", name)


def refused(code: int, message: str, description: str) -> ConnectorError:
    """Return the ConnectorError for a result that a domain controller answered."""
    said = f"{description}: {message}" if message else description
    folded = message.casefold()
    if code == results.RESULT_INVALID_CREDENTIALS:
        found = _LOGIN_CODE.search(folded)
        why = _LOGIN.get(found[1], "") if found else ""
        return made(
            ErrorKind.AUTH, f"The login is refused{': ' + why if why else ''}", str(code), said=said
        )
    if WEAK_PASSWORD in folded:
        weak = made(
            ErrorKind.INVALID,
            f"The domain's password policy refuses the password: {message}",
            WEAK_PASSWORD,
            "Set another password.",
        )
        weak.field = "password"
        return weak
    if code == results.RESULT_CONSTRAINT_VIOLATION and _TAKEN.search(folded):
        taken = made(
            ErrorKind.CONFLICT,
            f"Another object of the forest has this UPN: {message}",
            str(code),
            "Find out whose it is, or give the user another UPN.",
        )
        taken.field = "upn"
        return taken
    return made(_KINDS.get(code, ErrorKind.INVALID), said, str(code))


def made(
    kind: ErrorKind, words: str, code: str, remedy: str = "", *, said: str = ""
) -> ConnectorError:
    """Return the error, with the remedy of its kind unless there is a better one."""
    return ConnectorError(
        kind,
        words if not said else f"{words} ({said})",
        remedy=remedy or _REMEDIES[kind],
        code=code,
    )
