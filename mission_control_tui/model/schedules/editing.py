"""Wishes with a date: stated now, carried out by the worker at that moment (see `running.py`), once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model import dates
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.dates import LocalTime
from mission_control_tui.model.errors import Conflict, NoSeats, NotFound, StaleVersion
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.schedules.actions import (
    NOBODY_KNOWS,
    act,
    action_of,
    checked,
    stored,
)
from mission_control_tui.model.schedules.queries import (
    ScheduleOwner,
    ScheduleView,
    _local,
    _shown,
    _view,
)
from mission_control_tui.model.services.subject_lookup import locked_subject
from mission_control_tui.model.services.subjects import SubjectKey
from mission_control_tui.model.states import ScheduleState
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.differences import differences
from mission_control_tui.model.users.actions.base import UserAction
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import title


async def when(scope: AccountScope, text: str) -> LocalTime:
    """Return what `text` means in the account's time zone, by the database's clock. Raises as `dates.parse` does."""
    async with scope.store.read() as session:
        owner = await scope.row(session)
        return await _moment(session, owner, text)


@retries_on_conflict
async def schedule(
    scope: AccountScope,
    who: str | SubjectKey,
    action: str,
    params: ActionParams | None,
    when: str,
    *,
    dry_run: bool = False,
) -> Outcome[ScheduleView]:
    """Have the worker do `action` to a subject at a moment, as this caller; a text names a user.

    The verb is tried as things are now: what time may mend (no seats, not bought, a service that the subject has not
    got yet) is a warning; what is wrong in itself is raised. Raises NotFound, UsageError, InvalidInput.
    """
    wanted = action_of(action)
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        given = checked(catalogue, wanted, params or ActionParams())
    warnings, lost = await _tried(scope, account_id, SubjectKey.of(who), wanted, given)
    async with scope.store.write(scope.caller, account_id, dry_run=dry_run) as tx:
        owner = await scope.row(tx.session)
        moment = await _moment(tx.session, owner, when)
        target = await locked_subject(tx.session, account_id, SubjectKey.of(who))
        secret = NOBODY_KNOWS if wanted.reveals(catalogue, given) else ""
        for warning in filter(None, (moment.note, *warnings, secret)):
            tx.warn(warning)
        tx.lost += lost
        row = ScheduleRow(
            account_id=account_id,
            user_id=target.user_id,
            domain_id=target.domain.id if target.domain is not None else None,
            action=wanted.verb,
            params=given.stated(),
            due_at=moment.at,
            time_zone=owner.time_zone,
            state=ScheduleState.WAITING,
            said="",
            operator=scope.caller.operator,
            ticket=scope.caller.ticket,
            session=scope.caller.session,
            created_at=tx.now,
        )
        tx.session.add(row)
        await tx.session.flush()
        what = wanted.title(catalogue, given)
        tx.command(
            *("schedule", "add", *target.words, _exact_words(moment.at)),
            *wanted.words(given),
        )
        tx.record(
            PlanVerb.CREATED,
            "schedule",
            f"{target.name}: {what}",
            after={"at": moment.shown, **given.stated()},
            action=AuditAction.SCHEDULE,
            of=wanted.verb,
            user_id=target.user_id,
            version=1,
        )
        view = _view(row, ScheduleOwner.of(target), catalogue)
    return tx.outcome(view)


@retries_on_conflict
async def change_schedule(
    scope: AccountScope,
    schedule_id: int,
    *,
    when: str | None = None,
    params: ActionParams | None = None,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> Outcome[ScheduleView]:
    """Give a waiting schedule another moment or other params; it is this caller's from then on.

    Raises NotFound, Conflict (it has ended), StaleVersion, and as `schedule` does.
    """
    row, target, catalogue = await _shown(scope, schedule_id)
    action, before = stored(row.action), ActionParams.from_json(row.params)
    given = before
    warnings: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    if params is not None:
        given = checked(catalogue, action, params)
        key = SubjectKey(target.kind, row.user_id or target.name)
        warnings, lost = await _tried(scope, row.account_id, key, action, given)
    async with scope.store.write(scope.caller, row.account_id, dry_run=dry_run) as tx:
        owner = await scope.row(tx.session)
        row = await _waiting(tx, schedule_id)
        if expected_version is not None and row.version != expected_version:
            raise _stale(row, given, when)
        moment = None if when is None else await _moment(tx.session, owner, when)
        for warning in filter(None, (moment.note if moment else "", *warnings)):
            tx.warn(warning)
        tx.lost += lost
        was = {"at": _local(row), **row.params}
        if moment is not None and moment.at != row.due_at:
            row.due_at, row.time_zone = moment.at, owner.time_zone
        if given != before:
            row.params = given.stated()
        now = {"at": _local(row), **row.params}
        name = f"{target.name}: {action.title(catalogue, given)}"
        if was == now:
            tx.record(PlanVerb.UNCHANGED, "schedule", name)
        else:
            row.version += 1
            row.operator, row.ticket = scope.caller.operator, scope.caller.ticket
            row.session = scope.caller.session
            await tx.session.flush()
            changed = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
            tx.command(
                *("schedule", "change", str(row.id), "--when", _exact_words(row.due_at)),
                *action.words(replace(given, service="", instance=""))[1:],
            )
            tx.record(
                PlanVerb.CHANGED,
                "schedule",
                name,
                before={key: was[key] for key in sorted(changed & was.keys())},
                after={key: now[key] for key in sorted(changed & now.keys())},
                action=AuditAction.CHANGE_SCHEDULE,
                user_id=row.user_id,
                version=row.version,
            )
        view = _view(row, target, catalogue)
    return tx.outcome(view)


@retries_on_conflict
async def cancel_schedule(
    scope: AccountScope, schedule_id: int, *, dry_run: bool = False
) -> Outcome[ScheduleView]:
    """Cancel a waiting schedule. Raises NotFound, and Conflict when it has ended."""
    row, target, catalogue = await _shown(scope, schedule_id)
    async with scope.store.write(scope.caller, row.account_id, dry_run=dry_run) as tx:
        row = await _waiting(tx, schedule_id)
        tx.command("schedule", "cancel", str(row.id))
        await end(
            tx, row, target.name, ScheduleState.CANCELLED, f"Cancelled by {scope.caller.operator}."
        )
        view = _view(row, target, catalogue)
    return tx.outcome(view)


async def cancel_all_of(tx: Transaction, user: UserRow, why: str) -> int:
    """Cancel what waits for the locked user, inside the caller's transaction; returns how many that were."""
    rows = (
        await tx.session.scalars(
            select(ScheduleRow)
            .where(ScheduleRow.user_id == user.id, ScheduleRow.state == ScheduleState.WAITING)
            .order_by(ScheduleRow.id)
            .with_for_update()
        )
    ).all()
    for row in rows:
        await end(tx, row, user.upn, ScheduleState.CANCELLED, why)
    return len(rows)


