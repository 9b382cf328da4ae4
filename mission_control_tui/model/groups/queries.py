"""Objects as the outside sees them: lists, one object with its members, and who could be a member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import USER_MEMBER, Catalogue
from mission_control_tui.model.groups.members import kind_name
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.services.lights import views_of
from mission_control_tui.model.states import Light, Word
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.group_rows import members_of, object_row
from mission_control_tui.model.store.scope import AccountScope, Reach, Within
from mission_control_tui.model.store.tables.groups import MemberRow, ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import AssignmentView, view_of

FOUND = 8
"""How many candidates of each sort are offered while one types."""


@dataclass(frozen=True, slots=True)
class ObjectLine:
    """A row of the list. `removed`: it is being taken away, or was."""

    id: str
    account_id: int
    kind: str
    kind_name: str
    name: str
    address: str
    light: Light
    word: Word
    step: str
    since: datetime
    members: int
    removed: bool


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """Some rows of the list and how many there are in all."""

    rows: tuple[ObjectLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member, or who could be one. `kind` is `USER_MEMBER` or an object's kind; `address` what mail goes to."""

    id: str
    role: str
    kind: str
    kind_name: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class ObjectView:
    """An object with its fields, its service's light and its members, who stand in the order of roles and names."""

    id: str
    account_id: int
    kind: str
    kind_name: str
    name: str
    address: str
    settings: Mapping[str, object]
    members: tuple[MemberView, ...]
    member_of: tuple[tuple[str, str], ...]
    service: AssignmentView
    removed_at: datetime | None
    created_at: datetime
    version: int

    def having(self, role: str) -> tuple[MemberView, ...]:
        """Return the members in this role."""
        return tuple(member for member in self.members if member.role == role)


async def list_objects(
    scope: AccountScope,
    *,
    kind: str | None = None,
    query: str = "",
    removed: bool = False,
    limit: int = 200,
    offset: int = 0,
) -> ObjectPage:
    """Return the account's objects by name, of one kind where given; every word of `query` is in the name or address.

    Those that are being taken away stay until they are gone; `removed` lists what is gone instead.
    """
    async with scope.reading() as (session, within):
        found = await _found(session, within, kind, query, removed=removed)
        total = await session.scalar(select(func.count()).select_from(found.subquery()))
        return ObjectPage(await _lines(session, found, limit, offset), int(total or 0))


async def objects_of_all(
    scope: Reach,
    *,
    kind: str | None = None,
    query: str = "",
    removed: bool = False,
    limit: int = 200,
    offset: int = 0,
) -> tuple[ObjectLine, ...]:
    """Return what `list_objects` does of all accounts, by their codes first."""
    async with scope.reading() as (session, within):
        found = await _found(session, within, kind, query, removed=removed)
        return await _lines(session, found, limit, offset)


async def _found(
    session: AsyncSession, within: Within, kind: str | None, query: str, *, removed: bool
) -> Select[str]:
    """Return the statement for the ids of the objects that are listed, in order."""
    there = ObjectRow.removed_at.is_(None) | (AssignmentRow.light != Light.GREY)
    found = (
        within.by_code(select(ObjectRow.id), ObjectRow.account_id)
        .join(AssignmentRow, AssignmentRow.object_id == ObjectRow.id)
        .where(~there if removed else there, *_matching(query))
        .order_by(ObjectRow.sort_key, ObjectRow.id)
    )
    if kind is None:
        return found
    catalogue = (await in_force(session)).catalogue
    return found.where(ObjectRow.service_id == catalogue.kind(kind).id)


async def _lines(
    session: AsyncSession, found: Select[str], limit: int, offset: int
) -> tuple[ObjectLine, ...]:
    catalogue = (await in_force(session)).catalogue
    ids = list(await session.scalars(found.limit(limit).offset(max(0, offset))))
    counts = await _member_counts(session, ids)
    lines: dict[str, ObjectLine] = {}
    for some in batches(ids):
        rows = await session.execute(
            select(ObjectRow, AssignmentRow)
            .join(AssignmentRow, AssignmentRow.object_id == ObjectRow.id)
            .where(ObjectRow.id.in_(some))
        )
        for row, service in rows:
            lines[row.id] = ObjectLine(
                row.id,
                row.account_id,
                row.service_id,
                kind_name(catalogue, row.service_id),
                row.name,
                row.address,
                Light(service.light),
                Word(service.word),
                service.step or service.error_said,
                service.since,
                counts.get(row.id, 0),
                row.removed_at is not None,
            )
    return tuple(lines[key] for key in ids)


