"""What screens remember, as JSON: for drafts and for the place where a connection was lost. Passwords are left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

_LEFT_OUT = object()
SIZE_LIMIT = 200_000
"""Characters of one value; longer ones are left out."""

MOST_ITEMS = 2_000
"""Items of one value; more, such as thousands of marks, are left out."""


def encode(value: object) -> Any:
    """`value` as JSON. What is neither plain nor a known container is left out, with the container's whole entry."""
    found = _encode(value)
    return None if found is _LEFT_OUT else found


def _encode(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= SIZE_LIMIT else _LEFT_OUT
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, Mapping):
        entries = {str(key): _encode(item) for key, item in value.items()}
        return {"$map": {key: item for key, item in entries.items() if item is not _LEFT_OUT}}
    for kind, name in ((tuple, "$tuple"), (list, "$list"), (frozenset, "$set"), (set, "$set")):
        if isinstance(value, kind):
            if len(value) > MOST_ITEMS:
                return _LEFT_OUT
            items = [_encode(item) for item in value]
            return _LEFT_OUT if _LEFT_OUT in items else {name: items}
    return _LEFT_OUT


def decode(value: Any) -> Any:
    """Return what `encode` was given. Raises ValueError for what it never made."""
    if not isinstance(value, Mapping):
        return value
    if len(value) != 1:
        raise ValueError("a kept value has one kind")
    ((kind, inner),) = value.items()
    match kind:
        case "$date":
            return date.fromisoformat(inner)
        case "$map":
            return {key: decode(item) for key, item in inner.items()}
        case "$tuple":
            return tuple(decode(item) for item in inner)
        case "$list":
            return [decode(item) for item in inner]
        case "$set":
            return frozenset(decode(item) for item in inner)
        case _:
            raise ValueError(f"{kind} is no kind of a kept value")
