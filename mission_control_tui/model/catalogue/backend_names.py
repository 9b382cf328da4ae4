"""Names of objects at back ends: made from a service's pattern, within its limit of bytes."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Mapping

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.text.folding import fold

PLACEHOLDERS = frozenset({"account", "username", "instance", "upn", "domain", "name"})
"""What a pattern may name: account code, username, instance name, the user's UPN, a domain name, an object's name."""

_WHOLE = frozenset({"upn", "domain"})
_UNSAFE = re.compile(r"[^a-z0-9]+")
_DIGEST_DIGITS = 8


def placeholders(pattern: str) -> set[str]:
    """Return the placeholders that `pattern` uses; ValueError where it is not well formed."""
    found: set[str] = set()
    for _, name, spec, conversion in string.Formatter().parse(pattern):
        if name is not None:
            if spec or conversion:
                raise ValueError("a placeholder is just a name between braces")
            found.add(name)
    return found


def back_end_name(service: Service, facts: Mapping[str, str], number: int = 1) -> str:
    """Return the back-end name of one instance of `service`.

    `facts` has the placeholders' values; account, username, instance and name are reduced to lower
    case letters, digits and underscores. A name beyond the limit is cut and ends in a digest of the whole.
    `number` above 1 gives the next names to try where one is taken.
    """
    values = {
        name: facts[name].casefold() if name in _WHOLE else _slug(facts[name])
        for name in placeholders(service.name_pattern)
    }
    name = service.name_pattern.format(**values).strip("_")
    suffix = f"_{number}" if number > 1 else ""
    if len((name + suffix).encode()) > service.name_limit:
        suffix = "_" + hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_DIGITS] + suffix
        room = service.name_limit - len(suffix)
        name = name.encode()[:room].decode(errors="ignore")
    return name + suffix


def _slug(text: str) -> str:
    return _UNSAFE.sub("_", fold(text)).strip("_")
