"""What HTTP and the network under it say, as kinds of errors."""

from __future__ import annotations

import email.utils
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.states import ErrorKind

SAID_LIMIT = 500

_KINDS: Mapping[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA,
    403: ErrorKind.DENIED,
    404: ErrorKind.STALE,
    405: ErrorKind.UNSUPPORTED,
    407: ErrorKind.CONFIG,
    408: ErrorKind.UNREACHABLE,
    409: ErrorKind.CONFLICT,
    410: ErrorKind.STALE,
    412: ErrorKind.STALE,
    413: ErrorKind.QUOTA,
    423: ErrorKind.STALE,
    425: ErrorKind.TRANSIENT,
    428: ErrorKind.STALE,
    429: ErrorKind.THROTTLED,
    501: ErrorKind.UNSUPPORTED,
    502: ErrorKind.UNREACHABLE,
    503: ErrorKind.UNREACHABLE,
    504: ErrorKind.UNREACHABLE,
    507: ErrorKind.QUOTA,
}
_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.UNREACHABLE: "See whether the back end is up and can be reached; it goes on by itself.",
    ErrorKind.THROTTLED: "Nothing to do: it goes on when the back end allows.",
    ErrorKind.AUTH: "Check the secret of connectors.{name}; it goes on once it is right.",
    ErrorKind.DENIED: "Give the account of connectors.{name} this right at the back end.",
    ErrorKind.CONFIG: "Check the address in connectors.{name}.",
    ErrorKind.STALE: "It is observed and planned again.",
    ErrorKind.TRANSIENT: "It is tried again.",
    ErrorKind.QUOTA: "Make room at the back end, then provision again.",
    ErrorKind.CONFLICT: "Find out what is in the way at the back end.",
    ErrorKind.INVALID: "Correct the value, then provision again.",
    ErrorKind.UNSUPPORTED: "This back end cannot do it.",
}
_WORDS = ("error_description", "detail", "message", "error", "errors", "title", "reason")
_TAGS = re.compile(r"<[^<>]*>")


def kind_of(status: int, headers: Mapping[str, str]) -> ErrorKind:
    """Return what a status means unless the connector knows better."""
    if status == 503 and "retry-after" in headers:
        return ErrorKind.THROTTLED
    if status in _KINDS:
        return _KINDS[status]
    if 300 <= status < 400:
        return ErrorKind.CONFIG
    return ErrorKind.INVALID if status < 500 else ErrorKind.TRANSIENT


def remedy_of(kind: ErrorKind, connector: str) -> str:
    """Return what to do about an error of this kind."""
    return _REMEDIES.get(kind, "").replace("{name}", connector)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for, written as seconds or as a date; None where it is not there."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def said_by(status: int, text: str) -> str:
    """Return the words in the body of a refusal: those of the usual keys of JSON, else its beginning without tags."""
    try:
        found = next(_words(json.loads(text)), "")
    except (ValueError, RecursionError):
        found = ""
    plain = found or " ".join(_TAGS.sub(" ", text).split())
    return f"{status}: {plain[:SAID_LIMIT]}" if plain else f"Status {status}, without a word"


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        found = [words for item in value for words in _words(item)]
        if found:
            yield "; ".join(found)
    elif isinstance(value, dict):
        for key in _WORDS:
            yield from _words(value.get(key))


def not_answered(error: Exception, url: str, *, writes: bool) -> ConnectorError:
    """Return the ConnectorError for a request without an answer.

    Before it was sent nothing can have happened; after that a lost answer of what writes leaves an unknown outcome.
    """
    import httpx

    host = urlsplit(url).hostname or url
    unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return _error(ErrorKind.CONFIG, f"The address {host} cannot be used: {error}", "address")
    root = _root(error)
    if isinstance(root, ssl.SSLError):
        why = getattr(root, "verify_message", "") or root.reason or str(root)
        return _error(ErrorKind.CONFIG, f"TLS with {host}: {why}", "tls")
    if isinstance(root, socket.gaierror):
        again = root.errno == socket.EAI_AGAIN
        kind = ErrorKind.UNREACHABLE if again else ErrorKind.CONFIG
        return _error(kind, f"The host's name {host} is not known: {root.strerror}", "name")
    if isinstance(error, unsent):
        why = getattr(root, "strerror", None) or "no connection in time"
        return _error(ErrorKind.UNREACHABLE, f"{host} cannot be reached: {why}", "connect")
    if isinstance(error, httpx.TimeoutException):
        said, code = f"{host} does not answer in time", "timeout"
    else:
        said, code = f"{host}: the connection was lost before the answer", "lost"
    made = _error(ErrorKind.UNREACHABLE, said, code)
    made.outcome_unknown = writes
    return made


def _error(kind: ErrorKind, said: str, code: str) -> ConnectorError:
    remedies = {"tls": "Check ca_file and the certificate of the back end."}
    remedy = remedies.get(code) or remedy_of(kind, "NAME").replace(
        "connectors.NAME", "the settings"
    )
    return ConnectorError(kind, said, remedy=remedy, code=code)


def _root(error: BaseException) -> BaseException:
    """Return the innermost cause that is the system's own."""
    found = error
    while (inner := found.__cause__ or found.__context__) is not None and inner is not error:
        found = inner
        if isinstance(found, (ssl.SSLError, socket.gaierror)):
            break
    return found
