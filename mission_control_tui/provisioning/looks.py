"""Looking before anything is wished: back ends are asked what a wish would change, and nothing is written anywhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import DesiredState
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.requests.look_targets import LookTarget
from mission_control_tui.model.requests.planned_changes import (
    ChangeKind,
    PlannedChanges,
    counted,
)
from mission_control_tui.model.states import PAUSING_KINDS, RETRIED_KINDS, PlanAction
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.desired_state import SEALED, state_of, takes_password
from mission_control_tui.provisioning.drift import NO_FENCE, SurveyGap
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.planned import planned_changes


@dataclass(frozen=True, slots=True)
class Seen:
    """What one back end says of one wish: what it would change, or why it would refuse (`reason`, `remedy`)."""

    target: LookTarget
    planned: PlannedChanges
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LookReport:
    """The result of a look: what was seen, by subject and service, and what could not be reached."""

    seen: tuple[Seen, ...]
    not_looked_at: tuple[SurveyGap, ...]

    @property
    def refused(self) -> tuple[Seen, ...]:
        """What the back ends would refuse."""
        return tuple(one for one in self.seen if one.reason)

    @property
    def agreeing(self) -> int:
        """How many are so already."""
        return sum(not one.reason and not one.planned.count for one in self.seen)

    @property
    def counts(self) -> tuple[tuple[ChangeKind, int], ...]:
        """The kinds of changes, each with how many wishes have it."""
        return counted((one.planned.kinds, 1) for one in self.seen if not one.reason)


async def look_at(backends: Backends, targets: Collection[LookTarget]) -> LookReport:
    """Ask the back ends about all of them, as many at a time and as fast as each connector's settings allow.

    Connectors are opened in this process, behind their guards. One that cannot be reached is asked no further.
    """
    looks = _Looks(backends)
    async with asyncio.TaskGroup() as group:
        for name in {target.told.connector for target in targets}:
            own = [target for target in targets if target.told.connector == name]
            group.create_task(looks.of_connector(name, own))
    seen = sorted(looks.seen, key=lambda one: (one.target.told.subject, one.target.told.service_id))
    missed = tuple(
        SurveyGap(connector, count, said, remedy)
        for (connector, said, remedy), count in sorted(looks.missed.items())
    )
    return LookReport(tuple(seen), missed)


@dataclass
class _Looks:
    backends: Backends
    seen: list[Seen] = field(default_factory=list)
    missed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _closed: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    async def of_connector(self, name: str, targets: Collection[LookTarget]) -> None:
        try:
            backend = await self.backends.get(name)
            await backend.check()
        except ConnectorError as error:
            self.missed[name, error.said, error.remedy] += len(targets)
            return
        except MissionControlError as error:
            self.missed[name, error.what_in_a_line, error.hint] += len(targets)
            return
        gate = asyncio.Semaphore(self.backends.rates(name).concurrency)
        async with asyncio.TaskGroup() as group:
            for target in targets:
                group.create_task(self._look(backend, target, gate))

    async def _look(self, backend: Guarded, target: LookTarget, gate: asyncio.Semaphore) -> None:
        async with gate:
            if closed := self._closed.get(backend.name):
                self.missed[closed] += 1
                return
            try:
                _, plan = await backend.look(self._desired(backend, target))
            except ConnectorError as error:
                gap = (backend.name, error.said, error.remedy)
                self.missed[gap] += 1
                if error.kind in PAUSING_KINDS and error.kind not in RETRIED_KINDS:
                    self._closed[backend.name] = gap
                return
        blocked = plan.action is PlanAction.BLOCKED and not plan.observe_only
        reason, remedy = (plan.reason, plan.remedy) if blocked else ("", "")
        self.seen.append(Seen(target, planned_changes(plan.changes), reason, remedy))

    def _desired(self, backend: Guarded, target: LookTarget) -> DesiredState:
        told = target.told
        mark = Mark(self.backends.installation, told.key, told.generation, NO_FENCE, told.epoch)
        sends = bool(target.secret_id) and takes_password(backend, told.wished)
        return state_of(
            told,
            told.wished,
            mark,
            secret=SEALED if sends else None,
            secret_id=target.secret_id if sends else "",
            adopt=target.adopt,
        )
