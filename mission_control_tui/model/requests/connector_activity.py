"""What the database knows of each connector: what waits for it or runs, what succeeded and failed last, its pause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from mission_control_tui.model.requests.connector_pauses import Pause, pauses
from mission_control_tui.model.states import ACTIVE_STATES, RequestState, Wish
from mission_control_tui.model.store.scope import Reach
from mission_control_tui.model.store.tables.requests import RequestEventRow, RequestRow
from mission_control_tui.model.store.tables.services import NEAR_FULL, WISHED, AssignmentRow
from mission_control_tui.model.store.tables.workers import ConnectorStateRow


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """The newest request of a connector that turned red, in the back end's own words."""

    request: int
    at: datetime
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ConnectorActivity:
    """What is known of a connector: requests that wait or run; `last_success` is a request's or a passed check's."""

    waiting: int = 0
    running: int = 0
    last_success: datetime | None = None
    last_failure: FailedRequest | None = None
    pause: Pause | None = None
    near_full: int = 0
    """Services that have used nearly all of a limit."""
    services: int = 0
    """How many services are wished for there."""
    version: str = ""
    """What the back end said of itself when the worker checked it last."""

    @property
    def queue(self) -> int:
        """How many requests wait or run."""
        return self.waiting + self.running


NO_ACTIVITY = ConnectorActivity()
"""What is known of a connector that nothing was ever asked of."""


async def connector_activity(scope: Reach) -> Mapping[str, ConnectorActivity]:
    """Return what is known of connectors, by name; of requests those that the caller may see count."""
    async with scope.reading() as (session, within):
        of_connector = (
            select(AssignmentRow.connector)
            .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
            .where(within(RequestRow.account_id))
            .group_by(AssignmentRow.connector)
        )
        waiting: dict[str, int] = {}
        running: dict[str, int] = {}
        active = of_connector.add_columns(RequestRow.state, func.count())
        for name, state, count in await session.execute(
            active.where(RequestRow.state.in_(sorted(ACTIVE_STATES))).group_by(RequestRow.state)
        ):
            queue = running if state == RequestState.RUNNING else waiting
            queue[name] = queue.get(name, 0) + count
        succeeded = of_connector.add_columns(func.max(RequestRow.ended_at)).where(
            RequestRow.state == RequestState.SUCCEEDED
        )
        successes: dict[str, datetime] = {
            name: at for name, at in await session.execute(succeeded) if at is not None
        }
        versions: dict[str, str] = {}
        for name, moment, version in await session.execute(
            select(
                ConnectorStateRow.name, ConnectorStateRow.resumed_at, ConnectorStateRow.version
            ).where(ConnectorStateRow.resumed_at > 0)
        ):
            versions[name] = version
            passed = datetime.fromtimestamp(moment, UTC)
            successes[name] = max(passed, successes.get(name, passed))
        failed = of_connector.add_columns(func.max(RequestRow.id)).where(
            RequestRow.state == RequestState.FAILED
        )
        newest = {number: name for name, number in await session.execute(failed)}
        failures = {
            newest[event.request_id]: FailedRequest(
                event.request_id, event.at, event.said, event.remedy
            )
            for event in await session.scalars(
                select(RequestEventRow)
                .where(
                    RequestEventRow.request_id.in_(tuple(newest)), RequestEventRow.kind == "failed"
                )
                .order_by(RequestEventRow.id)
            )
        }
        paused = {pause.name: pause for pause in await pauses(session)}
        near = await session.execute(
            select(AssignmentRow.connector, func.count())
            .where(NEAR_FULL, AssignmentRow.wish != Wish.ABSENT, within(AssignmentRow.account_id))
            .group_by(AssignmentRow.connector)
        )
        full = {row[0]: int(row[1]) for row in near}
        there = await session.execute(
            select(AssignmentRow.connector, func.count())
            .where(WISHED, within(AssignmentRow.account_id))
            .group_by(AssignmentRow.connector)
        )
        services = {row[0]: int(row[1]) for row in there}
    return {
        name: ConnectorActivity(
            waiting.get(name, 0),
            running.get(name, 0),
            successes.get(name),
            failures.get(name),
            paused.get(name),
            full.get(name, 0),
            services.get(name, 0),
            versions.get(name, ""),
        )
        for name in {*waiting, *running, *successes, *failures, *paused, *full, *services}
    }
