"""Which services each connector serves, and what it is a part of, as settings and catalogue say together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.settings.settings import Settings


COMPOSITE = "composite"
"""The type of a connector that is made of others."""


def served_by_connector(
    services: Iterable[Service], settings: Settings
) -> dict[str, list[Service]]:
    """Return the services that each connector serves; connectors of the settings that serve nothing are there, too."""
    found: dict[str, list[Service]] = {name: [] for name in settings.connectors}
    for service in services:
        name = settings.services.get(service.id, service.connector)
        found.setdefault(name, []).append(service)
    return found


def parts_in(table: Mapping[str, object]) -> Iterator[str]:
    """Yield the connectors that a settings table names as its parts; none where it is no composite's."""
    parts = table.get("parts")
    if table.get("type") == COMPOSITE and isinstance(parts, Mapping):
        for part in parts.values():
            if isinstance(part, Mapping):
                yield str(part.get("connector", ""))


def holders_of(name: str, settings: Settings) -> tuple[str, ...]:
    """Return the composites that the connector is a part of, sorted."""
    tables = settings.connectors
    return tuple(sorted(each for each in tables if name in parts_in(tables[each])))
