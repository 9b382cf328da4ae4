"""Whether a domain name is free: asked of the connector that the settings name as the registrar."""

from __future__ import annotations

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.model.domains.registrar import RegistrarAnswer, not_asked
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.provisioning import registry
from mission_control_tui.settings.settings import Settings

PATIENCE = 10.0
"""Seconds that somebody who buys waits for the registrar's answer, where its table states no `timeout`."""


async def ask_registrar(settings: Settings, installation: str, name: str) -> RegistrarAnswer:
    """Ask whether a name is free. What cannot be asked, or is not known there, is not known here."""
    by = settings.registrar
    if not by:
        return not_asked(name)
    try:
        connector = await registry.load_set_up(by, settings, installation, patience=PATIENCE)
    except MissionControlError as error:
        return RegistrarAnswer(name, None, error.what_in_a_line.rstrip("."))
    try:
        free, said = await connector.available(name)
    except ConnectorError as error:
        return RegistrarAnswer(name, None, f"{by} says: {error.said}".rstrip("."))
    finally:
        await connector.aclose()
    if free is None:
        return RegistrarAnswer(name, None, f"{by} says: {said}" if said else f"{by} cannot tell")
    return RegistrarAnswer(name, free, f"{by} ({said})" if said else by)
