"""Finding a connector by its type and opening it: entry points, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from mission_control_tui.model.errors import MissionControlError, NotFound, UsageError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.provisioning.connectors.base import Connector, ConnectorFactory

GROUP = "mission_control_tui.connectors"
BUILT_IN: Mapping[str, str] = {
    "postgresql": "mission_control_tui.provisioning.connectors.postgresql:create",
    "simulator": "mission_control_tui.provisioning.connectors.simulator:create",
}
"""What the distribution's own entry points say, for running from a checkout without metadata."""

_SHOWN = 300


class UnknownConnector(NotFound):
    """Raised where no installed package offers a connector of this type."""

    code = "unknown-connector"
    title = "No such connector"


class ConnectorUnavailable(MissionControlError):
    """Raised where the connector is known but cannot be imported."""

    code = "connector-unavailable"
    title = "The connector cannot be loaded"


def known() -> tuple[str, ...]:
    """Return the types of all connectors that are installed, sorted; imports none of them."""
    return tuple(sorted(_offered()))


async def load(name: str, settings: Mapping[str, object], installation: str) -> Connector:
    """Open the connector `name` as its table `settings` says; `type` defaults to `name`.

    `installation` is what objects at the back end are marked with. Nothing is connected to yet.
    Raises UnknownConnector, ConnectorUnavailable, or InvalidInput with every problem of the table.
    """
    kind = settings.get("type", name)
    if not isinstance(kind, str):
        raise UsageError(
            f"connectors.{name}.type must be a text", hint="Known: " + ", ".join(known())
        )
    factory = _factory(name, kind)
    return await factory(name, settings, installation)


def _factory(name: str, kind: str) -> ConnectorFactory:
    offered = _offered()
    if kind not in offered:
        raise UnknownConnector(
            f"Connector {name} has the type {kind!r}, which no installed package offers",
            hint="Known types: " + ", ".join(sorted(offered)),
        )
    point = offered[kind]
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        raise ConnectorUnavailable(
            f"Connector {name} ({kind}) cannot be imported: {harmless(str(error))[:_SHOWN]}",
            hint=_remedy(point),
        ) from error
    if not callable(loaded):
        raise ConnectorUnavailable(
            f"Connector {name} ({kind}) is not a function: {point.value}",
            hint=f"Entry points of {GROUP} must name one.",
        )
    return cast(ConnectorFactory, loaded)


def _remedy(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "mission-control-tui"
    extras = ",".join(point.extras)
    wanted = f"{package}[{extras}]" if extras else package
    return f'Install it with what it needs: pip install --upgrade "{wanted}"'


def _offered() -> dict[str, EntryPoint]:
    offered = {point.name: point for point in entry_points(group=GROUP)}
    # A package of somebody else may add types, and must not take over ours unseen.
    return offered | {kind: EntryPoint(kind, target, GROUP) for kind, target in BUILT_IN.items()}
