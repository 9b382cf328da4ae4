"""A look at connectors through their guards: whether each is reached, what it says, what it does not keep."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mission_control_tui.connect.declaration import PASSWORD, Declaration
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.services.kept_settings import keep_declaration
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.kept import not_kept
from mission_control_tui.settings.followed import not_used
from mission_control_tui.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class ConnectorHealth:
    """What a check found: `said` is all of it for people, with `remedy` where something is to be done."""

    name: str
    reached: bool
    said: str
    remedy: str = ""
    version: str = ""
    detail: str = ""
    warnings: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    declares: Declaration | None = None
    """What the connector says of itself; None where it could not be opened."""


async def check_connectors(
    served: Mapping[str, Sequence[Service]], settings: Settings, installation: str, patience: float
) -> tuple[ConnectorHealth, ...]:
    """Check the connectors of `served` at the same time; each may take `patience` seconds."""
    return tuple(
        await asyncio.gather(
            *(
                _check(name, services, settings, installation, patience)
                for name, services in served.items()
            )
        )
    )


async def _check(
    name: str,
    serves: Sequence[Service],
    settings: Settings,
    installation: str,
    patience: float,
) -> ConnectorHealth:
    try:
        connector = await registry.load_set_up(name, settings, installation, patience=patience)
    except MissionControlError as error:
        remedy = error.hint or f"Correct [connectors.{name}]: mission-control docs connectors"
        return ConnectorHealth(name, False, not_used(error.what_in_a_line), remedy)
    try:
        async with asyncio.timeout(patience):
            health = await connector.check()
    except TimeoutError:
        remedy = "See that the back end runs and can be reached from here."
        said = f"no answer within {patience:g} s"
        return ConnectorHealth(name, False, said, remedy, declares=connector.declares)
    except ConnectorError as error:
        return ConnectorHealth(name, False, error.said, error.remedy, declares=connector.declares)
    finally:
        await connector.aclose()
    lost = tuple(words for service in serves for words in not_kept(service, connector))
    if lost:
        said = f"{health.version}: {'; '.join(lost)}"
        remedy = "Take it out of the catalogue, or let another connector serve it."
    elif health.warnings:
        said = f"{health.version}: {'; '.join(health.warnings)}"
        remedy = "Mend it; the connector works meanwhile."
    else:
        said = f"{health.version}, {health.detail}" if health.detail else health.version
        remedy = ""
    return ConnectorHealth(
        *(name, True, said, remedy, health.version, health.detail, health.warnings, lost),
        declares=connector.declares,
    )


async def keep_declarations(store: Store, found: Sequence[ConnectorHealth]) -> None:
    """Store what the connectors of a check declare: screens and plans say by that what is not kept."""
    for health in found:
        if health.declares is not None:
            sets = PASSWORD in health.declares.capabilities
            await keep_declaration(store, health.name, health.declares.options, password=sets)
