"""Finding a thing of the catalogue by its id or its name, case-insensitively."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.folding import fold


class NamedItem(Protocol):
    """Anything with a stable id and a name for people."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


NamedT = TypeVar("NamedT", bound=NamedItem)


def find(items: Sequence[NamedT], key: str, kind: str, *, of: str = "") -> NamedT:
    """Return the item whose id or name is `key`; NotFound with close matches and the list of what exists.

    `kind` ("service", "level") and `of` ("service managed-exchange") word the error.
    """
    for item in items:
        if item.id == key:
            return item
    folded = fold(key)
    for item in items:
        if folded in (fold(item.id), fold(item.name)):
            return item
    owner = f" in {of}" if of else ""
    exist = ", ".join(f"{item.id} ({item.name})" for item in items) or "none"
    guess = did_you_mean(key, [text for item in items for text in (item.id, item.name)])
    raise NotFound(
        f"There is no {kind} {harmless(key)!r}{owner}.",
        hint=" ".join(part for part in (guess, f"There are: {exist}.") if part),
    )


def known(items: Iterable[NamedT], ident: str) -> NamedT | None:
    """Return the item with exactly this id, or None: a stored id may be of a catalogue that is no longer in force."""
    return next((item for item in items if item.id == ident), None)


def name_of(items: Iterable[NamedItem], ident: str) -> str:
    """Return the name of the item with this id; of one that is not known, the id."""
    item = known(items, ident)
    return ident if item is None else item.name


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """Return a sentence naming the known words that `key` resembles, or an empty text."""
    import difflib

    by_folded = {fold(word): word for word in known}
    close = difflib.get_close_matches(fold(key), by_folded, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(by_folded[word] for word in close)}?" if close else ""
