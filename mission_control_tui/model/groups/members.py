"""Members of objects: who may be one, who leaves with what, and which objects have to be told.

A membership is stated here and reaches the back end with the object's next request, as the member's address. Who loses
a service that a role requires, or is deleted, leaves in the same transaction, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import USER_MEMBER, Catalogue, Role, Service
from mission_control_tui.model.errors import InRecycleBin, MissionControlError, NotFound, Problem
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services.forwarding import circle
from mission_control_tui.model.services.setting_references import ChangedObject, drop, follow
from mission_control_tui.model.services.subjects import object_subject
from mission_control_tui.model.services.wishes import enqueue, last_request, requirements
from mission_control_tui.model.states import Light, RequestKind, SubjectKind, Wish
from mission_control_tui.model.store.group_rows import NAMED, objects_called
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless


@dataclass(frozen=True, slots=True)
class MemberCandidate:
    """Who could be a member: a user, or another object of the account."""

    id: str
    kind: str
    name: str
    address: str
    user: UserRow | None = None
    object: ObjectRow | None = None


async def candidate(
    session: AsyncSession, account_id: int, key: str, where: str
) -> MemberCandidate | Problem:
    """Return the user or object that `key` means (an id, address, username or name), or why there is none."""
    found = [
        row for row in await objects_called(session, account_id, key) if row.removed_at is None
    ]
    user: UserRow | None = None
    unknown: MissionControlError | None = None
    try:
        user = await user_row(session, account_id, key)
    except MissionControlError as error:
        unknown = error
    shown = harmless(key)
    if len(found) + (user is not None) > 1:
        names = [f"{row.name} ({row.address})" for row in found[:NAMED]]
        names += [user.upn] if user is not None else []
        return Problem(
            where, f"{shown} means more than one: {', '.join(names)}", "give the address"
        )
    if user is not None:
        return MemberCandidate(user.id, USER_MEMBER, user.display_name, user.upn, user=user)
    if found:
        row = found[0]
        return MemberCandidate(row.id, row.service_id, row.name, row.address, object=row)
    if isinstance(unknown, InRecycleBin):
        return Problem(where, f"{shown} is in the recycling bin", "restore that user first")
    return Problem(
        where, f"{shown} is no user and no object of this account", "find it by part of its name"
    )


async def refused(
    tx: Transaction,
    catalogue: Catalogue,
    service: Service,
    row: ObjectRow,
    role: Role,
    member: MemberCandidate,
) -> Problem | None:
    """Return why `member` cannot have the role in the object, or None."""
    name = harmless(member.name)
    if member.kind not in role.accepts:
        kinds = ", ".join(
            "users" if kind == USER_MEMBER else f"{catalogue.service(kind).name}s"
            for kind in role.accepts
        )
        what = "a user" if member.kind == USER_MEMBER else f"a {kind_name(catalogue, member.kind)}"
        return Problem(role.id, f"{name} is {what}", f"a {role.name} can be: {kinds}")
    if member.object is not None and await _contains(tx.session, member.object, row):
        what = f"{name} has {harmless(row.name)} in it: they would contain each other"
        return Problem(role.id, what, "take it out there first")
    if member.user is not None:
        for required in role.requires:
            if not await _has(tx.session, member.user, required):
                what = f"{member.user.upn} has no {catalogue.service(required).name}"
                return Problem(role.id, what, "provision it first, or leave this user out")
    loop = await circle(tx.session, catalogue, row.id, member.id) if role.mailed else None
    if loop is None:
        return None
    if not loop.is_kept:
        return loop.problem(role.id)
    tx.warn(loop.warning)
    return None


def kind_name(catalogue: Catalogue, kind: str) -> str:
    """Return what the kind is called; one that left the catalogue shows by its id."""
    return next((service.name for service in catalogue.services if service.id == kind), kind)


async def _has(session: AsyncSession, user: UserRow, service_id: str) -> bool:
    there = exists().where(
        AssignmentRow.user_id == user.id,
        AssignmentRow.subject_kind == SubjectKind.USER,
        AssignmentRow.service_id == service_id,
        AssignmentRow.wish != Wish.ABSENT,
    )
    return bool(await session.scalar(select(there)))


async def _contains(session: AsyncSession, outer: ObjectRow, inner: ObjectRow) -> bool:
    """Tell whether `inner` is `outer`, or a member of it through any number of others, in whatever role."""
    seen: set[str] = set()
    following = {outer.id}
    while following:
        if inner.id in following:
            return True
        seen |= following
        found = await session.scalars(
            select(MemberRow.member_id).where(
                MemberRow.object_id.in_(following), MemberRow.member_id.is_not(None)
            )
        )
        following = {inside for inside in found if inside is not None} - seen
    return False


async def waits_for(
    tx: Transaction, account: AccountRow, catalogue: Catalogue, service: Service, row: ObjectRow
) -> list[int]:
    """Return requests that have to be green before the object's: of its domain, and of members not made yet.

    Who exists at the back end already is not waited for, whatever its light.
    """
    waits = await requirements(tx, account, catalogue, object_subject(row), service)
    unmade = (AssignmentRow.observed_wish == Wish.ABSENT) & (AssignmentRow.light != Light.GREEN)
    of_members = (
        select(AssignmentRow.id)
        .join(MemberRow, MemberRow.object_id == row.id)
        .where(AssignmentRow.wish != Wish.ABSENT, unmade)
    )
    ids = set(
        await tx.session.scalars(of_members.where(MemberRow.member_id == AssignmentRow.object_id))
    )
    for role in service.roles:
        if role.requires:
            found = of_members.where(
                MemberRow.user_id == AssignmentRow.user_id,
                MemberRow.role == role.id,
                AssignmentRow.service_id.in_(role.requires),
            )
            ids |= set(await tx.session.scalars(found))
    for assignment_id in sorted(ids):
        waits += await last_request(tx, assignment_id)
    return waits


def add(row: ObjectRow, role: str, member: MemberCandidate) -> MemberRow:
    """Return the row of a new member."""
    return MemberRow(
        object_id=row.id,
        role=role,
        subject_id=member.id,
        user_id=member.user.id if member.user else None,
        member_id=member.object.id if member.object else None,
    )


async def tell(tx: Transaction, object_ids: Collection[str]) -> dict[str, int]:
    """Queue these objects again, for what they are told has changed; object id -> request.

    Removed ones, and those that are not wished for, are left alone.
    """
    if not object_ids:
        return {}
    await tx.session.flush()
    catalogue = (await in_force(tx.session)).catalogue
    rows = await tx.session.scalars(
        select(ObjectRow)
        .where(ObjectRow.id.in_(object_ids), ObjectRow.removed_at.is_(None))
        .order_by(ObjectRow.id)
    )
    queued: dict[str, int] = {}
    for row in rows.all():
        assignment = await tx.session.scalar(
            select(AssignmentRow)
            .where(AssignmentRow.object_id == row.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if assignment is None or assignment.wish == Wish.ABSENT:
            continue
        account = await tx.session.get_one(AccountRow, row.account_id)
        service = catalogue.service(row.service_id)
        waits = await waits_for(tx, account, catalogue, service, row)
        request: RequestRow = await enqueue(tx, assignment, RequestKind.EDIT, depends_on=waits)
        queued[row.id] = request.id
    return queued


async def tell_objects_of(
    tx: Transaction, *, user_id: str | None = None, object_id: str | None = None
) -> None:
    """Queue every object that a user or object with another address is a member of; settings call it by the new one."""
    named: list[ChangedObject] = []
    if user_id is not None:
        user = await tx.session.get_one(UserRow, user_id)
        named = await follow(tx, user.upn, user_id=user_id)
    elif object_id is not None:
        row = await tx.session.get_one(ObjectRow, object_id)
        named = await follow(tx, row.address, object_id=object_id)
    member = MemberRow.user_id == user_id if user_id else MemberRow.member_id == object_id
    ids = set(await tx.session.scalars(select(MemberRow.object_id).where(member)))
    queued = await tell(tx, {*ids, *(changed.row.id for changed in named)})
    await _record_settings(tx, named, queued)


async def leave(
    tx: Transaction,
    *,
    user: UserRow | None = None,
    member: ObjectRow | None = None,
    lost: str = "",
) -> None:
    """Take a user or an object out of every object, or out of the roles that require the service `lost`.

    Each object is queued again; plan and audit have a line for each. Settings of services that mean it lose it too.
    """
    named: list[ChangedObject] = []
    if user is not None:
        named = await drop(tx, user.upn, user_id=user.id, lost=lost)
    elif member is not None:
        named = await drop(tx, member.address, object_id=member.id)
    mine = MemberRow.user_id == user.id if user else MemberRow.member_id == (member and member.id)
    found = (
        await tx.session.execute(
            select(MemberRow, ObjectRow)
            .join(ObjectRow, ObjectRow.id == MemberRow.object_id)
            .where(mine)
            .order_by(ObjectRow.sort_key, ObjectRow.id, MemberRow.role)
        )
    ).all()
    catalogue = (await in_force(tx.session)).catalogue
    left: dict[str, tuple[ObjectRow, list[str]]] = {}
    for membership, row in found:
        if not lost or lost in _requires(catalogue, row, membership.role):
            left.setdefault(row.id, (row, []))[1].append(membership.role)
            await tx.session.execute(delete(MemberRow).where(MemberRow.id == membership.id))
    who = user.upn if user else member.address if member else ""
    queued = await tell(tx, {*left, *(changed.row.id for changed in named)})
    await _record_settings(tx, named, queued)
    there = [(row, roles) for row, roles in left.values() if row.removed_at is None]
    for row, roles in there:
        row.version += 1
        await record_members(
            tx, catalogue, row, gone=[(role, who) for role in roles], request_id=queued.get(row.id)
        )
    if there:
        names = ", ".join(harmless(row.name) for row, _ in there[:NAMED])
        more = f" and {len(there) - NAMED} more" if len(there) > NAMED else ""
        tx.warn(f"{who} leaves {names}{more}. Nothing brings it back there by itself.")
    for row, roles in there:
        await _warn_of_none_left(tx, catalogue, row, roles)


async def _record_settings(
    tx: Transaction, named: Iterable[ChangedObject], queued: Mapping[str, int]
) -> None:
    """Add a line to plan and audit for each object whose settings named somebody."""
    catalogue = (await in_force(tx.session)).catalogue
    for changed in named:
        row = changed.row
        tx.record(
            PlanVerb.CHANGED,
            "object",
            f"{row.name} ({kind_name(catalogue, row.service_id)})",
            before=changed.before,
            after=changed.after,
            action=AuditAction.CHANGE,
            of=row.service_id,
            request_id=queued.get(row.id),
            version=row.version,
            assignment_id=await tx.session.scalar(
                select(AssignmentRow.id).where(AssignmentRow.object_id == row.id)
            ),
        )


def _requires(catalogue: Catalogue, row: ObjectRow, role: str) -> Sequence[str]:
    try:
        return catalogue.service(row.service_id).role(role).requires
    except NotFound:
        return ()


async def _warn_of_none_left(
    tx: Transaction, catalogue: Catalogue, row: ObjectRow, roles: Iterable[str]
) -> None:
    for role in roles:
        left = await tx.session.scalar(
            select(func.count()).where(MemberRow.object_id == row.id, MemberRow.role == role)
        )
        if not left:
            name = catalogue.service(row.service_id).role(role).name
            tx.warn(f"{harmless(row.name)} has no {name} then.")


async def record_members(
    tx: Transaction,
    catalogue: Catalogue,
    row: ObjectRow,
    *,
    new: Sequence[tuple[str, str]] = (),
    gone: Sequence[tuple[str, str]] = (),
    request_id: int | None,
) -> None:
    """Add one line to plan and audit: who came and who went, (role, address) each."""
    await tx.session.flush()
    tx.record(
        PlanVerb.CHANGED,
        "members",
        f"{row.name} ({kind_name(catalogue, row.service_id)})",
        before=_by_role(gone),
        after=_by_role(new),
        action=AuditAction.CHANGE_MEMBERS,
        request_id=request_id,
        version=row.version,
        assignment_id=await tx.session.scalar(
            select(AssignmentRow.id).where(AssignmentRow.object_id == row.id)
        ),
    )


def _by_role(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    for role, address in pairs:
        found.setdefault(role, []).append(address)
    return {role: sorted(addresses) for role, addresses in found.items()}
