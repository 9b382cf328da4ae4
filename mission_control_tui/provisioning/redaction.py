"""Secrets that a connector was given, taken out of whatever its code says: errors, plans, prints."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

from mission_control_tui.connect.context import Context

SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|key|credential|login|auth|dsn|private", re.IGNORECASE
)
"""Names of settings that may hold a secret."""
SHORTEST = 4
"""Characters; what is shorter is hidden nowhere, since it stands in any text."""
SHORTEST_SUSPECT = 8
"""Characters of what only its name makes a secret."""
SHORTEST_LINE = 20
"""Characters of a line of a whole file, such as a key in PEM, that is hidden by itself."""


def without_secrets(context: Context, text: str, password: str | None = None) -> str:
    """Return a connector's words without the secrets of its settings and the password that it was sent."""
    if not text:
        return text
    if password:
        text = _without(text, password, "[password]")
    for secret in sorted({*_secrets(context)}, key=len, reverse=True):
        text = _without(text, secret, "[secret]")
    return text


def _without(text: str, secret: str, shown: str) -> str:
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    for form in {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]} | quoted:
        text = text.replace(form, shown)
    return text


def _secrets(context: Context) -> Iterator[str]:
    """Yield what is secret: what was read where the settings refer to, and what stands in them all the same."""
    for reference in context.secrets:
        for secret in reference.known:
            yield from _pieces(secret)
    for value in _suspects(context.settings):
        yield from _pieces(value)


def _pieces(secret: str) -> Iterator[str]:
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    for piece in {secret.strip(), *(line for line in lines if len(line) >= SHORTEST_LINE)}:
        if len(piece) >= SHORTEST:
            yield piece


def _suspects(table: Mapping[str, object], named: bool = False) -> Iterator[str]:
    """Yield what of a settings table may be secret: by the name of its key, or as the password in a URL."""
    for key, value in table.items():
        suspect = named or bool(SECRET_NAME.search(key))
        if isinstance(value, Mapping):
            yield from _suspects(value, suspect)
        elif isinstance(value, (list, tuple)):
            entries = {str(number): item for number, item in enumerate(value)}
            yield from _suspects(entries, suspect)
        elif isinstance(value, str):
            yield from _in_url(value)
            if suspect and key.endswith("_env"):
                yield os.environ.get(value, "")
            elif suspect and not key.endswith(("_file", "_credential")):
                yield value if len(value) >= SHORTEST_SUSPECT else ""


def _in_url(value: str) -> Iterator[str]:
    try:
        password = urlsplit(value).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
