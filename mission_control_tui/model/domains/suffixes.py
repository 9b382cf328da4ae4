"""Which names can be somebody's domain: what stands below a public suffix, a reserved ending or one of our own.

The list is the ICANN part of the Public Suffix List, in the copy that the package publicsuffixlist brings along.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

RESERVED = frozenset(
    {"example", "home.arpa", "internal", "invalid", "local", "localhost", "onion", "test"}
)
"""Endings that no registry sells (RFC 2606, 6761, 6762, 7686, 8375, and ICANN's for private use)."""


@lru_cache(maxsize=1)
def _public() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True, accept_unknown=False)


def require_registrable(name: str, endings: Iterable[str] = (), *, sold: bool = False) -> None:
    """Raise InvalidInput where `name`, in its stored form, cannot be somebody's domain.

    `endings` are those of the provider's own networks; of a name that is `sold` here the catalogue knows the ending.
    """
    if any(name.endswith(f".{ending}") for ending in (*RESERVED, *endings)):
        return
    suffix = _public().publicsuffix(name)
    if suffix is None and not sold:
        ending = name.rpartition(".")[2]
        raise _refused(
            f"{name} is not a domain name: there is no ending .{ending}",
            "look for a typing mistake; an ending of your own network belongs into the settings, private_suffixes",
        )
    if suffix == name:
        raise _refused(
            f"{name} is an ending under which domains are registered, not a domain",
            f"add what stands in front of it, as in acme.{name}",
        )


def _refused(what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{what}.", hint=hint, problems=[Problem("domain", what, hint)])
