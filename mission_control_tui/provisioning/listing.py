"""What back ends list, as services are looked for in it: of a composite the objects of all its parts, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mission_control_tui.connect.declaration import LIST, LIST_UNMARKED
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.protocol import Listed
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.requests.drift import known_keys
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.composite import Composite, CompositePart, ids_text
from mission_control_tui.provisioning.guard import Guarded

WHOLE = ""
"""The name of the only part of a connector that is no composite."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object of one service: at a composite one of each of its `parts`, but for those that are `missing`.

    `known` are the keys of marks among them that services here have, or wish for, at whichever connector.
    """

    name: str
    parts: Mapping[str, Listed]
    missing: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()

    @property
    def first(self) -> Listed:
        """What the first part says of it that has it."""
        return next(iter(self.parts.values()))

    @property
    def external_id(self) -> str:
        """The back end's own id, as the connector takes it."""
        if WHOLE in self.parts:
            return self.first.external_id
        return ids_text({part: row.external_id for part, row in self.parts.items()})


async def found_at(
    store: Store, backends: Backends, backend: Guarded, services: Sequence[Service]
) -> tuple[dict[str, list[FoundObject]], int]:
    """Return the objects of each service at a connector, and how many are of others.

    Raises ConnectorError, and UsageError where a back end lists nothing, or does not say which service an object is of.
    """
    parts = dict(_parts(backend))
    lists = await asyncio.gather(*(_listed(name, part) for name, part in parts.items()))
    by_part: dict[str, dict[str, list[Listed]]] = {}
    known: set[str] = set()
    others = 0
    for (name, part), listed in zip(parts.items(), lists, strict=True):
        by_part[name], strange = _by_service(listed, services)
        others = max(others, strange)
        known |= await _known(store, backends, part.name, listed)
    found = {
        service.id: list(_joined({part: rows[service.id] for part, rows in by_part.items()}, known))
        for service in services
    }
    return found, others


def _parts(backend: Guarded) -> Iterator[tuple[str, Guarded]]:
    if not isinstance(backend.connector, Composite):
        yield WHOLE, backend
        return
    for part in backend.connector.parts:
        yield part.name, part.backend


async def _listed(name: str, backend: Guarded) -> list[Listed]:
    can = backend.declares.capabilities
    if LIST not in can:
        raise UsageError(
            f"Connector {backend.name} lists nothing: what exists there cannot be found.",
            hint="Take over one by one, by name: mission-control provision USER SERVICE --adopt",
        )
    try:
        return [row async for row in backend.list(marked_only=LIST_UNMARKED not in can)]
    except ConnectorError as error:
        raise (CompositePart(name, backend).error(error) if name else error) from error


async def _known(
    store: Store, backends: Backends, connector: str, listed: Sequence[Listed]
) -> set[str]:
    found: set[str] = set()
    keys = sorted({row.mark.key for row in listed if row.mark is not None})
    async with store.read() as session:
        for some in batches(keys):
            found |= await known_keys(session, backends.holders(connector), some, backends.names)
    return found


def _by_service(
    listed: Sequence[Listed], services: Sequence[Service]
) -> tuple[dict[str, list[Listed]], int]:
    """Return the objects of each service, and how many are of others."""
    found: dict[str, list[Listed]] = {service.id: [] for service in services}
    others = 0
    for row in listed:
        if row.service and row.service not in found:
            others += 1
        elif row.service:
            found[row.service].append(row)
        elif len(services) == 1:
            found[services[0].id].append(row)
        else:
            raise UsageError(
                "The back end does not say which service an object is of.",
                hint=f"Name it: --service, one of {', '.join(found)}.",
            )
    return found, others


def _joined(by_part: Mapping[str, Sequence[Listed]], known: set[str]) -> Iterator[FoundObject]:
    """Yield the objects of one service: what several parts have by one name is one."""
    there: dict[str, dict[str, Listed]] = {}
    for part, listed in by_part.items():
        for row in listed:
            there.setdefault(row.name, {})[part] = row
    for name, rows in there.items():
        keys = {row.mark.key for row in rows.values() if row.mark is not None}
        missing = tuple(part for part in by_part if part not in rows)
        yield FoundObject(name, rows, missing, frozenset(keys & known))
