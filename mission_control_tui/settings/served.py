"""Which services each connector serves, and what it is a part of, as settings and catalogue say together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        for name in settings.serving(service.id, service.connector):
            found.setdefault(name, []).append(service)
    return found


def holders_of(name: str, settings: Settings) -> tuple[str, ...]:
    """Return the composites that the connector is a part of, sorted."""
    composites = (each for each in settings.connectors if name in settings.parts_of(each).values())
    return tuple(sorted(composites))


def placed_words(settings: Settings, connector: str, services: int) -> Iterator[str]:
    """Yield how each service is shared out that a connector serves with others; `services` are there already."""
    for service, stated in settings.placement.items():
        if connector not in stated.connectors:
            continue
        words = f"{service}: {stated.rule} of {', '.join(stated.connectors)}"
        most = stated.most.get(connector)
        if connector in stated.closed:
            words += "; closed: it takes nothing new"
        elif most is not None:
            words += f"; {services} of at most {most}"
        yield words
