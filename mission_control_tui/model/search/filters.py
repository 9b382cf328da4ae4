"""What of the lights is looked at: words like `red`, `popx`, `disabled` and `drift`, and the rest as text to find.

All conditions hold together; those on services hold for one and the same service of a user, so that `red popx` are
the red ones of that level. Several lights, and several services or levels, are alternatives. A word in double quotes
is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from mission_control_tui.model.catalogue.lookup import find
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.people.address_syntax import domain_key
from mission_control_tui.model.states import Light, SubjectKind
from mission_control_tui.model.text.folding import fold

_WORDS = re.compile(r'"([^"]*)"?|(\S+)')
_LEAST = 3
"""Letters of a level's or a service's name; shorter ones are more often the beginning of a person's."""

_LIGHTS = {str(light): light for light in Light}
_Meaning = tuple[str, str]
"""A service and one of its levels; an empty level is the whole service."""


class UserOrder(StrEnum):
    """How users are put in order: by name, or those first whose red or orange is the oldest, or the newest."""

    NAME = "name"
    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users are looked at: in lists, in Lights, and whom a bulk is for.

    `services` and (service, level) in `levels` are by id, or by name until they are `resolved`; without either, any. A
    level without a service is one of this id of any service.
    """

    text: str = ""
    lights: frozenset[Light] = frozenset()
    services: frozenset[str] = frozenset()
    levels: frozenset[tuple[str, str]] = frozenset()
    disabled: bool | None = None
    drift: bool = False
    in_bin: bool = False
    """Whether the recycling bin is looked through instead."""
    domain: str = ""
    """What follows the "@" of their UPNs."""

    @property
    def is_all(self) -> bool:
        """Whether it leaves nobody out."""
        return self == ALL

    @property
    def of_services(self) -> bool:
        """Whether it asks for something of a user's services."""
        return bool(self.lights or self.services or self.levels or self.drift)

    def resolved(self, catalogue: Catalogue) -> UserFilter:
        """Return the same with services and levels by their ids, the domain in its stored form.

        Raises NotFound, and InvalidInput for what is no domain name.
        """
        services = frozenset(catalogue.service(name).id for name in self.services)
        levels: set[_Meaning] = set()
        for name, level in self.levels:
            if name:
                service = catalogue.service(name)
                levels.add((service.id, service.level(level).id))
            else:
                levels.update(_of_any(catalogue, level))
        domain = domain_key(self.domain) if self.domain else ""
        return replace(self, services=services, levels=frozenset(levels), domain=domain)


def _of_any(catalogue: Catalogue, key: str) -> set[_Meaning]:
    """Return the levels of this id or name of any service that users have. Raises NotFound."""
    services = [service for service in catalogue.services if service.subject is SubjectKind.USER]
    level = find([level for service in services for level in service.levels], key, "level")
    return {
        (service.id, same.id)
        for service in services
        for same in service.levels
        if level.id == same.id
    }


ALL = UserFilter()


def parse_filter(typed: str, catalogue: Catalogue) -> UserFilter:
    """Return what was typed as a filter. Nothing is wrong: whatever is no known word is text to find."""
    lights: set[Light] = set()
    meant: set[_Meaning] = set()
    disabled: bool | None = None
    drift = False
    text: list[str] = []
    known = _names(catalogue)
    typed = _long_names(typed, known, meant)
    for quoted, word in _WORDS.findall(typed):
        folded = fold(word).strip(",;")
        if folded in _LIGHTS:
            lights.add(_LIGHTS[folded])
        elif folded in ("disabled", "enabled"):
            disabled = folded == "disabled"
        elif folded == "drift":
            drift = True
        elif folded in known:
            meant.update(known[folded])
        else:
            text.append(quoted or word)
    services = frozenset(service for service, level in meant if not level)
    levels = frozenset(named for named in meant if named[1])
    return UserFilter(" ".join(text), frozenset(lights), services, levels, disabled, drift)


def _names(catalogue: Catalogue) -> dict[str, list[_Meaning]]:
    """Return how services and levels can be called -> which they are."""
    names: dict[str, list[_Meaning]] = {}
    for service in catalogue.services:
        if service.subject is not SubjectKind.USER:
            continue
        for name in {fold(service.id), fold(service.name)}:
            names.setdefault(name, []).append((service.id, ""))
        for level in service.levels:
            inside = re.findall(r"\(([^()]+)\)", level.name)
            for name in {fold(called) for called in (level.id, level.name, *inside)}:
                names.setdefault(name, []).append((service.id, level.id))
    return {name: meant for name, meant in names.items() if len(name) >= _LEAST}


def _long_names(typed: str, known: dict[str, list[_Meaning]], meant: set[_Meaning]) -> str:
    """Return `typed` without the names of several words that it has, which are `meant`, the longest first."""
    if '"' in typed:
        return typed
    rest = f" {fold(typed)} "
    found = False
    for name in sorted((words for words in known if " " in words), key=len, reverse=True):
        if f" {name} " in rest:
            rest = rest.replace(f" {name} ", " ")
            meant.update(known[name])
            found = True
    return rest if found else typed
