"""What a registrar says of a domain name: free, taken, or nothing that could be known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

NOT_CONNECTED = "no registrar is connected"


@dataclass(frozen=True, slots=True)
class RegistrarAnswer:
    """Whether a name is free, None where that is not known; `said` by whom, or why not, without a final dot."""

    name: str
    free: bool | None
    said: str


AskRegistrar = Callable[[str], Awaitable[RegistrarAnswer]]
"""Asks the registrar about a name; never raises: what cannot be asked is not known."""


def not_asked(name: str) -> RegistrarAnswer:
    """Return what is known where no registrar is connected."""
    return RegistrarAnswer(name, None, NOT_CONNECTED)
