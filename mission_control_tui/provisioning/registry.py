"""Finding a connector by its type and opening it behind its guard: entry points, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from mission_control_tui.connect.context import Context, no_pace
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.protocol import Connector, ConnectorFactory
from mission_control_tui.connect.settings_reader import DEFAULT_TIMEOUT, call_timeout
from mission_control_tui.model.errors import MissionControlError, NotFound, UsageError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.provisioning.composite import (
    Composite,
    CompositePart,
    OpenPart,
    part_names,
)
from mission_control_tui.provisioning.connector_thread import ConnectorThread, Escaped, TimeOver
from mission_control_tui.provisioning.guard import Guarded, declared
from mission_control_tui.provisioning.redaction import without_secrets
from mission_control_tui.settings.settings import COMPOSITE, Settings

GROUP = "mission_control_tui.connectors"
BUILT_IN: Mapping[str, str] = {
    "ad": "mission_control_tui.provisioning.connectors.ad:create [ad]",
    "exec": "mission_control_tui.provisioning.connectors.exec:create",
    "mail-sql": "mission_control_tui.provisioning.connectors.mail_sql:create",
    "mysql": "mission_control_tui.provisioning.connectors.mysql:create [mysql]",
    "postgresql": "mission_control_tui.provisioning.connectors.postgresql:create",
    "powerdns": "mission_control_tui.provisioning.connectors.powerdns:create",
    "simulator": "mission_control_tui.provisioning.connectors.simulator:create",
    "webhook": "mission_control_tui.provisioning.connectors.webhook:create",
}
"""What the distribution's own entry points say, for running from a checkout without metadata."""

_SHOWN = 300


class UnknownConnector(NotFound):
    """Raised where no installed package offers a connector of this type."""

    code = "unknown-connector"
    title = "No such connector"


class ConnectorUnavailable(MissionControlError):
    """Raised where the connector is known but cannot be imported or opened."""

    code = "connector-unavailable"
    title = "The connector cannot be loaded"


def known() -> tuple[str, ...]:
    """Return the types of all connectors that are installed, sorted; imports none of them."""
    return tuple(sorted({*_offered(), COMPOSITE}))


async def load(
    name: str,
    settings: Mapping[str, object],
    installation: str,
    pace: Callable[[], Awaitable[None]] = no_pace,
) -> Guarded:
    """Open the connector `name` as its table `settings` says; `type` defaults to `name`. A composite has its own call.

    `installation` is what objects at the back end are marked with. Nothing is connected to yet.
    Raises UnknownConnector, ConnectorUnavailable, or InvalidInput with every problem of the table.
    """
    kind = settings.get("type", name)
    if not isinstance(kind, str):
        raise UsageError(
            f"connectors.{name}.type must be a text", hint="Known: " + ", ".join(known())
        )
    point = _point(name, kind)
    seconds = call_timeout(name, settings)
    context = Context(name, settings, installation, pace)
    return await opened(context, kind, lambda: _factory(name, kind, point), seconds)


async def load_composite(
    name: str, settings: Settings, installation: str, open_part: OpenPart, *, owns: bool = False
) -> Guarded:
    """Open the composite `name` of the settings, whose parts `open_part` opens; with `owns` they are closed with it.

    Raises InvalidInput with every problem of the table, UsageError for a part that cannot be one, and what
    `open_part` raises.
    """
    context = Context(name, settings.connectors.get(name, {}), installation)
    wanted = part_names(context)
    for part, connector in wanted.items():
        if settings.connector(connector).type == COMPOSITE:
            raise UsageError(
                f"connectors.{name}.parts.{part}.connector cannot be a composite",
                hint="Name the connectors that it is made of.",
            )
    async with AsyncExitStack() as opening:
        parts: list[CompositePart] = []
        for part, connector in wanted.items():
            backend = await open_part(connector)
            parts.append(CompositePart(part, backend))
            if owns:
                opening.push_async_callback(backend.aclose)
        composite = Composite(parts, owns=owns)

        async def create(_: Context) -> Connector:
            return composite

        guarded = await opened(context, COMPOSITE, lambda: create)
        opening.pop_all()
    return replace(guarded, call_seconds=composite.call_seconds)


