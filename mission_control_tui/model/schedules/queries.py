"""Reading schedules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from mission_control_tui.model import dates
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.services.subject_lookup import seen_subject
from mission_control_tui.model.services.subjects import Subject, SubjectKey
from mission_control_tui.model.states import ScheduleState, SubjectKind
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import title
from mission_control_tui.model.views import view_of


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One schedule, for a user, a domain, or the account itself.

    `what` is the action in words, `shown` the moment in the zone `time_zone`. `said` is why it failed or was cancelled,
    or what became of it; `request_id` the (first) request that it made.
    """

    id: int
    account_id: int
    user_id: str | None
    subject_kind: SubjectKind
    subject: str
    display_name: str
    action: str
    params: ActionParams
    what: str
    due_at: datetime
    shown: str
    time_zone: str
    state: ScheduleState
    said: str
    request_id: int | None
    operator: str
    ticket: str
    created_at: datetime
    ended_at: datetime | None
    version: int

    @property
    def whose(self) -> str | SubjectKey:
        """Whom it is for, as the verbs take it."""
        return self.user_id or SubjectKey(self.subject_kind, self.subject)


async def list_schedules(
    scope: Reach,
    *,
    user: str | SubjectKey | None = None,
    states: Collection[ScheduleState] = (),
    limit: int = 200,
) -> tuple[ScheduleView, ...]:
    """Return schedules of the account, or of all.

    Those that wait come first, the next of them first, then those that ended, the last first.
    """
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        statement = _joined().where(within(ScheduleRow.account_id))
        if user is not None:
            target = await seen_subject(session, within.one, SubjectKey.of(user), binned=True)
            domain = target.domain.id if target.domain is not None else None
            statement = statement.where(
                ScheduleRow.user_id.is_not_distinct_from(target.user_id),
                ScheduleRow.domain_id.is_not_distinct_from(domain),
            )
        waiting = ScheduleRow.state == ScheduleState.WAITING
        found: list[tuple[ScheduleRow, ScheduleOwner]] = []
        if not states or ScheduleState.WAITING in states:
            coming = statement.where(waiting).order_by(ScheduleRow.due_at, ScheduleRow.id)
            found += [_owned(*row) for row in await session.execute(coming.limit(limit))]
        ended = set(states) - {ScheduleState.WAITING} if states else set(ScheduleState)
        if ended and len(found) < limit:
            past = statement.where(~waiting, ScheduleRow.state.in_(ended)).order_by(
                ScheduleRow.ended_at.desc(), ScheduleRow.id.desc()
            )
            rows = await session.execute(past.limit(limit - len(found)))
            found += [_owned(*row) for row in rows]
        return tuple(_view(row, of, catalogue) for row, of in found)


async def show_schedule(scope: AccountScope, schedule_id: int) -> ScheduleView:
    """Return one schedule. Raises NotFound."""
    return _view(*await _shown(scope, schedule_id))


@dataclass(frozen=True, slots=True)
class ScheduleOwner:
    """Whom a schedule is for: the kind, the name, and what people call it."""

    kind: SubjectKind
    name: str
    called: str

    @classmethod
    def of(cls, subject: Subject) -> ScheduleOwner:
        """Return it of a subject that was found."""
        called = subject.user.display_name if subject.user is not None else subject.name
        return cls(subject.kind, subject.name, called)


def _joined() -> Select[ScheduleRow, str | None, str | None, str | None, str, str]:
    return (
        select(
            *(ScheduleRow, UserRow.upn, UserRow.display_name, DomainRow.name),
            *(AccountRow.code, AccountRow.name),
        )
        .join(AccountRow, AccountRow.id == ScheduleRow.account_id)
        .outerjoin(UserRow, UserRow.id == ScheduleRow.user_id)
        .outerjoin(DomainRow, DomainRow.id == ScheduleRow.domain_id)
    )


def _owned(
    row: ScheduleRow,
    upn: str | None,
    display_name: str | None,
    domain: str | None,
    code: str,
    account: str,
) -> tuple[ScheduleRow, ScheduleOwner]:
    if upn is not None:
        return row, ScheduleOwner(SubjectKind.USER, upn, display_name or upn)
    if domain is not None:
        return row, ScheduleOwner(SubjectKind.DOMAIN, domain, domain)
    return row, ScheduleOwner(SubjectKind.ACCOUNT, code, account)


async def _shown(
    scope: AccountScope, schedule_id: int
) -> tuple[ScheduleRow, ScheduleOwner, Catalogue]:
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        found = (
            await session.execute(
                _joined().where(ScheduleRow.id == schedule_id, ScheduleRow.account_id == account_id)
            )
        ).one_or_none()
    if found is None:
        raise NotFound(
            f"This account has no schedule {schedule_id}.",
            hint="`mission-control schedule list` shows them; "
            "ended ones are kept for worker.keep_days, the audit for good.",
        )
    return *_owned(*found), catalogue


def _local(row: ScheduleRow) -> str:
    return dates.shown(row.due_at, zone_of(row.time_zone))


def _view(row: ScheduleRow, owner: ScheduleOwner, catalogue: Catalogue) -> ScheduleView:
    params = ActionParams.from_json(row.params)
    return view_of(
        ScheduleView,
        row,
        subject_kind=owner.kind,
        subject=owner.name,
        display_name=owner.called,
        params=params,
        what=title(catalogue, row.action, params),
        shown=_local(row),
        state=ScheduleState(row.state),
    )
