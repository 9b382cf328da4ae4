"""Sets of records: how they are written, when two say the same, and what of a set is whose."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

DISABLED = " (disabled)"
"""Behind the content of a record that the server keeps and does not answer with."""
HOST_TYPES = frozenset({"ALIAS", "CNAME", "MX", "NS", "PTR", "SRV"})
"""Types whose content ends with a host's name."""
TEXT_LIMIT = 255  # bytes of one string of a TXT record

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_QUOTED = re.compile(rf"({_STRING.pattern}\s*)+")
_CHARACTER = re.compile(r"\\\d{3}|\\.|[^\\]", re.DOTALL)
_SERIAL = 2  # the place of the serial in a SOA record


class RecordSet(NamedTuple):
    """All records of one name and type, as the server writes them; those disabled end with `DISABLED`.

    A SOA stands here without its serial, which is the server's own.
    """

    ttl: int
    contents: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return "TTL CONTENT" for each record."""
        return [f"{self.ttl} {content}" for content in sorted(self.contents)]

    def same_as(self, other: RecordSet | None, kind: str) -> bool:
        """Return True when both answer the same."""
        return (
            other is not None
            and self.ttl == other.ttl
            and {canonical(kind, content) for content in self.contents}
            == {canonical(kind, content) for content in other.contents}
        )


def key_of(name: str, kind: str) -> str:
    """Return what a set is called here: "www.acme.example A"."""
    return f"{name.rstrip('.').lower()} {kind}"


def kind_of(key: str) -> str:
    """Return the type in a set's key."""
    return key.rpartition(" ")[2]


def disabled(records: RecordSet, off: bool = True) -> RecordSet:
    """Return the set with all its records disabled, or all of them answered with."""
    bare = (content.removesuffix(DISABLED) for content in records.contents)
    return RecordSet(records.ttl, tuple(f"{content}{DISABLED if off else ''}" for content in bare))


def is_disabled(records: RecordSet | None) -> bool:
    """Return True when the server answers with none of them."""
    return records is not None and all(content.endswith(DISABLED) for content in records.contents)


def canonical(kind: str, content: str) -> str:
    """Return the one form that contents of the same meaning have. Raises ValueError for a wrong address."""
    text, off = content.removesuffix(DISABLED), DISABLED if content.endswith(DISABLED) else ""
    if kind == "TXT":
        return quoted(text) + off
    words = text.split()
    if kind in ("A", "AAAA"):
        address = ipaddress.ip_address(text.strip())
        if address.version != (4 if kind == "A" else 6):
            raise ValueError(f"{text} is no address of this kind")
        return str(address) + off
    if kind == "SOA":
        words = [word.lower() for word in words]
    elif kind in HOST_TYPES and words:
        words = [word.lower() for word in words]
        words[-1] = words[-1].rstrip(".") + "."
    return " ".join(words) + off


def quoted(text: str) -> str:
    """Return a TXT record's content in quotes, in strings that are as long as they may be."""
    joined = "".join(_STRING.findall(text))
    if not _QUOTED.fullmatch(text.strip()):
        joined = re.sub(r'(["\\])', r"\\\1", text.strip())
    escaped = "".join(
        found if ord(found[0]) < 128 else "".join(f"\\{byte:03d}" for byte in found.encode())
        for found in _CHARACTER.findall(joined)
    )
    characters = _CHARACTER.findall(escaped)
    cut = range(0, max(len(characters), 1), TEXT_LIMIT)
    return " ".join(f'"{"".join(characters[at : at + TEXT_LIMIT])}"' for at in cut)


def with_serial(content: str, serial: int) -> str:
    """Return a SOA record with its serial, as the server wants it."""
    words = content.split()
    return " ".join([*words[:_SERIAL], str(serial), *words[_SERIAL:]])


def without_serial(content: str) -> str:
    """Return a SOA record without its serial."""
    words = content.split()
    return " ".join([*words[:_SERIAL], *words[_SERIAL + 1 :]])


def merged_texts(
    present: RecordSet | None, ours: RecordSet | None, made: Collection[str] | None
) -> RecordSet | None:
    """Return the TXT records of a name when ours stand beside everybody else's.

    Ours are those that we made, and what was made of them: a text that begins with the same version ("v=spf1"). Where
    somebody else's has the version of one of ours, theirs stays alone.
    """
    made_texts = {canonical("TXT", content).removesuffix(DISABLED) for content in made or ()}
    versions = {_version(content) for content in made_texts} - {""}
    wanted = {canonical("TXT", content).removesuffix(DISABLED) for content in _contents(ours)}
    theirs = [
        content
        for content in _contents(present)
        if (text := canonical("TXT", content).removesuffix(DISABLED)) not in made_texts | wanted
        and _version(text) not in versions
    ]
    taken = {_version(content) for content in theirs} - {""}
    added = [content for content in _contents(ours) if _version(content) not in taken]
    if not theirs and not added:
        return None
    holder = ours if added else present
    return RecordSet(holder.ttl if holder else 0, (*theirs, *added))


def shadowed(key: str, others: Iterable[str]) -> bool:
    """Return True when a set cannot stand beside the sets `others`: a CNAME is alone at its name."""
    name, _, kind = key.rpartition(" ")
    beside = {kind_of(other) for other in others if other.rpartition(" ")[0] == name} - {kind}
    return bool(beside) if kind == "CNAME" else "CNAME" in beside


def parsed_lines(lines: Sequence[str]) -> RecordSet:
    """Return the set that `RecordSet.lines` wrote."""
    split = [line.partition(" ") for line in lines]
    return RecordSet(int(split[0][0]), tuple(content for _, _, content in split))


def tables(records: Mapping[str, RecordSet]) -> dict[str, list[str]]:
    """Return sets as plain values."""
    return {key: found.lines() for key, found in records.items()}


def _contents(records: RecordSet | None) -> tuple[str, ...]:
    return records.contents if records is not None else ()


def _version(text: str) -> str:
    first = text.strip('"').split(" ")[0].split(";")[0].strip('"').lower()
    return first if first.startswith("v=") else ""
