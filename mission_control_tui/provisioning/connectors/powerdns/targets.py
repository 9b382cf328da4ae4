"""What a zone should have: which sets of records are ours to write, and what is left to others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mission_control_tui.connect import DesiredState, Wish
from mission_control_tui.provisioning.connectors.powerdns.records import (
    DISABLED,
    RecordSet,
    canonical,
    disabled,
    is_disabled,
    key_of,
    kind_of,
    merged_texts,
    shadowed,
)
from mission_control_tui.provisioning.connectors.powerdns.templates import (
    NAME_SERVERS,
    ZoneTemplates,
)
from mission_control_tui.provisioning.connectors.powerdns.zone import Kept, Zone


class Suspended(StrEnum):
    """What a suspended zone does."""

    REFUSE = "refuse"
    """Nothing in it is answered: its SOA is disabled."""
    DISABLE = "disable"
    """Our records are disabled, but for SOA and NS; those of others are answered."""
    ANSWER = "answer"
    """All goes on; that it is suspended is only noted."""


class Adopted(StrEnum):
    """What a zone that was taken over gets of the templates."""

    KEEP = "keep"
    """Nothing but what an option of its own says of name servers."""
    COMPLETE = "complete"
    """What it has nothing of yet."""


@dataclass(frozen=True, slots=True)
class Target:
    """The sets to write (None to remove), what is ours afterwards, and what is left as others made it."""

    changes: Mapping[str, RecordSet | None]
    made: Mapping[str, list[str]]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """How the settings turn a wish into records."""

    templates: ZoneTemplates
    suspended: Suspended
    adopted: Adopted

    def state_of(self, zone: Zone) -> Wish:
        """Return whether a zone is suspended, as these rules mean it."""
        if self.suspended is Suspended.REFUSE:
            off = is_disabled(zone.records.get(zone.soa))
        else:
            off = zone.kept.state == Wish.SUSPENDED
        if self.suspended is Suspended.DISABLE:
            off = off and all(
                is_disabled(zone.records[key]) for key in _answering(zone) if kind_of(key) != "TXT"
            )
        return Wish.SUSPENDED if off else Wish.PRESENT

    def target(self, desired: DesiredState, zone: Zone) -> Target:
        """Return what is to be written to a zone that is ours, or is taken over. Raises ValueError."""
        going = desired.wish is Wish.ABSENT
        wanted = self._kept(zone) if going else self._wanted(desired, zone)
        off = desired.state is Wish.SUSPENDED
        if off and self.suspended is Suspended.DISABLE:
            wanted = {
                key: found if key in zone.apex else disabled(found) for key, found in wanted.items()
            }
        insisted = {key_of(zone.name, "NS")} if desired.settings.get(NAME_SERVERS) else set[str]()
        targets: dict[str, RecordSet | None] = {}
        left: list[str] = []
        remaining = zone.records.keys() - (zone.kept.records.keys() - wanted.keys())
        for key in {**wanted, **({} if going else zone.kept.records)}:
            ours, present = wanted.get(key), zone.records.get(key)
            made = zone.kept.records.get(key)
            if kind_of(key) == "TXT":
                found = merged_texts(present, ours, made)
            elif ours is None or made is not None or key in insisted:
                found = ours
            elif present is None:
                found = None if shadowed(key, remaining) else ours
            else:
                found = present
            targets[key] = found
            if ours is not None and not _holds(found, ours, kind_of(key)):
                left.append(key)
        self._silence(zone, targets, off=off)
        changes = {
            key: found
            for key, found in targets.items()
            if not (
                found.same_as(zone.records.get(key), kind_of(key))
                if found
                else key not in zone.records
            )
        }
        made_after = {key: _bare(found) for key, found in wanted.items() if key not in left}
        return Target(
            changes, dict(zone.kept.records) if going else made_after, tuple(sorted(left))
        )

    def _wanted(self, desired: DesiredState, zone: Zone) -> dict[str, RecordSet]:
        if not zone.kept.adopted or self.adopted is Adopted.COMPLETE:
            return self.templates.made_for(desired)
        servers = key_of(zone.name, "NS")
        stated = desired.settings.get(NAME_SERVERS) or servers in zone.kept.records
        return {servers: self.templates.name_servers_of(desired)} if stated else {}

    def _kept(self, zone: Zone) -> dict[str, RecordSet]:
        """Return our records as they are: what only waits for its removal is written no more."""
        return {
            key: _made_texts(zone, key) if kind_of(key) == "TXT" else zone.records[key]
            for key in _answering(zone)
        }

    def _silence(self, zone: Zone, targets: dict[str, RecordSet | None], *, off: bool) -> None:
        soa = targets.get(zone.soa) or zone.records.get(zone.soa)
        if soa is not None:
            targets[zone.soa] = disabled(soa, off and self.suspended is Suspended.REFUSE)


def taken_over(desired: DesiredState, zone: Zone) -> Zone:
    """Return the zone as it counts for a wish: of somebody else's zone no record is ours.

    What this installation made itself stays its own, such as an orphan's records.
    """
    installation = desired.mark.installation
    if desired.mark.same_owner(zone.mark(installation)):
        return zone
    if zone.note is not None and zone.note.mark.installation == installation:
        return zone
    return replace(zone, kept=Kept(zone.kept.state, adopted=True))


def _answering(zone: Zone) -> list[str]:
    """Return the keys of our records that can be disabled one by one."""
    return [key for key in zone.kept.records if key in zone.records and key not in zone.apex]


def _made_texts(zone: Zone, key: str) -> RecordSet:
    made = {canonical("TXT", content) for content in zone.kept.records[key]}
    there = zone.records[key]
    return RecordSet(
        there.ttl,
        tuple(
            content
            for content in there.contents
            if canonical("TXT", content.removesuffix(DISABLED)) in made
        ),
    )


def _holds(found: RecordSet | None, ours: RecordSet, kind: str) -> bool:
    if found is None:
        return False
    there = {canonical(kind, content) for content in found.contents}
    return {canonical(kind, content) for content in ours.contents} <= there


def _bare(records: RecordSet) -> list[str]:
    return [content.removesuffix(DISABLED) for content in records.contents]
