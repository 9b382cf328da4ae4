"""Which services each connector serves, as settings and catalogue say together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.settings.settings import Settings


def served_by_connector(
    services: Iterable[Service], settings: Settings
) -> dict[str, list[Service]]:
    """Return the services that each connector serves; connectors of the settings that serve nothing are there, too."""
    found: dict[str, list[Service]] = {name: [] for name in settings.connectors}
    for service in services:
        name = settings.services.get(service.id, service.connector)
        found.setdefault(name, []).append(service)
    return found
