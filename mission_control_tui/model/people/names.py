"""Names that are derived from others: display names, usernames, free UPNs."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from mission_control_tui.model.people.address_syntax import LOCAL_LIMIT, upn_key
from mission_control_tui.model.people.fields import USERNAME_LIMIT
from mission_control_tui.model.text.folding import fold

Taken = Container[str] | Callable[[str], bool]
"""What is in use already, asked in lower case: a collection, or a function that says whether."""

FORBIDDEN_IN_USERNAMES = frozenset('"/\\[]:;|=,+*?<>@')
"""The characters that sAMAccountName refuses (Microsoft, "SAM-Account-Name attribute")."""

_UNFIT = FORBIDDEN_IN_USERNAMES | {" "}
_NUMBERED_ALTERNATIVES = 1000


def display_name_for(first_names: str, last_name: str) -> str:
    """ "First Last", or whichever of the two there is."""
    return " ".join(f"{first_names} {last_name}".split())


def username_for(upn: str, taken: Taken = ()) -> str:
    """Return a username that is free, from the local part of `upn`: lower case, at most 20 characters.

    A name in use gets a number: ada.lovelace2; room1 becomes room1-2, for room12 would look like another room.
    """
    local = upn.rpartition("@")[0] or upn
    plain = "".join(
        char for char in fold(local) if char.isascii() and char.isprintable() and char not in _UNFIT
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
