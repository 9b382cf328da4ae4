"""One zone as the server tells it, and what we keep beside it in its metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mission_control_tui.connect import (
    DesiredState,
    Mark,
    Note,
    ObservedState,
    Usage,
    Wish,
    read_short_mark,
)
from mission_control_tui.provisioning.connectors.powerdns.records import (
    DISABLED,
    RecordSet,
    key_of,
    parsed_lines,
    tables,
    without_serial,
)

METADATA = "X-MISSION-CONTROL"
"""The kind of metadata that holds the mark with its fence, and which records are ours."""
OWN_KINDS = frozenset({"Native", "Master", "Primary", "Producer"})
"""Kinds of zones whose records are written here; those of others come from elsewhere."""


class _Record(msgspec.Struct):
    content: str
    disabled: bool = False


class _RecordSet(msgspec.Struct):
    name: str
    type: str
    ttl: int
    records: list[_Record]


class ZoneReply(msgspec.Struct):
    """A zone as the API answers it."""

    id: str
    name: str
    kind: str = ""
    account: str = ""
    dnssec: bool = False
    rrsets: list[_RecordSet] = []


class MetadataReply(msgspec.Struct):
    """Metadata of one kind as the API answers it."""

    metadata: list[str] = []


class Kept(msgspec.Struct, frozen=True):
    """What is kept beside the mark: the state that was set, whether the zone was taken over, and our records."""

    state: str = ""
    adopted: bool = False
    records: dict[str, list[str]] = msgspec.field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Kept:
        """Return what was kept; nothing where it cannot be read."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError:
            return cls()

    def to_text(self) -> str:
        """Return it as one line of JSON."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone: its sets of records by key, its owner, and what is kept beside it."""

    name: str
    id: str = ""
    kind: str = ""
    account: str = ""
    dnssec: bool = False
    serial: int = 0
    records: Mapping[str, RecordSet] = field(default_factory=dict)
    note: Note | None = None
    kept: Kept = field(default_factory=Kept)

    @property
    def soa(self) -> str:
        """The key of its SOA."""
        return key_of(self.name, "SOA")

    @property
    def apex(self) -> tuple[str, str]:
        """The keys without which there is no zone."""
        return self.soa, key_of(self.name, "NS")

    def mark(self, installation: str) -> Mark | None:
        """Return whose it is: by its metadata, or by `account` where it has none yet."""
        return self.note.mark if self.note else read_short_mark(self.account, installation)

    def observed(
        self, installation: str, state: Wish, settings: Mapping[str, object]
    ) -> ObservedState:
        """Return it as the protocol has it; `attributes` hold what `zone_of` needs."""
        count = sum(len(found.contents) for found in self.records.values())
        secondary = bool(self.kind) and self.kind not in OWN_KINDS
        return ObservedState(
            exists=True,
            mark=self.mark(installation),
            wish=state,
            level=self.note.level if self.note else "",
            settings=settings,
            attributes={
                "records": tables(self.records),
                "made": self.kept.records,
                "adopted": self.kept.adopted,
                "account": self.account,
                "noted": self.note is not None,
            },
            external_id=self.id,
            complete=self.note is not None or read_short_mark(self.account, installation) is None,
            usage={"records": Usage(count, unit="records")},
            kept=(_counted(count), *(["DNSSEC keys"] if self.dnssec else [])),
            unadoptable=f"it is a {self.kind.lower()} zone, whose records come from another server"
            if secondary
            else "",
        )


def read_zone(reply: ZoneReply, metadata: Sequence[str]) -> Zone:
    """Return the zone that the API told of."""
    note, kept = (*metadata, "", "")[:2]
    return Zone(
        reply.name.rstrip("."),
        reply.id,
        reply.kind,
        reply.account,
        reply.dnssec,
        next((_serial(found) for found in reply.rrsets if found.type == "SOA"), 0),
        {
            key_of(found.name, found.type): RecordSet(
                found.ttl, tuple(_content(found.type, record) for record in found.records)
            )
            for found in reply.rrsets
            if found.records
        },
        Note.from_text(note),
        Kept.from_text(kept),
    )


def zone_of(desired: DesiredState, observed: ObservedState) -> Zone:
    """Return the zone that `Zone.observed` told of, as far as planning needs it."""
    told: Mapping[str, Any] = observed.attributes
    note = Note(observed.mark, observed.level) if observed.mark and told.get("noted") else None
    return Zone(
        desired.name,
        observed.external_id,
        account=told.get("account", ""),
        records={
            key: parsed_lines(lines) for key, lines in told.get("records", {}).items() if lines
        },
        note=note,
        kept=Kept(str(observed.wish), told.get("adopted", False), dict(told.get("made", {}))),
    )


def _serial(soa: _RecordSet) -> int:
    words = soa.records[0].content.split() if soa.records else []
    return int(words[2]) if len(words) > 2 and words[2].isdigit() else 0


def _content(kind: str, record: _Record) -> str:
    content = without_serial(record.content) if kind == "SOA" else record.content
    return content + (DISABLED if record.disabled else "")


def _counted(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"
