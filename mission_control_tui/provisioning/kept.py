"""What a catalogue offers that a connector does not keep: such an option or limit would turn green and mean nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mission_control_tui.connect.declaration import (
    LEVELS,
    MEMBERS,
    PASSWORD,
    SUSPEND,
    Declaration,
)
from mission_control_tui.model.catalogue.types import Level, Service
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.services.kept_settings import not_kept as options_not_kept
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.settings.served import served_by_connector
from mission_control_tui.settings.settings import Settings


async def not_kept_by_any(services: Iterable[Service], settings: Settings) -> list[str]:
    """Return, for people, what the services offer that the connectors which serve them do not keep.

    Connectors are opened, and no back end is asked. One that cannot be opened is told as well.
    """
    found: list[str] = []
    for name, served in served_by_connector(services, settings).items():
        if not served:
            continue
        try:
            connector = await registry.load_set_up(name, settings)
        except MissionControlError as error:
            found.append(f"Connector {name} was not looked at: {error.in_a_line}")
            continue
        try:
            found += [words for service in served for words in not_kept(service, connector)]
        finally:
            await connector.aclose()
    return found


def not_kept(service: Service, connector: Guarded) -> list[str]:
    """Return, for people, what a service offers that its connector does not keep."""
    overrides = connector.context.settings.get("levels")
    return [
        f"{service.name}: {words}"
        for words in _gaps(
            service,
            connector.declares,
            f"connector {connector.name}",
            overrides if isinstance(overrides, Mapping) else {},
        )
    ]


def _gaps(
    service: Service, declares: Declaration, by: str, overrides: Mapping[str, object]
) -> Iterator[str]:
    if service.subject not in declares.subjects:
        yield f"{by} serves no {service.subject}"
    if service.gets_password and PASSWORD not in declares.capabilities:
        yield f"{by} sets no password"
    if service.sign_in and declares.needs_password:
        yield f"{by} cannot do without a password, and users are to sign in with their directory account"
    elif service.sign_in and PASSWORD in declares.capabilities:
        yield f"{by} keeps passwords itself, and users are to sign in with their directory account"
    if SUSPEND not in declares.capabilities:
        days = service.retention_days
        kept = f" what is kept for {days} days (retention_days)" if days else ""
        yield f"{by} cannot suspend{kept}"
    if LEVELS not in declares.capabilities and len(service.levels) > 1:
        yield f"{by} cannot change the level of what exists"
    if service.roles and MEMBERS not in declares.capabilities:
        yield f"{by} keeps no members"
    if declares.options is not None:
        settings = {
            option.id for level in service.levels for option in service.options_for(level.id)
        }
        offered = [option.id for option in service.options if option.id in settings]
        lost = options_not_kept(offered, declares.options)
        if lost:
            yield f"{by} does not keep {_listed('option', lost)}"
    for level in service.levels:
        if declares.levels is not None and level.id not in declares.levels:
            yield f"{by} does not know the level {level.id}"
        own = overrides.get(level.id)
        yield from _limit_gaps(level, declares, by, own if isinstance(own, Mapping) else {})


def _limit_gaps(
    level: Level, declares: Declaration, by: str, own: Mapping[str, object]
) -> Iterator[str]:
    if declares.limits is None:
        return
    lost = [key for key in level.limits if key not in declares.limits]
    if lost:
        yield f"{by} does not keep {_listed('limit', lost)} of level {level.id}"
    granted = {**level.limits, **own}
    for key, limit in declares.limits.items():
        value = granted.get(key)
        if value is None and limit.needed:
            yield f"level {level.id} has no limit {key}, which {by} needs"
        elif value is not None and not limit.takes(value):
            yield f"{by} cannot keep {key} = {value} of level {level.id}"


def _listed(word: str, names: list[str]) -> str:
    return f"the {word}{'s' * (len(names) > 1)} {', '.join(names)}"
