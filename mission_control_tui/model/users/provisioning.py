"""The verbs on a user's services: provision, change level or settings, suspend, resume, deprovision. All are wishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from mission_control_tui.model import command_words as phrasing
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.catalogue.values import Value
from mission_control_tui.model.errors import Conflict, NotFound, UsageError
from mission_control_tui.model.groups.members import leave
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.services import sealed_passwords as secrets
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.wishes import (
    Subject,
    enqueue,
    find,
    find_or_make,
    requirements,
    user_subject,
)
from mission_control_tui.model.states import Light, Priority, RequestKind, SubjectKind, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_id_of, account_row, user_row
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One service to give. Without a level the present one stays, or the only one owned is taken.

    `suspended` None leaves that as it is.
    """

    service: str
    level: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    instance: str = ""
    adopt: bool = False
    suspended: bool | None = None


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """What became of one wanted service. `request_id` is None when nothing had to change.

    `password` is a password made for this instance, revealed here and never again.
    """

    assignment_id: str
    service_id: str
    level_id: str
    backend_name: str
    request_id: int | None
    password: str | None = field(default=None, repr=False)


@retries_on_conflict
async def provision(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    wanted: Sequence[ServiceRequest],
    *,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[tuple[ServiceResult, ...]]:
    """Give services to a user, or change the level or settings of those the user has, in one transaction.

    What is so already, or on its way, is left alone. A red light is tried again.
    Raises NotFound, UsageError, InvalidInput (settings), NoSeats, Conflict (not bought, password needed).
    """
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        owner = await account_row(tx.session, caller, account_id)
        catalogue = (await in_force(tx.session)).catalogue
        target = await user_row(tx.session, account_id, user, lock=True)
        given = tuple(
            [
                await provision_in(tx, owner, catalogue, target, one, priority=priority)
                for one in _in_order(catalogue, wanted)
            ]
        )
    return Outcome(given, tx.plan, not dry_run)


def _in_order(catalogue: Catalogue, wanted: Sequence[ServiceRequest]) -> list[ServiceRequest]:
    """Services that others require come first, so that both can be asked for in one go."""
    order = {service.id: len(catalogue.requirements(service.id)) for service in catalogue.services}
    return sorted(wanted, key=lambda one: order[catalogue.service(one.service).id])


async def provision_in(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    user: UserRow,
    wanted: ServiceRequest,
    *,
    priority: int,
) -> ServiceResult:
    """One service for one user, inside the caller's transaction."""
    service = catalogue.service(wanted.service)
    if service.subject is not SubjectKind.USER:
        raise UsageError(
            f"{service.name} is not given to users: it belongs to the {service.subject}.",
            hint="Make one with `mission-control objects create`."
            if service.subject is SubjectKind.OBJECT
            else "Buy it; it is provisioned by itself.",
        )
    if service.seats and not await seats.is_bought(tx.session, account.id, service):
        raise Conflict(
            f"The account has not bought {service.name}.",
            hint="A service must be bought before it can be provisioned.",
        )
    subject = user_subject(user)
    row = await find_or_make(tx, account, subject, service, wanted.instance)
    level_id = await _level(tx, account, service, row, wanted.level)
    previous = row.settings if row.wish != Wish.ABSENT else {}
    settings: dict[str, Value] = service.validate_settings(level_id, wanted.settings, previous)
    suspended = row.wish == Wish.SUSPENDED if wanted.suspended is None else wanted.suspended
    wish = Wish.SUSPENDED if suspended else Wish.PRESENT
    before = {"level": row.level_id, **row.settings} if row.wish != Wish.ABSENT else {}
    after = {"level": level_id, **settings}
    row_wish = Wish(row.wish)
    on_its_way = row.light == Light.ORANGE and row.word != Word.NOT_CHECKED
    agrees = row.light == Light.GREEN and not row.drift
    if row.wish == wish and before == after and (agrees or on_its_way):
        tx.record(PlanVerb.UNCHANGED, "service", _label(user, service, wanted.instance))
        return ServiceResult(row.id, service.id, level_id, row.backend_name, None)
    kind = RequestKind.CHANGE if row.wish != Wish.ABSENT else RequestKind.PROVISION
    await seats.hold(tx, row, service, level_id)
    password = await _password(tx, user, service, row)
    waits = await requirements(tx, account, catalogue, subject, service, priority=priority)
    request = await enqueue(
        tx,
        row,
        kind,
        priority=priority,
        wish=wish,
        level_id=level_id,
        settings=settings,
        depends_on=waits,
    )
    if wanted.adopt:
        request.previous = {**request.previous, "adopt": True}
    tx.command(
        *phrasing.provision(
            user.upn,
            service.id,
            level_id,
            {name: settings[name] for name in wanted.settings if name in settings},
            instance=wanted.instance,
            adopt=wanted.adopt,
            new_password=password is not None,
        )
    )
    if suspended != (row_wish == Wish.SUSPENDED):
        tx.command(
            *phrasing.turn("suspend" if suspended else "resume", user.upn, service.id, row.instance)
        )
        before, after = {**before, "wish": str(row_wish)}, {**after, "wish": str(wish)}
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    tx.record(
        PlanVerb.CREATED if row_wish == Wish.ABSENT else PlanVerb.CHANGED,
        "service",
        _label(user, service, wanted.instance),
        before={key: before[key] for key in sorted(changed & before.keys())},
        after={
            **{key: after[key] for key in sorted(changed & after.keys())},
            **({"adopt": True} if wanted.adopt else {}),
        },
        action=AuditAction(kind),
        of=service.id,
        user_id=user.id,
        request_id=request.id,
        assignment_id=row.id,
    )
    return ServiceResult(row.id, service.id, level_id, row.backend_name, request.id, password)


def _label(user: UserRow, service: Service, instance: str) -> str:
    return f"{user.upn} {service.name}" + (f" ({instance})" if instance else "")


async def _level(
    tx: Transaction, account: AccountRow, service: Service, row: AssignmentRow, wanted: str | None
) -> str:
    if wanted is not None:
        level = service.level(wanted)
        if level.withdrawn and level.id != row.level_id:
            raise Conflict(
                f"{level.name} is withdrawn: only those who have it may keep it.",
                hint="Choose another level.",
            )
        return level.id
    if row.wish != Wish.ABSENT and row.level_id:
        return row.level_id
    owned = (
        await seats.owned_levels(tx.session, account.id, service)
        if service.seats
        else tuple(level.id for level in service.levels if not level.withdrawn)
    )
    if len(owned) == 1:
        return owned[0]
    names = ", ".join(f"{level} ({service.level(level).name})" for level in owned)
    raise UsageError(f"{service.name} needs a level.", hint=f"Choose one of: {names}.")


async def _password(
    tx: Transaction, user: UserRow, service: Service, row: AssignmentRow
) -> str | None:
    """See to it that a password is there for the back end, if it needs one; returns one that was made here."""
    if row.password_delivered or row.secret_id is not None or service.password is PasswordUse.NONE:
        return None
    if service.password is PasswordUse.USER:
        if user.secret_id is None:
            raise Conflict(
                f"{service.name} needs {user.upn}'s password, which is not kept once it is delivered.",
                hint="Reset the password, then provision again.",
            )
        row.secret_id = user.secret_id
        return None
    password = secrets.generate()
    row.secret_id = await secrets.keep(tx, row.account_id, password)
    return password


_VERBS: dict[RequestKind, tuple[Wish, frozenset[Wish]]] = {
    RequestKind.SUSPEND: (Wish.SUSPENDED, frozenset({Wish.PRESENT})),
    RequestKind.RESUME: (Wish.PRESENT, frozenset({Wish.SUSPENDED})),
    RequestKind.DEPROVISION: (Wish.ABSENT, frozenset({Wish.PRESENT, Wish.SUSPENDED})),
}


@retries_on_conflict
async def change_wish(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    service: str,
    kind: RequestKind,
    *,
    instance: str = "",
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[tuple[ServiceResult, ...]]:
    """Suspend, resume or deprovision one service of a user. Already so: nothing changes.

    Raises NotFound when the user never had the service.
    """
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        catalogue = (await in_force(tx.session)).catalogue
        target = await user_row(tx.session, account_id, user, lock=True)
        wanted = catalogue.service(service)
        row = await find(tx, user_subject(target), wanted.id, instance)
        if row is None or (row.wish == Wish.ABSENT and kind is not RequestKind.DEPROVISION):
            raise NotFound(
                f"{target.upn} has no {wanted.name}.",
                hint=f"`mission-control status {target.upn}` shows what there is.",
            )
        given = await change_wish_in(tx, target, wanted, row, kind, priority=priority)
    return Outcome((given,), tx.plan, not dry_run)


@retries_on_conflict
async def deprovision_all(
    store: Store,
    caller: Caller,
    account: int | str,
    user: str,
    *,
    priority: int = Priority.INTERACTIVE,
    dry_run: bool = False,
) -> Outcome[tuple[ServiceResult, ...]]:
    """Take every service away from a user; what is gone already is left alone."""
    account_id = await account_id_of(store, caller, account)
    async with store.write(caller, account_id, dry_run=dry_run) as tx:
        catalogue = (await in_force(tx.session)).catalogue
        target = await user_row(tx.session, account_id, user, lock=True)
        rows = await tx.session.scalars(
            select(AssignmentRow)
            .where(AssignmentRow.user_id == target.id)
            .order_by(AssignmentRow.service_id, AssignmentRow.instance)
            .with_for_update()
        )
        given = tuple(
            [
                await change_wish_in(
                    tx,
                    target,
                    catalogue.service(row.service_id),
                    row,
                    RequestKind.DEPROVISION,
                    priority=priority,
                )
                for row in rows
            ]
        )
    return Outcome(given, tx.plan, not dry_run)


async def change_wish_in(
    tx: Transaction,
    user: UserRow,
    service: Service,
    row: AssignmentRow,
    kind: RequestKind,
    *,
    priority: int,
) -> ServiceResult:
    """Turn one wish to present, suspended or absent, unless it is so already.

    What is red, was not checked or has drifted is asked for again.
    """
    wish, from_states = _VERBS[kind]
    settled = row.light != Light.RED and row.word != Word.NOT_CHECKED and not row.drift
    if settled and (row.wish == wish or row.wish not in from_states):
        tx.record(PlanVerb.UNCHANGED, "service", _label(user, service, row.instance))
        return ServiceResult(row.id, service.id, row.level_id, row.backend_name, None)
    before = {"wish": str(row.wish), "level": row.level_id}
    request = await enqueue(tx, row, kind, priority=priority, wish=wish)
    if wish is Wish.ABSENT:
        await leave(tx, user=user, lost=service.id, priority=priority)
    tx.command(*phrasing.turn(str(kind), user.upn, service.id, row.instance))
    tx.record(
        PlanVerb.REMOVED if wish is Wish.ABSENT else PlanVerb.CHANGED,
        "service",
        _label(user, service, row.instance),
        before=before,
        after={"wish": str(wish)},
        action=AuditAction(kind),
        of=service.id,
        user_id=user.id,
        request_id=request.id,
        assignment_id=row.id,
    )
    return ServiceResult(row.id, service.id, row.level_id, row.backend_name, request.id)


async def wish_for_domain(
    tx: Transaction,
    account: AccountRow,
    catalogue: Catalogue,
    subject: Subject,
    service_id: str,
    *,
    level_id: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> ServiceResult:
    """Have a bought domain name registered: its assignment, its request. Without a level the first one is taken."""
    service = catalogue.service(service_id)
    row = await find_or_make(tx, account, subject, service)
    level = service.level(level_id) if level_id is not None else service.levels[0]
    request = await enqueue(
        tx,
        row,
        RequestKind.PROVISION,
        priority=Priority.INTERACTIVE,
        wish=Wish.PRESENT,
        level_id=level.id,
        settings=service.validate_settings(level.id, settings or {}),
    )
    tx.record(
        PlanVerb.CREATED,
        "service",
        f"{subject.name} {service.name}",
        after={"level": level.id},
        action=AuditAction.PROVISION,
        of=service.id,
        request_id=request.id,
    )
    return ServiceResult(row.id, service.id, level.id, row.backend_name, request.id)
