"""Names that are derived from others: display names, usernames, free UPNs, names at the back ends."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Container, Iterator

from mission_control_tui.model.people.address_syntax import LOCAL_LIMIT, upn_key
from mission_control_tui.model.people.fields import USERNAME_LIMIT

Taken = Container[str] | Callable[[str], bool]
"""What is in use already, asked in lower case: a collection, or a function that says whether."""

FORBIDDEN_IN_USERNAMES = frozenset('"/\\[]:;|=,+*?<>@')
"""The characters that sAMAccountName refuses (Microsoft, "SAM-Account-Name attribute")."""

_NUMBERED_ALTERNATIVES = 1000
_HASH_LENGTH = 8
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def display_name_for(first_names: str, last_name: str) -> str:
    """ "First Last", or whichever of the two there is."""
    return " ".join(f"{first_names} {last_name}".split())


def username_for(upn: str, taken: Taken = ()) -> str:
    """Return a username that is free, from the local part of `upn`: lower case, at most 20 characters.

    A name in use gets a number: ada.lovelace2; room1 becomes room1-2, for room12 would look like another room.
    """
    local = upn.rpartition("@")[0] or upn
    plain = "".join(
        char
        for char in _without_accents(local).lower()
        if char.isascii()
        and char.isprintable()
        and char != " "
        and char not in FORBIDDEN_IN_USERNAMES
    )
    base = plain[:USERNAME_LIMIT].strip(".") or "user"
    is_taken = _asker(taken)
    if not is_taken(base):
        return base
    return _first_free(lambda number: _numbered(base, number, USERNAME_LIMIT), is_taken)


def alternatives(upn: str, taken: Taken) -> Iterator[str]:
    """Yield free UPNs to offer when `upn` is taken, the likeliest first, at most about a thousand.

    `taken` is asked by upn_key. Raises InvalidInput when the domain of `upn` is not one.

    For ada.lovelace@acme.example: ada.lovelace2@, a.lovelace@, ada.lovelace.3@, ada.lovelace.4@ and so on.
    """
    local, at, domain = upn.rpartition("@")
    is_taken = _asker(taken)
    candidates = [_numbered(local, 2, LOCAL_LIMIT)]
    first, dot, last = local.partition(".")
    if dot and len(first) > 1 and last:
        candidates.append(f"{first[0]}.{last}")
    numbered = (
        _numbered(local, number, LOCAL_LIMIT, separator=".")
        for number in range(3, _NUMBERED_ALTERNATIVES)
    )
    for candidate in (*candidates, *numbered):
        offer = f"{candidate}{at}{domain}"
        if not is_taken(upn_key(offer)):
            yield offer


def backend_name(
    account_code: str,
    username: str,
    instance: str = "",
    *,
    limit_bytes: int = 63,
    pattern: str = "{account}_{username}_{instance}",
    taken: Taken = (),
) -> str:
    """Return the name of a user's object at a back end: lower-case ASCII letters, digits and what `pattern` adds.

    Every other run of characters becomes "_", and empty parts leave no separator behind. The same parts give the same
    name; one that had to be cut to `limit_bytes` (at least 16), or that is `taken`, ends in a hash of all the parts.
    """
    parts = {"account": account_code, "username": username, "instance": instance}
    name = pattern.format(**{key: _plain(part) for key, part in parts.items()})
    name = re.sub(r"([._-])[._-]+", r"\1", name).strip("._-")
    is_taken = _asker(taken)
    if name and len(name.encode()) <= limit_bytes and not is_taken(name):
        return name
    kept = name.encode()[: limit_bytes - _HASH_LENGTH - 1].decode(errors="ignore").rstrip("._-")

    def hashed(number: int) -> str:
        return f"{kept}_{_digest(*parts.values(), str(number))}".lstrip("_")

    return _first_free(hashed, is_taken)


def _asker(taken: Taken) -> Callable[[str], bool]:
    return taken if callable(taken) else taken.__contains__


def _first_free(name: Callable[[int], str], is_taken: Callable[[str], bool]) -> str:
    """Return a free name(number), number from 2: the lowest where numbers are taken without gaps, in few questions."""
    highest_taken, free = 1, 2
    while is_taken(name(free)):
        highest_taken, free = free, free * 2
    while free - highest_taken > 1:
        middle = (highest_taken + free) // 2
        if is_taken(name(middle)):
            highest_taken = middle
        else:
            free = middle
    return name(free)


def _numbered(base: str, number: int, limit: int, *, separator: str = "") -> str:
    room = limit - len(str(number))
    if not separator and base[:room].rstrip(".")[-1:].isdigit():
        separator = "-"
    return f"{base[: room - len(separator)].rstrip('.')}{separator}{number}"


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub("_", _without_accents(text).lower()).strip("_")


def _digest(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(digest)[:_HASH_LENGTH].decode().lower()
