"""What a connector is, as its settings and its own declaration say it; its back end is not asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mission_control_tui.connect.declaration import Declaration
from mission_control_tui.connect.settings_reader import (
    COMMON_KEYS,
    ENABLED,
    MODES,
    OBSERVE,
    SECRET_FORMS,
)
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.text.differences import value_text
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.kept import not_kept
from mission_control_tui.provisioning.redaction import SECRET_NAME
from mission_control_tui.settings.followed import not_used
from mission_control_tui.settings.served import holders_of
from mission_control_tui.settings.settings import Settings

_REFERENCES = tuple(f"_{form}" for form in SECRET_FORMS if form != "file")
_SECRET_INSIDE = re.compile(
    rf"(?:{SECRET_NAME.pattern})\w*\s*[=:]|://\S*[@?]", re.IGNORECASE
)  # a connection string, a URL with a user or a query


@dataclass(frozen=True, slots=True)
class ConnectorDescription:
    """A connector as it is set up. `mode` is "" and `declares` None where it cannot be loaded, as `problem` says.

    `part_of` are the composites that it is a part of. `settings` has each key of its table with its value, None where
    that is not shown: of a secret, of what might be one, and of everything but the common keys where the connector
    itself did not accept its table.
    """

    name: str
    type: str
    serves: tuple[Service, ...]
    mode: str
    settings: Mapping[str, str | None] = field(default_factory=dict)
    declares: Declaration | None = None
    not_kept: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""
    part_of: tuple[str, ...] = ()


async def describe_connectors(
    served: Mapping[str, Sequence[Service]], settings: Settings
) -> tuple[ConnectorDescription, ...]:
    """Describe the connectors of `served`, which are loaded at the same time, each behind its guard."""
    return tuple(
        await asyncio.gather(
            *(_describe(name, services, settings) for name, services in served.items())
        )
    )


async def _describe(
    name: str, serves: Sequence[Service], settings: Settings
) -> ConnectorDescription:
    table = settings.connectors.get(name, {})
    try:
        connector = await registry.load_set_up(name, settings)
    except MissionControlError as error:
        given = str(table.get("mode", ""))
        return ConnectorDescription(
            name,
            str(table.get("type", name)),
            tuple(serves),
            given if given in MODES else "",
            dict(_shown(table, frozenset(), accepted=False)),
            problem=not_used(error.what_in_a_line),
            remedy=error.hint,
            part_of=holders_of(name, settings),
        )
    try:
        secrets = frozenset(
            secret.setting.removeprefix(f"connectors.{name}.")
            for secret in connector.context.secrets
        )
        return ConnectorDescription(
            name,
            connector.kind,
            tuple(serves),
            OBSERVE if connector.observe_setting else ENABLED,
            dict(_shown(table, secrets, accepted=True)),
            connector.declares,
            tuple(words for service in serves for words in not_kept(service, connector)),
            part_of=holders_of(name, settings),
        )
    finally:
        await connector.aclose()


def _shown(
    table: Mapping[str, object], secrets: frozenset[str], *, accepted: bool, where: str = ""
) -> Iterator[tuple[str, str | None]]:
    """Yield the dotted keys of a table and of those in it, in order, each with what is shown of its value."""
    for key, value in sorted(table.items()):
        dotted = f"{where}{key}"
        if isinstance(value, Mapping):
            yield from _shown(value, secrets, accepted=accepted, where=f"{dotted}.")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            numbered = {str(number): item for number, item in enumerate(value, 1)}
            yield from _shown(numbered, secrets, accepted=accepted, where=f"{dotted}.")
        else:
            told = dotted in COMMON_KEYS or (accepted and dotted not in secrets)
            yield dotted, _told(dotted, value_text(value)) if told else None


def _told(dotted: str, text: str) -> str | None:
    """Return a value as it may be shown, None where it or a part of it might be a secret."""
    if SECRET_NAME.search(dotted) or dotted.endswith(_REFERENCES) or _SECRET_INSIDE.search(text):
        return None
    return text
