"""Undo: no reverse gear but a new wish, the state before, stated through the verbs that an operator has.

What somebody changed since is refused, saying by what and whom, unless it is forced. What cannot come back is said:
`judge` tells of an audit row whether it can be undone and why not. An undo is audited as the verb that it is, so
undoing that one works as well; the undo of a bulk is a bulk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction, parse_action
from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import queries
from mission_control_tui.model.bulk.planning import plan_for
from mission_control_tui.model.bulk.targets import BulkOrder, BulkTarget, order_of
from mission_control_tui.model.bulk.views import BulkOnlyAction, BulkPlan, BulkView, ItemState
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.history.undo_by_hand import (
    NEVER,
    NOTHING,
    AuditedChange,
    instead,
)
from mission_control_tui.model.history.undo_groups import (
    is_of_object,
    not_back,
    note_of,
    rejoin,
    undo_object,
)
from mission_control_tui.model.people.fields import FIELD_BY_NAME
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.services.subjects import subject_of
from mission_control_tui.model.states import BulkState, Wish
from mission_control_tui.model.store.lookups import (
    assignment_row,
    locked_account_row,
    numbered_row,
    user_row,
)
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.bulk import BulkItemRow
from mission_control_tui.model.store.tables.documents import StoredWish
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import manager_upn, to_details
from mission_control_tui.model.users.actions.base import action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.users.actions.wish import Deprovision
from mission_control_tui.model.users.aliases import AddressChanges
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.moving import move_in
from mission_control_tui.model.users.revert import restate_service, state_of, was_changed
from mission_control_tui.model.views import RevealedPassword

EMPTY_NOTE = "What was taken away is gone: the service comes back empty."
NO_GROUP_NOTE = f"{EMPTY_NOTE[:-1]}, and in no group: add who left one again."
_ASKING_AGAIN = (
    AuditAction.RETRY_REQUEST,
    AuditAction.CANCEL_REQUEST,
    AuditAction.RESET_STATUS,
    AuditAction.ALLOW_PLAN,
    AuditAction.ALLOW_REMOVAL,
)


@dataclass(frozen=True, slots=True)
class UndoCheck:
    """Whether a change can be undone, and if not why not; `note` says what does not come back."""

    possible: bool
    why_not: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What an undo did, or on a dry run would do. `bulk` is that of a bulk's undo, `plan` what it will do.

    `notes` say what does not come back. `password` was made for a service that came back with one of its own.
    """

    what: str
    requests: tuple[int, ...] = ()
    bulk: BulkView | None = None
    plan: BulkPlan | None = None
    notes: tuple[str, ...] = ()
    password: RevealedPassword | None = None
    user_id: str | None = None
    assignment_id: str | None = None
    """The service that was changed back, where it is no user's."""


def judge(row: AuditedChange) -> UndoCheck:
    """Tell whether `undo` can take a change of this kind back, without looking at what is so now."""
    verb = _verb(row)
    if is_of_object(row):
        return UndoCheck(True, note=note_of(row))
    if verb in NEVER:
        return UndoCheck(False, NEVER[verb])
    of_service = verb in _OF_SERVICES and row.assignment_id is not None
    if not of_service and (
        row.user_id is None or verb not in _OF_SERVICES | _OF_USERS.keys() | _TURNED_BACK.keys()
    ):
        return UndoCheck(False, instead(verb, row))
    if verb in _OF_SERVICES and not (row.before or row.after):
        return UndoCheck(False, f"{NOTHING} It asked again.")
    return UndoCheck(True, note=EMPTY_NOTE if verb is AuditAction.DEPROVISION else "")


def _verb(row: AuditedChange) -> AuditAction | None:
    return parse_action(row.action)[0]


