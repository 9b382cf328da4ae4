"""How a wish becomes a request: the part that all verbs share, inside somebody else's transaction.

A new wish raises the generation, supersedes a request that still waits, and is never "busy": a running one notices at
its next step that it is out of date.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.instance_names import check_instance
from mission_control_tui.model.services.placing import (
    connector_of,
    connectors_of,
    free_name,
    go_to,
    is_gone,
    is_taken,
    place,
    placement_of,
)
from mission_control_tui.model.services.retention import keep_until
from mission_control_tui.model.services.subjects import (
    Subject,
    account_subject,
    domain_subject,
    user_subject,
)
from mission_control_tui.model.services.users_password import take_users_password
from mission_control_tui.model.states import (
    ACTIVE_STATES,
    Light,
    RequestKind,
    RequestState,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.store.lookups import domain_row
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.requests import (
    RequestDependencyRow,
    RequestRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction

OF_AN_ORPHAN = ("orphan", "orphan_name", "orphan_fence")
"""What of it says which orphan is removed: the key in its mark, its name, the fence in its mark when that was asked."""
OF_THE_REQUEST = frozenset({"touched", "asked_level", "as_is", "moved_from", *OF_AN_ORPHAN})
"""What `RequestRow.previous` says of the request itself, beside the wish and light before it."""
ADOPTION = ("adopt", "as_is", *OF_AN_ORPHAN)
"""What of it says which object at the back end is meant that carries no mark of the service."""
_WISH_FIELDS = ("wish", "level_id", "settings", "stated", "generation", "kept_until")
_LIGHT_FIELDS = ("light", "word", "step", "error_kind", "error_said", "error_remedy", "drift")


async def find(
    tx: Transaction, subject: Subject, service_id: str, instance: str = ""
) -> AssignmentRow | None:
    """Return the subject's instance of the service, locked, whatever its state."""
    if subject.id in tx.known_subjects:
        return tx.known_services.get((subject.kind, subject.id, service_id, instance))
    return await tx.session.scalar(
        select(AssignmentRow)
        .where(
            AssignmentRow.subject_kind == subject.kind,
            AssignmentRow.subject_id == subject.id,
            AssignmentRow.service_id == service_id,
            AssignmentRow.instance == instance,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """What a back end has already and a service is to be: its name there, and the back end's own id of it.

    Taken over `as_is`, it must not be changed by that.
    """

    name: str
    external_id: str = ""
    as_is: bool = True


async def find_or_make(
    tx: Transaction,
    account: AccountRow,
    subject: Subject,
    service: Service,
    instance: str = "",
    existing: ExistingObject | None = None,
    on: str = "",
) -> AssignmentRow:
    """Return the subject's instance of the service; a new one starts grey, with its back-end name chosen for good.

    It is placed `on` a connector, or by the rule where several serve the service. So is one again that is gone; one
    that is there stays where it is. One that is not there takes the name of what is `existing`. Raises Conflict where
    that is another's, or where the instance is there under another name or at another connector.
    """
    found = await find(tx, subject, service.id, instance)
    if found is not None and found.marked:
        raise Conflict(
            f"{subject.name} has {service.name} elsewhere: this was {instance}.",
            hint="What a move has left behind comes back with the service: move that back, or provision it "
            "again where it was taken away on the way.",
        )
    if found is not None:
        await _place_again(tx, account, subject, service, found, on)
    if existing is not None:
        at = found.connector if found is not None else on or connector_of(tx, account, service)
        await _refuse_held(tx, at, subject, service, found, existing)
        if found is not None:
            found.backend_name, found.external_id = existing.name, existing.external_id
    if found is not None:
        return found
    check_instance(instance)
    connector = await place(tx, account, service, on)
    user, domain = subject.user, subject.domain
    row = AssignmentRow(
        id=uuid.uuid4().hex,
        account_id=account.id,
        subject_kind=subject.kind,
        subject_id=subject.id,
        user_id=user.id if user else None,
        domain_id=domain.id if domain else None,
        object_id=subject.object.id if subject.object else None,
        service_id=service.id,
        instance=instance,
        connector=connector,
        backend_name=existing.name
        if existing is not None
        else await free_name(
            tx, connectors_of(tx, account, service), service, account, subject, instance
        ),
        external_id=existing.external_id if existing is not None else "",
        wish=Wish.ABSENT,
        level_id="",
        settings={},
        generation=0,
        light=Light.GREY,
        word=Word.NOT_PROVISIONED,
        since=tx.now,
        observed_wish=Wish.ABSENT,
    )
    tx.session.add(row)
    await tx.session.flush()
    if subject.id in tx.known_subjects:
        tx.known_services[subject.kind, subject.id, service.id, instance] = row
    return row


async def _place_again(
    tx: Transaction,
    account: AccountRow,
    subject: Subject,
    service: Service,
    row: AssignmentRow,
    on: str,
) -> None:
    """Choose a connector anew for what is gone. Raises Conflict where what is there is asked for at another one."""
    if not is_gone(row):
        if on and on != row.connector:
            raise Conflict(
                f"{subject.name} has {service.name} at connector {row.connector} already.",
                hint=f"Move it: {command_line('move', *subject.words, service.id, '--to', on)}",
            )
        return
    if placement_of(tx, account, service.id) is None and not on:
        return
    connector = await place(tx, account, service, on)
    if connector == row.connector:
        return
    if await is_taken(tx, (connector,), service, row.backend_name, but=row):
        everywhere = connectors_of(tx, account, service)
        row.backend_name = await free_name(tx, everywhere, service, account, subject, row.instance)
    go_to(row, connector)


async def _refuse_held(
    tx: Transaction,
    connector: str,
    subject: Subject,
    service: Service,
    found: AssignmentRow | None,
    existing: ExistingObject,
) -> None:
    """Raise Conflict where an existing object cannot be this instance of the service."""
    gone = (Wish.ABSENT, Light.GREY)
    if (
        found is not None
        and found.backend_name != existing.name
        and (found.wish, found.light) != gone
    ):
        raise Conflict(
            f"{subject.name} has {service.name} already, as {found.backend_name}.",
            hint="Name another instance or another user.",
        )
    if await is_taken(tx, (connector,), service, existing.name, but=found):
        raise Conflict(
            f"{existing.name} is another subject's {service.name} already.",
            hint="List what is there anew: mission-control adopt scan.",
        )


def snapshot(row: AssignmentRow) -> dict[str, Any]:
    """Return the wish and light as they are, for a cancel to restore."""
    return {name: getattr(row, name) for name in (*_WISH_FIELDS, *_LIGHT_FIELDS)}


async def enqueue(
    tx: Transaction,
    row: AssignmentRow,
    kind: RequestKind,
    *,
    wish: Wish | None = None,
    level_id: str | None = None,
    settings: Mapping[str, object] | None = None,
    stated: Iterable[str] = (),
    parent_id: int | None = None,
    depends_on: Sequence[int] = (),
    at_once: bool = False,
) -> RequestRow:
    """State the wish on the assignment and queue the request that carries it to the worker.

    `stated` names those of the `settings` that are not merely the level's own. What is wished away is kept for as long
    as the catalogue says, unless it shall be removed `at_once`.
    """
    previous, touched = await supersede_waiting(tx, row)
    if at_once or wish in (Wish.PRESENT, Wish.SUSPENDED):
        row.kept_until = 0.0
    elif wish is Wish.ABSENT and row.wish != Wish.ABSENT:
        row.kept_until = await keep_until(tx, row)
    row.wish = wish if wish is not None else Wish(row.wish)
    row.level_id = level_id if level_id is not None else row.level_id
    if settings is not None:
        row.settings, row.stated = dict(settings), sorted(stated)
    row.generation += 1
    row.version += 1
    row.drift = False
    show(row, Light.ORANGE, Word.WAITING if depends_on else Word.QUEUED, tx)
    request = await insert_request(
        tx,
        kind,
        account_id=row.account_id,
        user_id=row.user_id,
        assignment_id=row.id,
        parent_id=parent_id,
        generation=row.generation,
        state=RequestState.WAITING if depends_on else RequestState.QUEUED,
        previous={**previous, "touched": touched, "asked_level": row.level_id},
    )
    for dependency in depends_on:
        tx.session.add(RequestDependencyRow(request_id=request.id, depends_on_id=dependency))
    tx.requests.append(request.id)
    if depends_on:
        tx.waiting.append(request.id)
    return request


async def insert_request(tx: Transaction, kind: RequestKind, **columns: Any) -> RequestRow:
    """Insert a request of the transaction's caller, with the event that it was asked for."""
    request = RequestRow(
        kind=kind,
        priority=tx.priority,
        operator=tx.caller.operator,
        ticket=tx.caller.ticket,
        created_at=tx.now,
        **columns,
    )
    tx.session.add(request)
    await tx.session.flush()
    add_event(tx, request, "queued", said=f"{kind} asked for by {tx.caller.operator}")
    return request


async def supersede_waiting(tx: Transaction, row: AssignmentRow) -> tuple[dict[str, Any], bool]:
    """End what still waits; returns the last wish that reality was asked to follow, and whether work had begun."""
    previous, touched = snapshot(row), False
    if row.is_new:
        return previous, touched
    superseded: list[RequestRow] = []
    active = await tx.session.scalars(
        select(RequestRow)
        .where(RequestRow.assignment_id == row.id, RequestRow.state.in_(ACTIVE_STATES))
        .order_by(RequestRow.id.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for old in active:
        previous = {key: old.previous[key] for key in old.previous.keys() - OF_THE_REQUEST}
        touched = touched or old.attempt > 0 or bool(old.previous.get("touched"))
        if old.state != RequestState.RUNNING:
            old.state = RequestState.SUPERSEDED
            old.ended_at = tx.now
            add_event(tx, old, "superseded", said="A newer wish took its place.")
            superseded.append(old)
    await update_parents(tx, superseded)
    return previous, touched


def show(row: AssignmentRow, light: Light, word: Word, tx: Transaction, step: str = "") -> None:
    """Set the light and its word, forgetting an earlier error."""
    row.light, row.word, row.step, row.since = light, word, step, tx.now
    row.error_kind = row.error_said = row.error_remedy = ""


def add_event(
    tx: Transaction,
    request: RequestRow,
    kind: str,
    *,
    said: str,
    remedy: str = "",
    step: str = "",
    duration_ms: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add an event to the request."""
    tx.event(
        account_id=request.account_id,
        request_id=request.id,
        attempt=request.attempt,
        kind=kind,
        step=step,
        said=said,
        remedy=remedy,
        duration_ms=duration_ms,
        detail=dict(detail or {}),
    )


async def update_parents(tx: Transaction, children: Iterable[RequestRow]) -> None:
    """Let the parents' state follow their children: running, then succeeded, or failed when any failed."""
    parents = {child.parent_id for child in children if child.parent_id is not None}
    if not parents:
        return
    await tx.session.flush()
    # Of two children that end at the same moment, one must see both.
    await tx.session.execute(
        select(RequestRow.id)
        .where(RequestRow.id.in_(parents))
        .order_by(RequestRow.id)
        .with_for_update()
    )
    states: dict[int, set[str]] = {}
    rows = await tx.session.execute(
        select(RequestRow.parent_id, RequestRow.state)
        .where(RequestRow.parent_id.in_(parents))
        .distinct()
    )
    for parent_id, state in rows:
        states.setdefault(int(parent_id or 0), set()).add(state)
    by_state: dict[RequestState, list[int]] = {}
    for parent_id, found in states.items():
        by_state.setdefault(_of_parent(found), []).append(parent_id)
    for parent_state, ids in by_state.items():
        values: dict[str, Any] = {"state": parent_state}
        if parent_state not in ACTIVE_STATES:
            values["ended_at"] = tx.now
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.id.in_(ids), RequestRow.state.in_(ACTIVE_STATES))
            .values(**values)
        )


def _of_parent(states: set[str]) -> RequestState:
    """Return the state of a parent whose children have these."""
    if states & ACTIVE_STATES:
        return RequestState.RUNNING
    if RequestState.FAILED in states:
        return RequestState.FAILED
    if states == {RequestState.CANCELLED}:
        return RequestState.CANCELLED
    return RequestState.SUCCEEDED


class RequirementMissing(Conflict):
    """A service needs another one first: of the same user, or of the `owner`, a domain or the account."""

    def __init__(
        self, service: Service, required: Service, subject: str, owner: Subject | None = None
    ) -> None:
        together = "" if owner else ", or together with it"
        hint = f"Provision {required.name} to {owner.name if owner else subject} before{together}."
        if owner is not None:
            command = command_line("provision", *owner.words, required.id)
            hint = f"{hint.removesuffix('.')}: {command}"
        super().__init__(f"{service.name} needs {required.name} first.", hint=hint)
        self.service, self.required, self.owner = service, required, owner

    def said_of(self, subject: str) -> RequirementMissing:
        return RequirementMissing(self.service, self.required, subject, self.owner)


async def requirements(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    subject: Subject,
    service: Service,
) -> list[int]:
    """Return requests that must be green before this service can start.

    A required service of the user's directory account is wished for on the way. One of the user, of the domain or of
    the account must have been asked for already, else Conflict; a domain that is registered elsewhere needs no
    registration here.
    """
    waits: list[int] = []
    for required_id in service.requires:
        required = catalogue.service(required_id)
        owner = await _required_subject(tx, account, catalogue, subject, required)
        if owner is None:
            continue
        row = await find(tx, owner, required.id)
        if required.subject is SubjectKind.DIRECTORY and (row is None or row.wish == Wish.ABSENT):
            waits.append(await _wish_directory(tx, account, catalogue, owner, required))
        elif row is None or row.wish == Wish.ABSENT:
            others = required.subject in (SubjectKind.DOMAIN, SubjectKind.ACCOUNT)
            raise RequirementMissing(service, required, subject.name, owner if others else None)
        elif row.light != Light.GREEN:
            waits.extend(await last_request(tx, row.id))
    return waits


async def _required_subject(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, subject: Subject, required: Service
) -> Subject | None:
    match required.subject:
        case SubjectKind.DOMAIN:
            name = subject.domain.name if subject.domain else subject.name.partition("@")[2]
            key = (account.id, name)
            if key not in tx.domains:
                tx.domains[key] = await domain_row(tx.session, account.id, name)
            domain = tx.domains[key]
            registered = required.id in catalogue.registrations
            if domain is None or (registered and not domain.bought):
                return None
            return domain_subject(domain)
        case SubjectKind.USER | SubjectKind.DIRECTORY:
            return user_subject(subject.user, required.subject) if subject.user else None
        case SubjectKind.ACCOUNT:
            return account_subject(account)
        case SubjectKind.OBJECT:
            return None


async def _wish_directory(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    owner: Subject,
    required: Service,
) -> int:
    row = await find_or_make(tx, account, owner, required)
    level = required.levels[0]
    await seats.hold(tx, row, required, level.id)
    depends = await requirements(tx, account, catalogue, owner, required)
    if owner.user is not None and required.password is PasswordUse.USER:
        await take_users_password(tx, catalogue, owner.user, required, row)
    request = await enqueue(
        tx,
        row,
        RequestKind.PROVISION,
        wish=Wish.PRESENT,
        level_id=level.id,
        settings=required.validate_settings(level.id, {}),
        depends_on=depends,
    )
    return request.id


async def last_request(tx: Transaction, assignment_id: str) -> list[int]:
    """Return the newest request of a service instance; empty where it never had one."""
    found = await tx.session.scalar(
        select(RequestRow.id)
        .where(RequestRow.assignment_id == assignment_id)
        .order_by(RequestRow.id.desc())
        .limit(1)
    )
    return [found] if found is not None else []
