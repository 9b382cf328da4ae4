"""A parsed catalogue file as it may be: of any shape. What is malformed reads as absent here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

from mission_control_tui.model.catalogue.file.line_numbers import Path
from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.text.clean import harmless

WordT = TypeVar("WordT", bound=StrEnum)

_LISTS = frozenset({"services", "products", "levels", "options", "roles", "extensions", "fields"})


class FileProblem(NamedTuple):
    """Something wrong at a path, whose last keys need not exist; `see` is another path to look at."""

    path: Path
    what: str
    hint: str = ""
    see: Path | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One table of the file and where it is."""

    path: Path
    table: Mapping[str, object]

    def at(self, *keys: str | int) -> Path:
        """Return the path of something inside this table."""
        return (*self.path, *keys)

    def has(self, key: str) -> bool:
        """Tell whether the key is there, well formed or not."""
        return key in self.table

    def text(self, key: str) -> str | None:
        """Return the text at `key`."""
        value = self.table.get(key)
        return value if isinstance(value, str) else None

    def word(self, key: str, kind: type[WordT], default: WordT) -> WordT | None:
        """Return the word of a fixed set at `key`, or `default`; None where it is none of them."""
        value = self.table.get(key, default)
        return kind(value) if isinstance(value, str) and value in list(kind) else None

    def number(self, key: str) -> int | None:
        """Return the whole number at `key`."""
        value = self.table.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return the boolean at `key`."""
        value = self.table.get(key)
        return value if isinstance(value, bool) else default

    def words(self, key: str) -> Iterator[tuple[int, str]]:
        """Yield the texts of the list at `key`, with their indexes."""
        value = self.table.get(key)
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            if isinstance(entry, str):
                yield index, entry

    def unknown(self, key: str, kind: str, known: list[str]) -> Iterator[FileProblem]:
        """Yield the texts of the list at `key` that name no `kind` of those `known`."""
        for index, word in self.words(key):
            if word not in known:
                yield absent(self.at(key, index), kind, word, known)

    def inside(self, key: str) -> Node:
        """Return the table at `key`, empty where there is none."""
        value = self.table.get(key)
        return Node(self.at(key), value if isinstance(value, dict) else {})

    def children(self, key: str) -> list[Node]:
        """Return the tables of the array at `key`."""
        value = self.table.get(key)
        entries = value if isinstance(value, list) else ()
        return [
            Node(self.at(key, index), entry)
            for index, entry in enumerate(entries)
            if isinstance(entry, dict)
        ]

    def child(self, key: str, wanted: str) -> Node | None:
        """Return the table of the array at `key` with this id."""
        return next((child for child in self.children(key) if child.text("id") == wanted), None)

    def ids(self, key: str) -> list[str]:
        """Return the ids of the array at `key`."""
        found = (child.text("id") for child in self.children(key))
        return list(dict.fromkeys(key for key in found if key is not None))


def absent(path: Path, kind: str, word: str, known: list[str]) -> FileProblem:
    """There is no `kind` of this id; with what was meant, and what there is."""
    exist = f"There are: {', '.join(map(harmless, known)) or 'none'}."
    guess = did_you_mean(word, known)
    return FileProblem(path, f"there is no {kind} {harmless(word)!r}", f"{guess} {exist}".strip())


def place(document: Mapping[str, object], path: Path) -> str:
    """`path` for people: "service managed-exchange > level popx > prices"."""
    parts: list[str] = []
    here: object = document
    for key in path:
        here = _step(here, key)
        if isinstance(key, int):
            kind = parts[-1].removesuffix("s") if parts and parts[-1] in _LISTS else ""
            name = here.get("id", here.get("name")) if isinstance(here, dict) else None
            label = harmless(name)[:60] if isinstance(name, str) and name else f"#{key + 1}"
            if kind and isinstance(here, dict):
                parts[-1] = f"{kind} {label}"
            else:
                parts.append(f"#{key + 1}")
        else:
            parts.append(harmless(key)[:60])
    return " > ".join(parts)


def _step(here: object, key: str | int) -> object:
    if isinstance(here, dict) and isinstance(key, str):
        return here.get(key)
    if isinstance(here, list) and isinstance(key, int) and key < len(here):
        return here[key]
    return None