async def undo(
    scope: AccountScope,
    *,
    audit: int | None = None,
    request: int | None = None,
    bulk: int | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Outcome[UndoResult]:
    """State again what was wished before an audit row, a request or a bulk; give one of the three.

    Raises NotFound; Conflict where it cannot be undone or was changed since (`force` does it all the same), and what
    the verbs raise: NoSeats, InvalidInput.
    """
    if sum(number is not None for number in (audit, request, bulk)) != 1:
        raise UsageError("Say what to undo: one audit row, one request or one bulk.")
    if bulk is not None:
        return await _undo_bulk(scope, bulk, force=force, dry_run=dry_run)
    async with scope.read() as (session, account_id):
        row = (
            await numbered_row(session, AuditRow, account_id, audit)
            if audit is not None
            else await _row_of_request(session, account_id, request or 0)
        )
    judged, verb = judge(row), _verb(row)
    if verb is AuditAction.START_BULK and row.bulk_id is not None:
        return await _undo_bulk(scope, row.bulk_id, force=force, dry_run=dry_run)
    if verb is None or not judged.possible:
        raise Conflict(f"This cannot be undone: {row.action} of {row.target}.", hint=judged.why_not)
    if verb in _TURNED_BACK:
        found = await _TURNED_BACK[verb](scope, row.user_id or "", dry_run=dry_run)
        lost = await not_back(scope.store, row) if verb is AuditAction.DELETE_USER else ""
        return Outcome(
            UndoResult(_words(row), notes=(lost,) if lost else ()), found.plan, found.applied
        )
    if is_of_object(row):
        told = await undo_object(
            scope, row, whole=request is not None, force=force, dry_run=dry_run
        )
        undone = UndoResult(
            *(_words(row), told.plan.requests),
            notes=(judged.note,) if judged.note else (),
            assignment_id=row.assignment_id,
        )
        return Outcome(undone, told.plan, told.applied)
    return await _undo_row(scope, row, verb, force=force, dry_run=dry_run)


@retries_on_conflict
async def _undo_row(
    scope: AccountScope, row: AuditRow, verb: AuditAction, *, force: bool, dry_run: bool
) -> Outcome[UndoResult]:
    notes = [note for note in (judge(row).note,) if note]
    account_id = row.account_id
    async with scope.store.write(scope.caller, account_id, dry_run=dry_run, keep=scope.keep) as tx:
        user = None
        if row.user_id is not None:
            user = await user_row(tx.session, account_id, row.user_id, lock=True)
        else:
            await locked_account_row(tx.session, account_id)
        if verb is AuditAction.MOVE:
            await _move_back(tx, row, force)
        elif verb in _OF_SERVICES:
            await _restate_service(tx, row, force)
        elif user is not None:
            await _OF_USERS[verb](tx, user, row, force)
        if verb is AuditAction.DEPROVISION and user is not None:
            owner = await scope.row(tx.session)
            catalogue = (await in_force(tx.session)).catalogue
            notes += await rejoin(tx, owner, catalogue, user, row)
        undone = UndoResult(
            *(_words(row), tuple(tx.requests)),
            notes=tuple(notes),
            password=tx.revealed[0] if tx.revealed else None,
            user_id=row.user_id,
            assignment_id=row.assignment_id if user is None else None,
        )
    return tx.outcome(undone)


def _words(row: AuditRow) -> str:
    return f"{row.action} of {row.target}"


async def _row_of_request(session: AsyncSession, account_id: int, request_id: int) -> AuditRow:
    """Return what was wished with this request, or with the parent that it belongs to."""
    request = await session.get(RequestRow, request_id)
    number = (request and request.parent_id) or request_id
    row = await session.scalar(
        select(AuditRow)
        .where(
            AuditRow.account_id == account_id,
            AuditRow.request_id == number,
            AuditRow.action.not_in(_ASKING_AGAIN),
        )
        .order_by(AuditRow.id)
        .limit(1)
    )
    if row is None:
        await numbered_row(session, RequestRow, account_id, request_id)
        raise Conflict(
            f"Request {request_id} wished nothing of its own.",
            hint="It asked again, or was needed by another one: undo that.",
        )
    return row


async def _restate_user(tx: Transaction, user: UserRow, row: AuditRow, force: bool) -> None:
    """State fields and addresses as they were."""
    details = to_details(user, await manager_upn(tx.session, user))
    changed = [
        name
        for name, value in row.after.items()
        if name in FIELD_BY_NAME and _json(getattr(details, name)) != value
    ]
    if changed and not force:
        raise await was_changed(tx.session, row, ", ".join(changed))
    addresses = AddressChanges.back(row.before, row.after)
    back = {name: value for name, value in row.before.items() if name in FIELD_BY_NAME}
    await apply_changes(
        tx,
        user,
        back,
        addresses=addresses if addresses != AddressChanges() else None,
    )


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


async def _restate_service(tx: Transaction, row: AuditRow, force: bool) -> None:
    """State the service's wish as it was."""
    assignment = await _assignment(tx.session, row)
    now = state_of(assignment)
    if not force and not _still(row, now):
        raise await was_changed(tx.session, row, assignment_id=assignment.id)
    context = await action_context(tx, row.account_id, row.at)
    target = _before(row, now, await _settings_before(tx.session, row, now))
    whose = await subject_of(tx, context.owner, assignment)
    await restate_service(tx, context, whose, assignment, target)


async def _move_back(tx: Transaction, row: AuditRow, force: bool) -> None:
    """Move the service back to where it was, which may have it still."""
    assignment = await _assignment(tx.session, row)
    if not force and assignment.connector != row.after["connector"]:
        raise await was_changed(tx.session, row, assignment_id=assignment.id)
    context = await action_context(tx, row.account_id, row.at)
    whose = await subject_of(tx, context.owner, assignment)
    back = ActionParams(
        assignment.service_id, instance=assignment.instance, on=str(row.before["connector"])
    )
    await move_in(tx, context, whose, back)


async def _assignment(session: AsyncSession, row: AuditRow) -> AssignmentRow:
    assignment_id = row.assignment_id
    if assignment_id is None and row.request_id is not None:
        request = await session.get(RequestRow, row.request_id)
        assignment_id = request.assignment_id if request is not None else None
    if assignment_id is None:
        raise Conflict(f"This cannot be undone: {_words(row)}.", hint="It is too old.")
    return await assignment_row(session, assignment_id, lock=True)


_OF_USERS = {
    AuditAction.EDIT_USER: _restate_user,
    AuditAction.DISABLE_USER: _restate_user,
    AuditAction.ENABLE_USER: _restate_user,
    AuditAction.ADD_ALIAS: _restate_user,
    AuditAction.REMOVE_ALIAS: _restate_user,
    AuditAction.SET_PRIMARY_ADDRESS: _restate_user,
}
_OF_SERVICES = frozenset(
    {
        AuditAction.PROVISION,
        AuditAction.CHANGE,
        AuditAction.SUSPEND,
        AuditAction.RESUME,
        AuditAction.DEPROVISION,
        AuditAction.MOVE,
    }
)
_TURNED_BACK = {
    AuditAction.CREATE_USER: deletion.delete_user,
    AuditAction.DELETE_USER: deletion.restore_user,
    AuditAction.RESTORE_USER: deletion.delete_user,
}


def _still(row: AuditRow, now: StoredWish) -> bool:
    """Tell whether the wish is as this change left it."""
    if "wish" in row.after:
        return bool(now["wish"] == row.after["wish"])
    if now["wish"] == Wish.ABSENT:
        return False
    has = {**now["settings"], "level": now["level"]}
    left_out = row.before.keys() - row.after.keys()
    kept = {name: value for name, value in row.after.items() if name not in {"adopt", "connector"}}
    return all(has.get(name) == value for name, value in kept.items()) and not left_out & has.keys()


async def _settings_before(
    session: AsyncSession, row: AuditRow, now: StoredWish
) -> dict[str, object]:
    """Return the settings that the request of this change keeps for a cancel, if they are of the level before."""
    request = await session.get(RequestRow, row.request_id) if row.request_id else None
    other_level = row.before.get("level", now["level"]) != now["level"]
    if request is None and row.request_id and "wish" in row.before and other_level:
        why = "Its request, which had the settings before, is no longer kept: provision it again."
        raise Conflict(f"This cannot be undone: {_words(row)}.", hint=why)
    if request is None or request.previous.get("level_id") != row.before.get("level"):
        return {}
    return dict(request.previous["settings"])


def _before(row: AuditRow, now: StoredWish, settings_before: dict[str, object]) -> StoredWish:
    """Return the wish before this change; what it did not touch stays as it is now."""
    if _verb(row) is AuditAction.PROVISION and "adopt" in row.after:
        raise Conflict(
            f"This cannot be undone: {_words(row)} took over what was there already, which would be removed.",
            hint="Deprovision it where it shall be removed with its data.",
        )
    if _verb(row) is AuditAction.PROVISION:
        return {**now, "wish": str(Wish.ABSENT)}
    if "wish" in row.before:
        level = row.before.get("level", now["level"])
        settings = now["settings"] if level == now["level"] else settings_before
        return {**now, "wish": row.before["wish"], "level": level, "settings": settings}
    settings = {name: value for name, value in now["settings"].items() if name not in row.after}
    settings |= {name: value for name, value in row.before.items() if name != "level"}
    return {**now, "level": row.before.get("level", now["level"]), "settings": settings}


async def undo_plan(scope: AccountScope, bulk_id: int, *, force: bool = False) -> BulkPlan:
    """Return what the undo of a bulk would do. Raises NotFound, and Conflict where it cannot be."""
    return await plan_for(scope, await _order(scope, bulk_id, force))


async def _undo_bulk(
    scope: AccountScope, bulk_id: int, *, force: bool, dry_run: bool
) -> Outcome[UndoResult]:
    """Return a bulk that restates what another one changed; the other is stopped where it still goes on."""
    shown = await queries.show(scope, bulk_id)
    if not dry_run and shown.state in {BulkState.RUNNING, BulkState.ATTENDED}:
        await bulks.stop(scope, bulk_id)
    order = await _order(scope, bulk_id, force)
    plan = await plan_for(scope, order)
    outcome = await bulks.create(scope, order, undoes_id=bulk_id, dry_run=dry_run)
    notes = (NO_GROUP_NOTE,) if shown.action == Deprovision.verb else ()
    undone = UndoResult(f"bulk {bulk_id}: {shown.title}", (), outcome.result, plan, notes)
    return Outcome(undone, outcome.plan, outcome.applied)


async def _order(scope: AccountScope, bulk_id: int, force: bool) -> BulkOrder:
    """Return the order to restate what a bulk changed: with the wish before it and after it."""
    shown = await queries.show(scope, bulk_id)
    verb = ACTIONS.get(shown.action)
    why_not = verb.not_undone if verb is not None else ""
    if shown.action is BulkOnlyAction.RETRY:
        why_not = NOTHING
    if why_not:
        raise Conflict(f"Bulk {bulk_id} cannot be undone: {shown.title}.", hint=why_not)
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        await queries.require_items(session, bulk_id)
        rows = await session.scalars(
            select(BulkItemRow)
            .where(BulkItemRow.bulk_id == bulk_id, BulkItemRow.state == ItemState.QUEUED)
            .order_by(BulkItemRow.id)
        )
        chosen = [
            BulkTarget(
                row.user_id,
                row.assignment_id,
                row.name,
                {"target": row.previous["before"], "expected": row.previous["after"]},
                row.domain_id,
            )
            for row in rows
            if "before" in row.previous
        ]
    if not chosen:
        raise Conflict(f"Bulk {bulk_id} changed nothing, so there is nothing to undo.")
    params = ActionParams(force=force)
    return order_of(catalogue, account_id, BulkOnlyAction.RESTATE, params, chosen)
