"""Retry of what is red: what is likely to fail again, and why, before anything is queued.

A back end that refused a wish for good refuses it again while neither the wish nor the user changed; an error that can
heal may have healed, room that lacked may be there, and a back end whose remedy is to try again is believed, all of
them until it has failed too often; a paused connector lets everything wait.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk.targets import Picked, targets
from mission_control_tui.model.bulk.views import BulkOnlyAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.requests.connector_pauses import pauses
from mission_control_tui.model.search.filters import ALL
from mission_control_tui.model.services.domain_terms import domains_over
from mission_control_tui.model.services.lights import past_term
from mission_control_tui.model.states import PAUSING_KINDS, RETRIED_KINDS, ErrorKind, RequestState
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountScope, Within
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.params import ActionParams

STUBBORN = 3
"""So many requests in a row that ended red mean that another one will, too."""

_TRY_AGAIN = re.compile(r"(de)?provision again|try again|retry\b", re.IGNORECASE)
"""How a remedy begins that asks for nothing but another try."""


class RetryForecast(StrEnum):
    """What will probably become of a retry."""

    MAY_WORK = "may work"
    FAILS_AGAIN = "fails again"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class RetryLine:
    """One red light: whose, what the back end said, and what a retry will probably give, and why.

    `failures` are the requests that failed in a row, `since` is when the light turned red.
    """

    assignment_id: str
    user_id: str | None
    subject: str
    service_id: str
    error_kind: str
    said: str
    failures: int
    since: datetime
    likely: RetryForecast
    why: str
    instance: str = ""

    @property
    def name(self) -> str:
        """Whose it is and what: "ada@acme.example databases (crm)"."""
        return f"{self.subject} {with_instance(self.service_id, self.instance)}"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Every red light in view. All of them would be queued, also those that will probably fail again.

    `past_term` are domains that are red because their term is over: they are not queued, but renewed.
    """

    lines: tuple[RetryLine, ...]
    past_term: tuple[str, ...] = ()

    @property
    def queued(self) -> int:
        """How many requests a retry of all queues."""
        return len(self.lines)

    def count(self, likely: RetryForecast) -> int:
        """Return how many will probably end so."""
        return sum(line.likely is likely for line in self.lines)

    @property
    def not_retried(self) -> str:
        """What is said of what a retry does not mend and how it is mended; empty where there is nothing of it."""
        count = len(self.past_term)
        if not count:
            return ""
        who, are = (self.past_term[0], "is") if count == 1 else (f"{count:,} domains", "are")
        name = self.past_term[0] if count == 1 else "NAME"
        their = "its" if count == 1 else "their"
        return (
            f"{who} {are} past {their} term, which no retry mends. "
            f"To renew: mission-control renew {name}"
        )

    @property
    def reasons(self) -> tuple[tuple[RetryForecast, str, int], ...]:
        """(what is likely, why, how many), the most frequent first."""
        counts = Counter((line.likely, line.why) for line in self.lines)
        return tuple((likely, why, count) for (likely, why), count in counts.most_common())


async def retry_plan(scope: AccountScope, users: Picked = ALL, *, service: str = "") -> RetryPlan:
    """Return what trying again all that is red would give: of the account, or of `users`, or of one service.

    To do it: `control.start(..., users, BulkOnlyAction.RETRY, ActionParams(service))`. Raises NotFound, UsageError.
    """
    async with scope.read() as (session, account_id):
        params = ActionParams(service)
        chosen = await targets(session, account_id, users, BulkOnlyAction.RETRY, params)
        paused = {pause.name: pause.said for pause in await pauses(session)}
        names = {target.assignment_id: target.name for target in chosen}
        lines: list[RetryLine] = []
        for chunk in batches([target.assignment_id or "" for target in chosen]):
            lines += await _lines(session, chunk, names, paused)
        past: tuple[str, ...] = ()
        if users is ALL:
            catalogue = (await in_force(session)).catalogue
            services = [catalogue.service(service).id] if service else []
            over = await domains_over(session, Within(account_id))
            past = await past_term(session, over, services)
    return RetryPlan(tuple(lines), past)


async def _lines(
    session: AsyncSession, ids: Sequence[str], names: dict[str | None, str], paused: dict[str, str]
) -> list[RetryLine]:
    in_a_row = await _failures(session, ids)
    rows = await session.execute(
        select(AssignmentRow, UserRow.updated_at)
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .where(AssignmentRow.id.in_(ids))
        .order_by(AssignmentRow.since, AssignmentRow.id)
    )
    return [
        RetryLine(
            row.id,
            row.user_id,
            names[row.id],
            row.service_id,
            row.error_kind,
            row.error_said,
            in_a_row.get(row.id, 0),
            row.since,
            *_judged(row, updated_at, in_a_row.get(row.id, 0), paused),
            row.instance,
        )
        for row, updated_at in rows
    ]


async def _failures(session: AsyncSession, ids: Sequence[str]) -> dict[str | None, int]:
    """Return for each assignment how many of its requests failed since the last one that succeeded."""
    good = (
        select(RequestRow.assignment_id, func.max(RequestRow.id).label("last"))
        .where(RequestRow.assignment_id.in_(ids), RequestRow.state == RequestState.SUCCEEDED)
        .group_by(RequestRow.assignment_id)
        .subquery()
    )
    rows = await session.execute(
        select(RequestRow.assignment_id, func.count())
        .outerjoin(good, good.c.assignment_id == RequestRow.assignment_id)
        .where(
            RequestRow.assignment_id.in_(ids),
            RequestRow.state == RequestState.FAILED,
            RequestRow.id > func.coalesce(good.c.last, 0),
        )
        .group_by(RequestRow.assignment_id)
    )
    return {assignment_id: count for assignment_id, count in rows}  # noqa: C416 - rows are no pairs to mypy


def _judged(
    row: AssignmentRow, updated_at: datetime | None, failures: int, paused: dict[str, str]
) -> tuple[RetryForecast, str]:
    if row.connector in paused:
        return RetryForecast.WAITS, f"Connector {row.connector} is paused: {paused[row.connector]}"
    if not row.error_kind:
        return RetryForecast.MAY_WORK, "Nothing is known against it."
    kind = ErrorKind(row.error_kind)
    if updated_at is not None and updated_at > row.since:
        return RetryForecast.MAY_WORK, "The user was changed since."
    if kind in PAUSING_KINDS:
        return RetryForecast.MAY_WORK, f"Connector {row.connector} answers again."
    hope = _hope(kind, row)
    if not hope:
        return (
            RetryForecast.FAILS_AGAIN,
            f"The back end refused it for good ({kind}): {row.error_said}",
        )
    if failures >= STUBBORN:
        return (
            RetryForecast.FAILS_AGAIN,
            f"It failed {counted(failures, 'time')} in a row ({kind}).",
        )
    return RetryForecast.MAY_WORK, hope


def _hope(kind: ErrorKind, row: AssignmentRow) -> str:
    """Return why a try that changes nothing may work; empty where nothing says so."""
    if kind in RETRIED_KINDS:
        return f"The error can heal by itself ({kind})."
    if kind is ErrorKind.QUOTA:
        return f"There may be room by now ({kind}): {row.error_said}"
    if _TRY_AGAIN.match(row.error_remedy.strip()):
        return f"The back end asks to try again ({kind}): {row.error_said}"
    return ""
