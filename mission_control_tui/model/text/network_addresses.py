"""Whether a text is the host, the web address or the HOST:PORT of a server; pure syntax, no server is asked."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

LOWEST_PORT, HIGHEST_PORT = 1, 65_535
_HOST = re.compile(r"(?=.{1,253}$)[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62})*\.?")
_PORT = re.compile(r"[0-9]{1,5}")


def host_problem(text: str) -> str:
    """Return why `text` is not the name or address of a host, in words that go on from "host"; "" where it is one."""
    if is_host(text):
        return ""
    if "://" in text or "/" in text:
        return (
            "must be a host alone, such as db1.internal.example, without http:// and without a path"
        )
    if text.startswith("[") or is_host(text.rpartition(":")[0]):
        return "must be a host alone, such as db1.internal.example or 2001:db8::1, without brackets or a port"
    return "must be the name or address of a host, such as db1.internal.example or 192.0.2.7"


def url_problem(text: str, example: str) -> str:
    """Return why `text` is not the address of a web service, in words that go on from "url"; "" where it is one."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return (
            f"must be an address such as {example}, its port from {LOWEST_PORT} to {HIGHEST_PORT}"
        )
    if port is not None and port < LOWEST_PORT:
        return f"must have a port from {LOWEST_PORT} to {HIGHEST_PORT}"
    if parts.username is not None:
        return "must not have a user or a password in it: those stand in settings of their own"
    if parts.scheme not in ("http", "https") or not is_host(host) or not _is_seamless(text):
        return f"must be an address such as {example}"
    return ""


def endpoint_problem(text: str) -> str:
    """Return why `text` is not HOST:PORT, in words that go on from its key; "" where it is."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _PORT.fullmatch(port) or not LOWEST_PORT <= int(port) <= HIGHEST_PORT:
        return f"must be HOST:PORT with a port from {LOWEST_PORT} to {HIGHEST_PORT}, such as 127.0.0.1:8480"
    if not is_host(bare) or (":" in bare) != (bare != host):
        return "must be HOST:PORT, such as 127.0.0.1:8480 or [::1]:8480"
    return ""


def is_host(text: str) -> bool:
    """Tell whether `text` may be the name or the address (IPv6 without brackets) of a host."""
    try:
        ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _is_seamless(text: str) -> bool:
    return text.isprintable() and not any(char.isspace() for char in text)
