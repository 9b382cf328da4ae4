"""Orphans at a connector: looked at before their removal is asked for, and judged again when it runs.

What is taken over is judged in the same way: no service here may have it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mission_control_tui.connect.declaration import LIST
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import DesiredState, ObservedState
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import current
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import NotAllLookedAt, NotFound, Problem, UsageError
from mission_control_tui.model.requests.attempts import Job
from mission_control_tui.model.requests.drift import known_keys
from mission_control_tui.model.requests.orphans import LostObject, known_by_now, places_of
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.composite import CompositeState
from mission_control_tui.provisioning.drift import NO_FENCE, Orphan, orphans_at
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class SeenOrphan:
    """An orphan and what is there: `keeps` in words, `steps` of its removal. `refused` says why it is not removed."""

    found: LostObject
    state: Wish
    level: str
    keeps: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    refused: str = ""
    remedy: str = ""


async def look_at_orphans(
    store: Store,
    caller: Caller,
    backends: Backends,
    connector: str,
    settings: Settings,
    *,
    names: Collection[str] = (),
    service: str | None = None,
) -> tuple[SeenOrphan, ...]:
    """Return the orphans at a connector, or those of these names, by name.

    `service` is what an object is of where the back end does not say it.
    Raises NotFound, Denied, NotAllLookedAt, and UsageError for a composite or what lists nothing.
    """
    if connector not in backends.names:
        raise NotFound(
            f"There is no connector {connector!r}.", hint=f"There are: {', '.join(backends.names)}."
        )
    if parts := settings.parts_of(connector):
        each = [command_line("adopt", "remove", part, *names) for part in parts.values()]
        raise UsageError(
            f"{connector} is made of parts: the orphans of each are at its own connector.",
            hint=f"Remove them there: {'; '.join(each)}",
        )
    catalogue = (await current(store)).catalogue
    listed, gap = await orphans_at(store, caller, backends, connector)
    if gap is not None:
        raise NotAllLookedAt(
            "The back end cannot be looked at.",
            problems=[Problem(connector, gap.said)],
            hint=gap.remedy or "`mission-control doctor` checks every connector.",
        )
    backend = await backends.get(connector)
    if LIST not in backend.declares.capabilities:
        raise UsageError(f"Connector {connector} lists nothing: orphans there cannot be found.")
    strange = sorted({*names} - {one.name for one in listed})
    if strange:
        raise NotFound(
            f"{connector} has no orphan {strange[0]!r}.",
            hint=f"List them: mission-control adopt scan {connector} --all-accounts",
        )
    holders = backends.holders(connector)
    here = [
        each.id
        for each in catalogue.services
        if holders.intersection(settings.serving(each.id, each.connector))
    ]
    told = catalogue.service(service).id if service is not None else None
    unsaid = told or (here[0] if len(here) == 1 else "")
    chosen = [
        LostObject(
            connector,
            one.service or unsaid,
            one.name,
            one.assignment_id,
            one.external_id,
            holders=tuple(sorted(holders)),
            settled=backends.names,
        )
        for one in listed
        if (not names or one.name in names) and told in (None, one.service or unsaid)
    ]
    if not chosen:
        return ()
    return await _looks(store, backends, backend, chosen, listed)


async def _looks(
    store: Store,
    backends: Backends,
    backend: Guarded,
    chosen: Sequence[LostObject],
    listed: Sequence[Orphan],
) -> tuple[SeenOrphan, ...]:
    rows = {one.name: one for one in listed}
    gate = asyncio.Semaphore(backends.rates(backend.name).concurrency)

    async def look(orphan: LostObject) -> SeenOrphan:
        async with gate:
            return await _look(store, backends, backend, orphan, rows[orphan.name])

    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(look(one)) for one in sorted(chosen, key=lambda one: one.name)]
    return tuple(each.result() for each in looks)


async def _look(
    store: Store, backends: Backends, backend: Guarded, orphan: LostObject, row: Orphan
) -> SeenOrphan:
    installation = backends.installation
    if not orphan.service:
        why = "the back end does not say which service it is of"
        return SeenOrphan(orphan, row.state, row.level, refused=why, remedy="Name it: --service.")
    # As anybody else's object it is told with what it keeps.
    other = Mark(installation, uuid.uuid4().hex, 1, NO_FENCE)
    desired = DesiredState(
        *(other, orphan.service, orphan.name, Wish.ABSENT, ""), external_id=orphan.external_id
    )
    try:
        observed, plan = await backend.look(desired)
        found = observed.mark
        if found is not None and (found.installation, found.key) == (installation, orphan.key):
            orphan = replace(orphan, fence=found.fence)
            if where := await _also_at(store, backends, orphan.connector, found):
                return SeenOrphan(orphan, observed.wish, observed.level, refused=where)
            plan = await backend.plan(replace(desired, mark=found), observed)
    except ConnectorError as error:
        return SeenOrphan(orphan, row.state, row.level, refused=error.said, remedy=error.remedy)
    refused = ""
    if not plan.observe_only and plan.action is not PlanAction.DELETE:
        refused = plan.reason or "it is not there any more"
    return SeenOrphan(
        orphan,
        observed.wish if observed.exists else row.state,
        observed.level or row.level,
        observed.kept,
        tuple(step.name for step in plan.steps),
        refused,
        plan.remedy if refused else "",
    )


async def _also_at(store: Store, backends: Backends, connector: str, mark: Mark) -> str:
    """Return that a service here has the very same object by another connector, "" where none has.

    No two objects have one mark, as each act is at one connector. Raises ConnectorError where that cannot be told.
    """
    async with store.read() as session:
        places = await places_of(session, mark.key)
    for place in places:
        if place.connector == connector or place.connector not in backends.names:
            continue
        desired = DesiredState(
            *(mark, place.service_id, place.backend_name, Wish.ABSENT, ""),
            external_id=place.external_id,
        )
        try:
            observed, _ = await (await backends.get(place.connector)).look(desired)
        except ConnectorError as error:
            raise ConnectorError(
                ErrorKind.TRANSIENT,
                f"Whether connector {place.connector} has the very same object is not known: {error.said}",
                remedy=error.remedy,
            ) from error
        parts = observed.parts.values() if isinstance(observed, CompositeState) else ()
        if any(state.exists and state.mark == mark for state in (observed, *parts)):
            return f"connector {place.connector} has the very same object for a service here"
    return ""


async def require_orphan(
    store: Store, backends: Backends, job: Job, *, first: bool = False
) -> None:
    """Raise ConnectorError (conflict) where a service here knows by now what the job removes as an orphan.

    Where it may be known is judged by the settings as they stand now. Before anything was done, `first`, back ends are
    asked, too, whether a service has the very same object by another connector.
    """
    if job.orphan is None:
        return
    holders = await backends.holders_now(job.connector)
    async with store.read() as session:
        why = await known_by_now(
            *(session, job.service_id, job.backend_name, job.orphan.key),
            *(holders, backends.names),
        )
    if not why and first:
        seen = job.orphan
        mark = Mark(backends.installation, seen.key, seen.generation, seen.attempt, seen.epoch)
        why = await _also_at(store, backends, job.connector, mark)
    if why:
        raise ConnectorError(
            ErrorKind.CONFLICT,
            f"{job.backend_name} is no orphan any more: {why}",
            remedy="Nothing to do. Deprovision that service to remove it.",
        )


def refuse_replaced(job: Job, observed: ObservedState, listed: Mark) -> None:
    """Raise ConnectorError (conflict) where an orphan is not what was listed: its mark is newer, or another's."""
    if job.orphan is None:
        return
    found = observed.mark
    ours = found is not None and found.same_owner(listed)
    if not observed.exists or (ours and not (found and found.is_ahead_of(listed))):
        return
    whose = (
        "its mark is newer" if ours else "it carries another mark" if found else "it has no mark"
    )
    raise ConnectorError(
        ErrorKind.CONFLICT,
        f"{job.backend_name} is not what was listed as an orphan any more, {whose}: it is left alone",
        remedy="List what is there now: mission-control drift --orphans",
    )


async def require_unserved(
    store: Store, backends: Backends, job: Job, observed: ObservedState
) -> None:
    """Raise ConnectorError (conflict) where another service here has what the job takes over, or a part of it."""
    if not job.adopt:
        return
    parts = observed.parts.values() if isinstance(observed, CompositeState) else ()
    marks = [state.mark for state in (observed, *parts) if state.mark is not None]
    keys = {mark.key for mark in marks if mark.installation == backends.installation}
    others = keys - {job.assignment_id}
    if not others:
        return
    places = backends.made_of(job.connector)
    holders = frozenset[str]().union(*[await backends.holders_now(place) for place in places])
    async with store.read() as session:
        if not await known_keys(session, holders, others, backends.names):
            return
    raise ConnectorError(
        ErrorKind.CONFLICT,
        f"{job.backend_name} is another service's here: nothing of it is taken over",
        remedy="Choose another name, or deprovision that service first.",
    )
