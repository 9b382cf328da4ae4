"""Looking for drift: every green service is observed and planned as a request would, and nothing is written there."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mission_control_tui.connect.declaration import LIST
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import (
    Change,
    ChangePlan,
    DesiredState,
    ObservedState,
)
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.requests.drift import (
    DriftLook,
    GreenAssignment,
    green_pages,
    known_at,
    mark_drift,
)
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import (
    PAUSING_KINDS,
    REFUSING_KINDS,
    RETRIED_KINDS,
    PlanAction,
    Wish,
)
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.desired_state import measured, state_of

NO_FENCE = 2**31 - 1
"""An attempt that no real one reaches: a look is never older than what it finds."""
HEALING_KINDS = RETRIED_KINDS | PAUSING_KINDS - REFUSING_KINDS
AGAIN_SECONDS = 0.5
"""An error that can heal is tried once more after so long; then the connector counts as not reached."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A service that differs: `changes` go from what the back end has to what is wished.

    `reason` stands instead of them where the object cannot be compared, such as one of somebody else.
    """

    assignment: GreenAssignment
    changes: tuple[Change, ...]
    reason: str = ""
    remedy: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words for what differs, for the audit."""
        return tuple(change.what for change in self.changes) or (self.reason,)


@dataclass(frozen=True, slots=True)
class SurveyGap:
    """The number of a connector's services that could not be looked at; 0: only its orphans could not be listed."""

    connector: str
    services: int
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that carries this installation's mark and belongs to no service that is wished for or there."""

    connector: str
    name: str
    assignment_id: str
    state: Wish
    level: str
    service: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The result of a survey. `looked`: services that were looked at; `found`, `gone`: flags set and taken away."""

    looked: int
    differing: tuple[Difference, ...]
    not_looked_at: tuple[SurveyGap, ...]
    orphans: tuple[Orphan, ...]
    found: int
    gone: int


async def survey(
    scope: AccountScope,
    backends: Backends,
    *,
    user: str | SubjectKey | None = None,
    service: str | None = None,
    orphans: bool = False,
    dry_run: bool = False,
) -> DriftReport:
    """Look at every green service of the account, of one subject or of one service, and set or clear the drift flags.

    A text names a user.
    At most as many looks at a time, and as fast, as each connector's settings allow. What cannot be looked at keeps its
    flag. With `orphans` every connector that the settings name is listed. Raises NotFound.
    """
    looking = _Survey(backends)
    looked = found = gone = 0
    async for page in green_pages(scope, user=user, service=service):
        seen = await looking.page(page)
        looked += len(seen)
        flagged = (await mark_drift(scope, seen, dry_run=dry_run)).result
        found, gone = found + flagged.found, gone + flagged.gone
    strays: list[Orphan] = []
    if orphans:
        for name in backends.names:
            strays += await looking.orphans(scope.store, scope.caller, name)
    differing = sorted(
        looking.differing,
        key=lambda difference: (difference.assignment.subject, difference.assignment.service_id),
    )
    missed = tuple(
        SurveyGap(connector, count, said, remedy)
        for (connector, said, remedy), count in sorted(looking.missed.items())
    )
    return DriftReport(looked, tuple(differing), missed, tuple(strays), found, gone)


async def orphans_at(
    store: Store, caller: Caller, backends: Backends, connector: str
) -> tuple[tuple[Orphan, ...], SurveyGap | None]:
    """Return the orphans at one connector, and why they could not be listed where that is so. Raises Denied."""
    looking = _Survey(backends)
    found = await looking.orphans(store, caller, connector)
    gaps = [SurveyGap(name, 0, said, remedy) for name, said, remedy in looking.missed]
    return tuple(found), next(iter(gaps), None)


@dataclass
class _Survey:
    backends: Backends
    differing: list[Difference] = field(default_factory=list)
    missed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _closed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    _gates: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    async def page(self, page: Sequence[GreenAssignment]) -> list[DriftLook]:
        """Look at these; returns those that could be looked at."""
        for name in {service.connector for service in page} - self._closed.keys():
            await self._reach(name)
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._look(service)) for service in page]
        return [seen for look in looks if (seen := look.result()) is not None]

    async def orphans(self, store: Store, caller: Caller, name: str) -> list[Orphan]:
        """Return the connector's objects with our mark that no assignment knows."""
        if name not in self._closed:
            await self._reach(name)
        if name in self._closed:
            self.missed[self._closed[name]] += 0
            return []
        backend = await self.backends.get(name)
        if LIST not in backend.declares.capabilities:
            return []
        try:
            listed = [(row, row.mark.key) async for row in backend.list() if row.mark is not None]
        except ConnectorError as error:
            self.missed[self._close(name, error)] += 0
            return []
        known: set[str] = set()
        for batch in batches(listed):
            known |= await known_at(
                *(store, caller, self.backends.holders(name), {key for _, key in batch}),
                settled=self.backends.names,
            )
        return [
            Orphan(
                *(name, row.name, key, row.state or Wish.PRESENT, row.level),
                *(row.service, row.external_id),
            )
            for row, key in listed
            if key not in known
        ]

    async def _reach(self, name: str) -> None:
        """Open the connector and log in once, so that what is not there is not asked for each service."""
        self._gates[name] = asyncio.Semaphore(self.backends.rates(name).concurrency)
        try:
            backend = await self.backends.get(name)
            await backend.check()
        except ConnectorError as error:
            self._close(name, error)
        except MissionControlError as error:
            problems = "; ".join(str(problem) for problem in error.problems)
            self._closed[name] = (name, f"{error.what} {problems}".strip(), error.hint)

    def _close(self, name: str, error: ConnectorError) -> tuple[str, str, str]:
        self._closed[name] = (name, error.said, error.remedy)
        return self._closed[name]

    async def _look(self, assignment: GreenAssignment) -> DriftLook | None:
        name = assignment.connector
        async with self._gates[name]:
            if name not in self._closed:
                try:
                    return self._judge(assignment, *await self._observe(assignment))
                except ConnectorError as error:
                    if error.kind not in PAUSING_KINDS | RETRIED_KINDS:
                        self.missed[name, error.said, error.remedy] += 1
                        return None
                    self._close(name, error)
            self.missed[self._closed[name]] += 1
            return None

    async def _observe(self, assignment: GreenAssignment) -> tuple[ObservedState, ChangePlan]:
        backend = await self.backends.get(assignment.connector)
        desired = self._desired(assignment)
        try:
            return await backend.look(desired)
        except ConnectorError as error:
            if error.kind not in HEALING_KINDS:
                raise
        await asyncio.sleep(AGAIN_SECONDS)
        return await backend.look(desired)

    def _desired(self, assignment: GreenAssignment) -> DesiredState:
        mark = Mark(
            self.backends.installation,
            assignment.key,
            assignment.generation,
            NO_FENCE,
            assignment.epoch,
        )
        return state_of(assignment, assignment.wished, mark)

    def _judge(
        self, assignment: GreenAssignment, observed: ObservedState, plan: ChangePlan
    ) -> DriftLook:
        difference = _difference(assignment, self._desired(assignment).state, observed, plan)
        if difference is not None:
            self.differing.append(difference)
        differs = difference.words if difference is not None else ()
        return DriftLook(
            assignment.assignment_id, assignment.generation, differs, measured(observed)
        )


def _difference(
    assignment: GreenAssignment, state: Wish, observed: ObservedState, plan: ChangePlan
) -> Difference | None:
    if not observed.exists:
        return Difference(assignment, (Change("state", str(Wish.ABSENT), str(state)),))
    if plan.action is PlanAction.BLOCKED and not plan.observe_only:
        return Difference(assignment, (), plan.reason, plan.remedy)
    # A cancelled wish has used up a generation that the back end never saw.
    changes = tuple(change for change in plan.changes if change.what != "generation")
    return Difference(assignment, changes) if changes else None