def _matching(query: str) -> list[ColumnElement[bool]]:
    return [
        or_(
            ObjectRow.sort_key.contains(word, autoescape=True),
            func.lower(ObjectRow.address).contains(word, autoescape=True),
        )
        for word in fold(query).split()
    ]


async def _member_counts(session: AsyncSession, ids: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for some in batches(ids):
        rows = await session.execute(
            select(MemberRow.object_id, func.count(func.distinct(MemberRow.subject_id)))
            .where(MemberRow.object_id.in_(some))
            .group_by(MemberRow.object_id)
        )
        counts |= {str(row[0]): int(row[1]) for row in rows}
    return counts


async def show_object(scope: AccountScope, key: str) -> ObjectView:
    """Return one object by id, address or name, also a removed one. Raises NotFound, UsageError (several)."""
    async with scope.read() as (session, account_id):
        row = await object_row(session, account_id, key, removed=True)
        return await object_view(session, row)


async def object_view(session: AsyncSession, row: ObjectRow) -> ObjectView:
    """Return the object as the outside sees it."""
    catalogue = (await in_force(session)).catalogue
    (service,) = await views_of(
        session,
        catalogue,
        select(AssignmentRow, ObjectRow.name)
        .join(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .where(AssignmentRow.object_id == row.id),
    )
    above = await session.execute(
        select(ObjectRow.id, ObjectRow.name)
        .join(MemberRow, MemberRow.object_id == ObjectRow.id)
        .where(MemberRow.member_id == row.id, ObjectRow.removed_at.is_(None))
        .order_by(ObjectRow.sort_key, ObjectRow.id)
    )
    return view_of(
        ObjectView,
        row,
        kind=row.service_id,
        kind_name=kind_name(catalogue, row.service_id),
        settings=dict(row.details),
        members=await _members(session, catalogue, row),
        member_of=tuple(dict.fromkeys((group_id, called) for group_id, called in above)),
        service=service,
    )


async def _members(
    session: AsyncSession, catalogue: Catalogue, row: ObjectRow
) -> tuple[MemberView, ...]:
    found = [
        MemberView(
            ident,
            role,
            kind or USER_MEMBER,
            kind_name(catalogue, kind) if kind else "User",
            name,
            address,
        )
        for role, ident, kind, name, address in await session.execute(members_of(row.id))
    ]
    kind = next((kind for kind in catalogue.kinds if kind.id == row.service_id), None)
    order = {role.id: index for index, role in enumerate(kind.roles if kind else ())}
    found.sort(key=lambda who: (order.get(who.role, len(order)), fold(who.name), who.id))
    return tuple(found)


async def choices(scope: AccountScope, kind: str, role: str, query: str) -> tuple[MemberView, ...]:
    """Return who could have the role in an object of this kind, found as one types: users first, then objects."""
    async with scope.read() as (session, _):
        catalogue = (await in_force(session)).catalogue
    accepts = catalogue.kind(kind).role(role).accepts
    found: list[MemberView] = []
    if USER_MEMBER in accepts:
        users = await page(scope, UserFilter(query), limit=FOUND)
        found += [
            MemberView(row.id, role, USER_MEMBER, "User", row.display_name, row.upn)
            for row in users.rows
        ]
    for accepted in accepts:
        if accepted == USER_MEMBER:
            continue
        objects = await list_objects(scope, kind=accepted, query=query, limit=FOUND)
        found += [
            MemberView(line.id, role, line.kind, line.kind_name, line.name, line.address)
            for line in objects.rows
            if not line.removed
        ]
    typed = lookup_key(query)
    found.sort(key=lambda choice: choice.address.casefold() != typed)
    return tuple(found)
