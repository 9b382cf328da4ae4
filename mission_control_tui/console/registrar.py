"""How the screens ask a registrar whether a domain name is free."""

from __future__ import annotations

from asyncio import to_thread
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mission_control_tui.model.domains.registrar import AskRegistrar, RegistrarAnswer
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.settings.settings import Settings


def asking(settings: Settings, store: Store) -> AskRegistrar | None:
    """Return what asks the registrar that the settings name; None where they name none."""
    if not settings.registrar:
        return None

    async def ask(name: str) -> RegistrarAnswer:
        # Connectors take long to import, which must not hold up keys.
        await to_thread(import_module, "mission_control_tui.provisioning.availability")
        from mission_control_tui.provisioning.availability import ask_registrar

        return await ask_registrar(settings, store.installation, name)

    return ask
