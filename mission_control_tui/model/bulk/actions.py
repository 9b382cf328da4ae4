"""One item of a bulk, inside a transaction: what the single verbs do, with the wish before and after for an undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.bulk.views import BulkAction, BulkParams, BulkPassword, ItemState
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.wishes import enqueue
from mission_control_tui.model.states import (
    Light,
    Priority,
    RequestKind,
    RequestState,
    SubjectKind,
    Wish,
)
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import ActionResult, ServiceRequest
from mission_control_tui.model.users.actions.provision import provision_in
from mission_control_tui.model.users.actions.wish import Deprovision, Resume, Suspend
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.passwords import renew
from mission_control_tui.model.users.revert import changed_since, restate_service, same, state_of

WISHES = {RequestKind(a.verb): a for a in (Suspend(), Resume(), Deprovision())}
SO_ALREADY = "It is so already."


@dataclass(frozen=True, slots=True)
class BulkContext:
    """What the items of one bulk share within one transaction."""

    owner: AccountRow
    catalogue: Catalogue
    action: BulkAction
    params: BulkParams

    @classmethod
    async def of(
        cls,
        tx: Transaction,
        caller: Caller,
        account_id: int,
        action: BulkAction,
        params: BulkParams,
    ) -> BulkContext:
        """The account and the catalogue as they are now."""
        owner = await account_row(tx.session, caller, account_id)
        return cls(owner, (await in_force(tx.session)).catalogue, action, params)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of an item. `previous` has the wish before and after; `error` is that of a refusal."""

    state: ItemState
    reason: str = ""
    request_id: int | None = None
    assignment_id: str | None = None
    previous: Mapping[str, Any] = field(default_factory=dict)
    password: BulkPassword | None = None
    error: MissionControlError | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ItemSubject:
    """Whose turn it is: the item, its user where it has one, and what that user has; all locked."""

    target: BulkTarget
    user: UserRow | None
    rows: Sequence[AssignmentRow]

    def service(self, service_id: str, instance: str) -> AssignmentRow | None:
        """The user's own instance of the service, whatever its state."""
        wanted = (service_id, instance, SubjectKind.USER)
        return next(
            (
                row
                for row in self.rows
                if (row.service_id, row.instance, row.subject_kind) == wanted
            ),
            None,
        )

    def assignment(self) -> AssignmentRow:
        """The service that the item is about."""
        return next(row for row in self.rows if row.id == self.target.assignment_id)


async def subjects(tx: Transaction, items: Sequence[BulkTarget]) -> list[ItemSubject]:
    """The items with their users and services, locked in the order that everybody locks them in."""
    user_ids = {one.user_id for one in items if one.user_id is not None}
    users = {
        row.id: row
        for row in await tx.session.scalars(
            select(UserRow).where(UserRow.id.in_(user_ids)).order_by(UserRow.id).with_for_update()
        )
    }
    others = {one.assignment_id for one in items if one.user_id is None}
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.user_id.in_(user_ids) | AssignmentRow.id.in_(others))
        .order_by(AssignmentRow.id)
        .with_for_update()
    )
    by_owner: dict[str | None, list[AssignmentRow]] = {}
    for row in rows:
        by_owner.setdefault(row.user_id or row.id, []).append(row)
    return [
        ItemSubject(
            one,
            users[one.user_id] if one.user_id is not None else None,
            by_owner.get(one.user_id or one.assignment_id, ()),
        )
        for one in items
    ]