async def load_set_up(
    name: str, settings: Settings, installation: str = "", *, patience: float = DEFAULT_TIMEOUT
) -> Guarded:
    """Open the connector `name` of the settings; its calls may take `patience` seconds where its table does not say.

    Raises as `load` does, and UsageError where the settings have no such connector.
    """
    settings.connector(name)
    if is_composite(name, settings):
        open_part = partial(_load_part, settings, installation, patience)
        return await load_composite(name, settings, installation, open_part, owns=True)
    return await _load_part(settings, installation, patience, name)


def is_composite(name: str, settings: Settings) -> bool:
    """Return True when the settings make the connector of others."""
    return bool(settings.connectors.get(name, {}).get("type", name) == COMPOSITE)


async def _load_part(settings: Settings, installation: str, patience: float, name: str) -> Guarded:
    table = settings.connectors.get(name, {})
    return await load(name, {"timeout": patience, **table}, installation)


async def opened(
    context: Context,
    kind: str,
    factory: Callable[[], ConnectorFactory],
    seconds: float = DEFAULT_TIMEOUT,
) -> Guarded:
    """Return the connector that a factory makes, behind its guard. Raises ConnectorUnavailable, InvalidInput."""
    name = context.name
    thread = ConnectorThread(name, partial(without_secrets, context))

    async def make() -> Connector:
        return await factory()(context)

    try:
        connector = await thread.call(make, seconds)
        declared(connector)
        return Guarded(context, kind, connector, thread, seconds)
    except BaseException as error:
        await thread.close()
        if isinstance(error, MissionControlError):
            raise
        # Its traceback may have secrets in it.
        raise _unavailable(context, kind, error, seconds) from None


def _unavailable(
    context: Context, kind: str, error: BaseException, seconds: float
) -> ConnectorUnavailable | BaseException:
    """Return what it means that a connector could not be opened; an end of our own stays what it is."""
    if isinstance(error, TimeOver):
        why = f"it does not open within {seconds:g} seconds"
    elif isinstance(error, ConnectorError):
        why = error.said
    elif isinstance(error, Escaped):
        why = str(error)
    elif isinstance(error, Exception):
        why = f"{type(error).__name__}: {error}"
    else:
        return error
    name = context.name
    why = harmless(without_secrets(context, why))[:_SHOWN]
    return ConnectorUnavailable(
        f"Connector {name} ({kind}) cannot be opened: {why}",
        hint=without_secrets(context, error.remedy)
        if isinstance(error, ConnectorError) and error.remedy
        else f"Correct connectors.{name} in the settings, or the package that offers {kind}.",
    )


def _point(name: str, kind: str) -> EntryPoint:
    offered = _offered()
    if kind not in offered:
        raise UnknownConnector(
            f"Connector {name} has the type {kind!r}, which no installed package offers",
            hint="Known types: " + ", ".join(sorted(offered)),
        )
    return offered[kind]


def _factory(name: str, kind: str, point: EntryPoint) -> ConnectorFactory:
    """Import what the entry point names, in the connector's own thread."""
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
    return cast("ConnectorFactory", loaded)


def _remedy(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "mission-control-tui"
    extras = ",".join(point.extras)
    wanted = f"{package}[{extras}]" if extras else package
    return f'Install it with what it needs: pip install --upgrade "{wanted}"'


def _offered() -> dict[str, EntryPoint]:
    offered = {point.name: point for point in entry_points(group=GROUP)}
    # A package of somebody else may add types, and must not take over ours unseen.
    return offered | {kind: EntryPoint(kind, target, GROUP) for kind, target in BUILT_IN.items()}
