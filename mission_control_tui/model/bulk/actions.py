"""One item of a bulk, inside a transaction: what the single verbs do, with the wish before and after for an undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.bulk.targets import BulkTarget
from mission_control_tui.model.bulk.views import BulkAction, BulkOnlyAction, ItemState
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.leftovers import awaited
from mission_control_tui.model.services.subject_lookup import refuse_gone
from mission_control_tui.model.services.subjects import (
    Subject,
    domain_subject,
    subject_of,
    user_subject,
)
from mission_control_tui.model.services.wishes import enqueue, last_request
from mission_control_tui.model.states import (
    Light,
    Priority,
    RequestKind,
    RequestState,
    Wish,
)
from mission_control_tui.model.store.lookups import locked_account_row
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.documents import StoredItem, StoredWish
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.base import (
    ActionContext,
    ActionResult,
    HasNoService,
    UserAction,
    action_context,
)
from mission_control_tui.model.users.actions.disable import Disable, Enable
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.provision import Provision
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.users.aliases import PRIMARY, AddressChanges
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.revert import (
    FORCE_HINT,
    changed_since,
    restate_service,
    same,
    state_of,
)

SO_ALREADY = "It is so already."


@dataclass(frozen=True, slots=True)
class BulkContext:
    """What the items of one bulk share within one transaction."""

    shared: ActionContext
    action: BulkAction
    params: ActionParams

    @classmethod
    async def of(
        cls,
        tx: Transaction,
        account_id: int,
        action: BulkAction,
        params: ActionParams,
        as_of: datetime | None = None,
    ) -> BulkContext:
        """Return the account and the catalogue as they are now, and when it was stated what is to be done."""
        tx.priority = Priority.BULK
        return cls(await action_context(tx, account_id, as_of), action, params)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of an item. `previous` has the wish before and after; `error` is that of a refusal."""

    state: ItemState
    reason: str = ""
    request_id: int | None = None
    assignment_id: str | None = None
    previous: StoredItem = field(default_factory=StoredItem)
    makes_password: bool = False
    error: MissionControlError | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ItemSubject:
    """Whose turn it is: the item, its user or domain where it has one, and what that has; all locked."""

    target: BulkTarget
    subject: Subject | None
    rows: Sequence[AssignmentRow]

    @property
    def user(self) -> UserRow | None:
        """The user, where the item is about one."""
        return self.subject.user if self.subject is not None else None

    def service(self, service: Service, instance: str) -> AssignmentRow | None:
        """Return the subject's instance of the service, whatever its state."""
        wanted = (service.id, instance, service.subject)
        return next(
            (
                row
                for row in self.rows
                if (row.service_id, row.instance, row.subject_kind) == wanted
            ),
            None,
        )

    def assignment(self) -> AssignmentRow:
        """Return the service that the item is about."""
        return next(row for row in self.rows if row.id == self.target.assignment_id)


async def subjects(
    tx: Transaction, context: BulkContext, items: Sequence[BulkTarget]
) -> list[ItemSubject]:
    """Return the items with their users or domains and services, locked in the order that everybody locks them in."""
    user_ids = {item.user_id for item in items if item.user_id is not None}
    users = {
        row.id: row
        for row in await tx.session.scalars(
            select(UserRow).where(UserRow.id.in_(user_ids)).order_by(UserRow.id).with_for_update()
        )
    }
    domain_ids = {item.domain_id for item in items if item.domain_id is not None}
    domains: dict[int, DomainRow] = {}
    if domain_ids:
        await locked_account_row(tx.session, context.shared.owner.id)
        found = await tx.session.scalars(select(DomainRow).where(DomainRow.id.in_(domain_ids)))
        domains = {row.id: row for row in found}
    others = {item.assignment_id for item in items if item.owner is None}
    rows = await tx.session.scalars(
        select(AssignmentRow)
        .where(
            AssignmentRow.user_id.in_(user_ids)
            | AssignmentRow.domain_id.in_(domain_ids)
            | AssignmentRow.id.in_(others)
        )
        .order_by(AssignmentRow.id)
        .with_for_update()
    )
    by_owner: dict[str | int | None, list[AssignmentRow]] = {}
    for row in rows:
        owner = row.id if row.id in others else row.user_id or row.domain_id
        by_owner.setdefault(owner, []).append(row)
        key = (row.subject_kind, row.subject_id, row.service_id, row.instance)
        tx.known_services[key] = row
    tx.known_subjects |= user_ids
    return [
        ItemSubject(
            item, _subject(item, users, domains), by_owner.get(item.owner or item.assignment_id, ())
        )
        for item in items
    ]