async def act(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    """Do the action for one item; what is refused leaves nothing behind and says why."""
    try:
        async with tx.attempt():
            if subject.user is not None and subject.user.in_bin:
                return ItemResult(ItemState.SKIPPED, "The user is in the recycling bin.")
            acted = await _ACTIONS[context.action](tx, context, subject)
            if acted.request_id is None:
                return acted
            request = await tx.session.get_one(RequestRow, acted.request_id)
            if request.state != RequestState.WAITING:
                return acted
    except MissionControlError as error:
        assignment_id = subject.target.assignment_id
        return ItemResult(
            ItemState.REFUSED, error.in_a_line, assignment_id=assignment_id, error=error
        )
    return ItemResult(
        acted.state,
        acted.reason,
        acted.request_id,
        acted.assignment_id,
        acted.previous,
        acted.password,
        waits=True,
    )


async def _give(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    params, user = context.params, _user(subject)
    service = context.catalogue.service(params.service)
    row = subject.service(service.id, params.instance)
    has = row is not None and row.wish != Wish.ABSENT
    if not has and context.action is BulkAction.CHANGE:
        return _has_none(service)
    if not has and user.disabled and not params.include_disabled:
        return ItemResult(ItemState.SKIPPED, "The user is disabled.")
    before = state_of(row) if row is not None else None
    wanted = ServiceRequest(
        service.id, params.level, params.settings, params.instance, params.adopt
    )
    given = await provision_in(
        tx, context.owner, context.catalogue, user, wanted, priority=Priority.BULK
    )
    return await _given(tx, user, params.instance, before, given)


async def _give_own(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    """What the item itself says: a service, its level, settings and name."""
    user, one = _user(subject), subject.target.previous["give"]
    wanted = ServiceRequest(one["service"], one["level"], one["settings"], one["instance"])
    row = subject.service(context.catalogue.service(wanted.service).id, wanted.instance)
    before = state_of(row) if row is not None else None
    given = await provision_in(
        tx, context.owner, context.catalogue, user, wanted, priority=Priority.BULK
    )
    return await _given(tx, user, wanted.instance, before, given)


async def _turn(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    user, kind = _user(subject), RequestKind(context.action)
    if subject.target.assignment_id is not None:
        row: AssignmentRow | None = subject.assignment()
    elif not context.params.service:
        return ItemResult(ItemState.UNCHANGED, "The user has no services.")
    else:
        wanted = context.catalogue.service(context.params.service)
        row = subject.service(wanted.id, context.params.instance)
        if row is None or (row.wish == Wish.ABSENT and kind is not RequestKind.DEPROVISION):
            return _has_none(wanted)
    if row is None:
        return ItemResult(ItemState.UNCHANGED, SO_ALREADY)
    before = state_of(row)
    service = context.catalogue.service(row.service_id)
    given = await WISHES[kind].turn(tx, user, service, row, priority=Priority.BULK)
    return await _given(tx, user, row.instance, before, given)


async def _given(
    tx: Transaction,
    user: UserRow,
    instance: str,
    before: dict[str, Any] | None,
    given: ActionResult,
) -> ItemResult:
    if given.request_id is None:
        return ItemResult(ItemState.UNCHANGED, SO_ALREADY, assignment_id=given.assignment_id)
    row = await tx.session.get_one(AssignmentRow, given.assignment_id)
    after = state_of(row)
    password = None
    if given.password is not None:
        password = BulkPassword(
            user.upn, given.service_id, instance, given.backend_name, given.password
        )
    return ItemResult(
        ItemState.QUEUED,
        request_id=given.request_id,
        assignment_id=given.assignment_id,
        previous={"before": before or {**after, "wish": str(Wish.ABSENT)}, "after": after},
        password=password,
    )


async def _switch(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    return await _set_disabled(tx, _user(subject), context.action is BulkAction.DISABLE)


async def _set_disabled(tx: Transaction, user: UserRow, wanted: bool) -> ItemResult:
    if user.disabled == wanted:
        return ItemResult(ItemState.UNCHANGED, SO_ALREADY)
    queued = len(tx.requests)
    await apply_changes(tx, user, {"disabled": wanted}, priority=Priority.BULK)
    parent = tx.requests[queued] if len(tx.requests) > queued else None
    states = {"before": {"disabled": not wanted}, "after": {"disabled": wanted}}
    return ItemResult(ItemState.QUEUED, request_id=parent, previous=states)


async def _password(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    user = _user(subject)
    fresh = await renew(
        tx, user, context.owner, must_change=context.params.must_change, priority=Priority.BULK
    )
    password = BulkPassword(user.upn, "", "", user.username, fresh.password or "")
    return ItemResult(ItemState.QUEUED, request_id=fresh.request_id, password=password)


async def _retry(tx: Transaction, _context: BulkContext, subject: ItemSubject) -> ItemResult:
    row = subject.assignment()
    if row.light != Light.RED:
        return ItemResult(ItemState.UNCHANGED, "It is no longer red.", assignment_id=row.id)
    last = await tx.session.scalar(
        select(func.max(RequestRow.id)).where(RequestRow.assignment_id == row.id)
    )
    kind = RequestKind((await tx.session.get_one(RequestRow, last)).kind)
    request = await enqueue(tx, row, kind, priority=Priority.BULK)
    tx.command("requests", "retry", str(last))
    tx.record(
        PlanVerb.CHANGED,
        "service",
        f"{subject.target.name} {row.service_id}" + (f" ({row.instance})" if row.instance else ""),
        before={"light": str(Light.RED)},
        after={"light": str(Light.ORANGE), "retries request": last},
        action=AuditAction.RETRY_REQUEST,
        user_id=row.user_id,
        request_id=request.id,
        assignment_id=row.id,
    )
    return ItemResult(ItemState.QUEUED, request_id=request.id, assignment_id=row.id)


async def _restate(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    target, expected = subject.target.previous["target"], subject.target.previous["expected"]
    if "disabled" in target:
        user = _user(subject)
        if user.disabled == target["disabled"]:
            return ItemResult(ItemState.UNCHANGED, SO_ALREADY)
        return await _set_disabled(tx, user, bool(target["disabled"]))
    row = subject.assignment()
    if same(state_of(row), target):
        return ItemResult(ItemState.UNCHANGED, SO_ALREADY, assignment_id=row.id)
    if not context.params.force:
        refusal = await changed_since(tx.session, row, expected)
        if refusal is not None:
            raise refusal
    before = state_of(row)
    given = await restate_service(
        tx, context.owner, context.catalogue, _user(subject), row, target, priority=Priority.BULK
    )
    return await _given(tx, _user(subject), row.instance, before, given)


def _user(subject: ItemSubject) -> UserRow:
    assert subject.user is not None  # noqa: S101 - only retries have items without a user
    return subject.user


def _has_none(service: Service) -> ItemResult:
    return ItemResult(ItemState.SKIPPED, f"The user has no {service.name}.")


_ACTIONS: dict[
    BulkAction, Callable[[Transaction, BulkContext, ItemSubject], Awaitable[ItemResult]]
] = {
    BulkAction.PROVISION: _give,
    BulkAction.CHANGE: _give,
    BulkAction.SUSPEND: _turn,
    BulkAction.RESUME: _turn,
    BulkAction.DEPROVISION: _turn,
    BulkAction.DISABLE: _switch,
    BulkAction.ENABLE: _switch,
    BulkAction.PASSWORD: _password,
    BulkAction.RETRY: _retry,
    BulkAction.RESTATE: _restate,
    BulkAction.GIVE: _give_own,
}