async def end(
    tx: Transaction,
    row: ScheduleRow,
    name: str,
    state: ScheduleState,
    said: str,
    requests: Sequence[int] = (),
) -> None:
    """End a locked, waiting schedule and say so in the audit."""
    row.state, row.said, row.ended_at = state, said, tx.now
    row.request_id = requests[0] if requests else None
    row.version += 1
    await tx.session.flush()
    catalogue = (await in_force(tx.session)).catalogue
    what = title(catalogue, row.action, ActionParams.from_json(row.params))
    tx.record(
        PlanVerb.REMOVED if state is ScheduleState.CANCELLED else PlanVerb.CHANGED,
        "schedule",
        f"{name}: {what}",
        before={"state": str(ScheduleState.WAITING)},
        after={"state": str(state), "said": said},
        action=_ENDINGS[state],
        user_id=row.user_id,
        request_id=row.request_id,
        version=row.version,
    )


_ENDINGS = {
    ScheduleState.DONE: AuditAction.SCHEDULE_DONE,
    ScheduleState.FAILED: AuditAction.SCHEDULE_FAILED,
    ScheduleState.CANCELLED: AuditAction.CANCEL_SCHEDULE,
}


async def _tried(
    scope: AccountScope, account_id: int, who: SubjectKey, action: UserAction, params: ActionParams
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a person should know of the verb's dry run as things are now, and what it takes away.

    Raises what no time mends: an unknown name, a wrong setting.
    """
    async with scope.store.write(scope.caller, account_id, dry_run=True) as tx:
        target = await locked_subject(tx.session, account_id, who)
        try:
            async with tx.attempt():
                await act(tx, target, action, params)
        except NotFound as error:
            # The subject is there and the service is not, which may be different at the moment.
            return (f"As things are now it would fail: {error.what}",), ()
        except (NoSeats, Conflict) as error:
            return (f"As things are now it would be refused: {error.what}",), ()
    # What is generated is said once.
    told = tuple(warning for warning in tx.plan.warnings if warning != NOBODY_KNOWS)
    if not tx.plan.changes_anything:
        return ("As things are now nothing would change.", *told), ()
    services = [line for line in tx.plan.lines if line.kind == "service"]
    changes = [
        f"As things are now it changes {line.name}: {'; '.join(differences(line.before, line.after))}."
        for line in services
        if line.verb is PlanVerb.CHANGED and "wish" not in line.after
    ]
    gone = [f"{line.name}, with the data" for line in services if line.verb is PlanVerb.REMOVED]
    return (*changes, *told), (*tx.lost, *gone)


async def _moment(session: AsyncSession, account: AccountRow, given: str) -> LocalTime:
    now = datetime.fromtimestamp(await clock(session), UTC)
    return dates.parse(given, dates.zone_named(account.time_zone), now)


def _exact_words(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


async def _waiting(tx: Transaction, schedule_id: int) -> ScheduleRow:
    row = (
        await tx.session.scalars(
            select(ScheduleRow).where(ScheduleRow.id == schedule_id).with_for_update()
        )
    ).one()
    if row.state != ScheduleState.WAITING:
        raise Conflict(
            f"Schedule {row.id} has ended: {row.state}. {row.said}".rstrip(),
            hint="Make a new one.",
        )
    return row


def _stale(row: ScheduleRow, given: ActionParams, when: str | None) -> StaleVersion:
    now = _local(row)
    theirs: dict[str, tuple[object, object]] = {"at": (when or now, now)}
    if ActionParams.from_json(row.params) != given:
        theirs["params"] = (given.stated(), row.params)
    return StaleVersion(
        f"Schedule {row.id} was changed meanwhile by {row.operator}.",
        theirs=theirs,
        hint="Look at it again, then change it.",
    )