def _subject(
    item: BulkTarget, users: Mapping[str, UserRow], domains: Mapping[int, DomainRow]
) -> Subject | None:
    if item.user_id is not None:
        return user_subject(users[item.user_id])
    return domain_subject(domains[item.domain_id]) if item.domain_id is not None else None


async def act(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    """Do the action for one item; what is refused leaves nothing behind and says why."""
    try:
        async with tx.attempt():
            if subject.user is not None and subject.user.in_bin:
                return ItemResult(ItemState.SKIPPED, "The user is in the recycling bin.")
            if subject.subject is not None:
                refuse_gone(subject.subject)
            acted = await _OWN.get(context.action, _verb)(tx, context, subject)
            if acted.request_id is None:
                return acted
            if not await _waits(tx, acted.request_id):
                return acted
    except HasNoService as error:
        who = "user" if subject.user is not None else "domain"
        return ItemResult(ItemState.SKIPPED, f"The {who} has no {error.service.name}.")
    except MissionControlError as error:
        assignment_id = subject.target.assignment_id
        return ItemResult(
            ItemState.REFUSED, error.in_a_line, assignment_id=assignment_id, error=error
        )
    return replace(acted, waits=True)


async def _waits(tx: Transaction, request_id: int) -> bool:
    """Tell whether the request waits for others, one of an earlier wish too."""
    if request_id in tx.requests:
        return request_id in tx.waiting
    request = await tx.session.get_one(RequestRow, request_id)
    return request.state == RequestState.WAITING


async def _verb(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    """Do the verb for the user or domain, or for the one service of the user that the item is about."""
    user, params, verb = subject.user, context.params, ACTIONS[context.action]
    disabled = user is not None and user.disabled
    if subject.target.assignment_id is not None:
        row = subject.assignment()
        params = replace(params, service=row.service_id, instance=row.instance)
    elif verb.of_service and not params.service:
        return ItemResult(ItemState.UNCHANGED, "The user has no services.")
    elif "include_disabled" in verb.takes_in_bulk and disabled and not params.include_disabled:
        there = subject.service(context.shared.catalogue.service(params.service), params.instance)
        if there is None or there.wish == Wish.ABSENT:
            return ItemResult(ItemState.SKIPPED, "The user is disabled.")
    return await _do(tx, context, subject, verb, params)


async def _give_own(tx: Transaction, context: BulkContext, subject: ItemSubject) -> ItemResult:
    """Give what the item itself says: a service, its level, settings and name."""
    params = ActionParams.from_json(subject.target.previous["give"])
    return await _do(tx, context, subject, Provision(), params)


async def _do(
    tx: Transaction,
    context: BulkContext,
    subject: ItemSubject,
    action: UserAction,
    params: ActionParams,
) -> ItemResult:
    whose = subject.subject
    assert whose is not None  # noqa: S101 - only retries and undos have items without one
    before: StoredWish | None = None
    if action.of_service:
        service = context.shared.catalogue.service(params.service)
        row = subject.service(service, params.instance)
        before = state_of(row) if row is not None else None
    elif whose.user is not None:
        before = {"disabled": whose.user.disabled}
    (done,) = await action.apply_to(tx, context.shared, whose, params)
    return await _result(tx, whose.user, before, done)


async def _result(
    tx: Transaction, user: UserRow | None, before: StoredWish | None, done: ActionResult
) -> ItemResult:
    assignment_id = done.assignment_id or None
    if assignment_id is not None:
        after = state_of(await tx.session.get_one(AssignmentRow, assignment_id))
    else:
        after = {"disabled": user is not None and user.disabled}
    # Who has no service is disabled without a request.
    if done.request_id is None and (assignment_id is not None or before == after):
        return ItemResult(ItemState.UNCHANGED, SO_ALREADY, assignment_id=assignment_id)
    # A password alone leaves the user as before, and cannot be undone.
    before = before or {**after, "wish": str(Wish.ABSENT)}
    states: StoredItem = {"before": before, "after": after}
    if done.has:
        states = {
            "before": {**before, "addresses": dict(done.had)},
            "after": {**after, "addresses": dict(done.has)},
        }
    return ItemResult(
        ItemState.QUEUED,
        request_id=done.request_id,
        assignment_id=assignment_id,
        previous={} if assignment_id is None and before == after else states,
        makes_password=done.password is not None,
    )


async def _retry(tx: Transaction, _context: BulkContext, subject: ItemSubject) -> ItemResult:
    row = subject.assignment()
    if row.light != Light.RED:
        return ItemResult(ItemState.UNCHANGED, "It is no longer red.", assignment_id=row.id)
    last = await tx.session.scalar(
        select(func.max(RequestRow.id)).where(RequestRow.assignment_id == row.id)
    )
    kind = RequestKind((await tx.session.get_one(RequestRow, last)).kind)
    request = await enqueue(tx, row, kind, depends_on=await awaited(tx, row))
    tx.command("requests", "retry", str(last))
    tx.record(
        PlanVerb.CHANGED,
        "service",
        f"{subject.target.name} {with_instance(row.service_id, row.instance)}",
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
        verb = Disable() if target["disabled"] else Enable()
        return await _do(tx, context, subject, verb, context.params)
    row, user = subject.assignment(), subject.user
    before, service = state_of(row), context.shared.catalogue.service(row.service_id)
    given = ActionResult(row.id, service.id, row.level_id, row.backend_name, None)
    if not same(before, target):
        if not context.params.force:
            refusal = await changed_since(tx.session, row, expected)
            if refusal is not None:
                raise refusal
        whose = await subject_of(tx, context.shared.owner, row)
        given = await restate_service(tx, context.shared, whose, row, target)
    if user is not None and "addresses" in target:
        given = await _restate_addresses(tx, context, user, subject.target, given)
    return await _result(tx, user, before, given)


async def _restate_addresses(
    tx: Transaction,
    context: BulkContext,
    user: UserRow,
    item: BulkTarget,
    given: ActionResult,
) -> ActionResult:
    """Take the user's addresses back as well, of which the service is told by the user's edit."""
    before = item.previous["target"]["addresses"]
    after = item.previous["expected"].get("addresses", {})
    back = AddressChanges.back(before, after)
    present = await addresses_of(tx.session, user.id)
    keys = {held.key for held in present}
    primary = next((held.address for held in present if held.is_primary), user.upn)
    restated = primary == before.get(PRIMARY, primary)
    changed = not restated and primary != after.get(PRIMARY, primary)
    if changed and not context.params.force:
        raise Conflict(
            f"The primary address was changed since: it is {primary} now.", hint=FORCE_HINT
        )
    changes = AddressChanges(
        add=tuple(address for address in back.add if upn_key(address) not in keys),
        primary="" if restated else back.primary,
        remove=tuple(address for address in back.remove if upn_key(address) in keys),
    )
    if changes == AddressChanges():
        return given
    had, has = await apply_changes(tx, user, {}, addresses=changes)
    told = given.request_id or max(await last_request(tx, given.assignment_id), default=None)
    return replace(given, request_id=told, had=had, has=has)


_OWN: dict[BulkAction, Callable[[Transaction, BulkContext, ItemSubject], Awaitable[ItemResult]]] = {
    BulkOnlyAction.RETRY: _retry,
    BulkOnlyAction.RESTATE: _restate,
    BulkOnlyAction.GIVE: _give_own,
}
"""What only bulks do; all else is a verb on a user."""
