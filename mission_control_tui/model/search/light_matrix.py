"""Lights as a matrix: users down, services across, narrowed and put in order by the database.

Like the list of users, it is read from indexes: the listing's, the search terms' or, where few services are meant,
those of lights, levels and drift; only the users of a page are fetched with their services.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.filters import ALL, UserFilter, UserOrder
from mission_control_tui.model.search.light_rows import (
    LightColumn,
    MatrixPage,
    coded,
    rows_of,
)
from mission_control_tui.model.search.user_queries import (
    COUNT_LIMIT,
    UserQuery,
    by_name,
    count_of,
    of_user,
)
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.lookups import bought_services
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow


async def columns(scope: AccountScope) -> tuple[LightColumn, ...]:
    """Return the services across, in the catalogue's order: those for users that were bought or that somebody has."""
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        bought = await bought_services(session, account_id)
        given = {
            service.id
            for service in catalogue.services
            if service.subject is SubjectKind.USER
            and service.id not in bought
            and await session.scalar(
                select(AssignmentRow.id)
                .where(
                    AssignmentRow.account_id == account_id, AssignmentRow.service_id == service.id
                )
                .limit(1)
            )
        }
    return coded(catalogue, bought | given)


async def page(
    scope: AccountScope,
    wanted: UserFilter = ALL,
    order: UserOrder = UserOrder.NAME,
    *,
    offset: int = 0,
    limit: int = 50,
) -> MatrixPage:
    """Return the rows from `offset` on. By age, users without anything red or orange come last, by name."""
    offset = max(0, offset)
    async with scope.read() as (session, account_id):
        asked = await UserQuery.of(session, account_id, wanted)
        order = asked.ordered(order)
        found: list[str] = []
        before = 0
        if order is not UserOrder.NAME:
            aged = asked.aged(order)
            before = await count_of(session, aged)
            found = await _ids(session, asked.by_age(aged, order), offset, limit)
        rests = asked.may_rest(order)
        total, bounded = before, rests and asked.bounded
        if rests:
            every = asked.keys()
            total = await count_of(session, every.limit(COUNT_LIMIT + 1) if bounded else every)
            if len(found) < limit:
                rest = by_name(asked.keys(without=order is not UserOrder.NAME))
                start = max(0, offset - before)
                found += await _ids(session, rest, start, limit - len(found))
        rows = await rows_of(session, found)
    if bounded and total > COUNT_LIMIT:
        total = max(COUNT_LIMIT, before, offset + len(rows))
        return MatrixPage(rows, total, more=len(found) == limit)
    return MatrixPage(rows, total)


async def place(
    scope: AccountScope, user_id: str, wanted: UserFilter = ALL, order: UserOrder = UserOrder.NAME
) -> int | None:
    """Return at which place this user stands now, 0 the first; None where nobody of this id is looked at."""
    async with scope.read() as (session, account_id):
        asked = await UserQuery.of(session, account_id, wanted)
        return await _place(session, asked, user_id, asked.ordered(order))


async def ids(
    scope: AccountScope,
    wanted: UserFilter = ALL,
    order: UserOrder = UserOrder.NAME,
    *,
    first: str | None = None,
    last: str | None = None,
) -> tuple[str, ...]:
    """Return ids of all who are looked at, in order; with `first` and `last` those from one to the other, both too.

    Nobody where one of these two is not among them.
    """
    async with scope.read() as (session, account_id):
        asked = await UserQuery.of(session, account_id, wanted)
        order = asked.ordered(order)
        start, end = 0, None
        if first is not None and last is not None:
            places = [await _place(session, asked, user, order) for user in (first, last)]
            known = [place for place in places if place is not None]
            if len(known) < len(places):
                return ()
            start, end = min(known), max(known) + 1
        found: list[str] = []
        before = 0
        if order is not UserOrder.NAME:
            aged = asked.by_age(asked.aged(order), order)
            found = await _ids(session, aged, 0, end)
            before, found = len(found), found[start:]
        if asked.may_rest(order) and (end is None or end > before):
            rest = by_name(asked.keys(without=order is not UserOrder.NAME))
            skipped = max(0, start - before)
            limit = None if end is None else end - before - skipped
            found += await _ids(session, rest, skipped, limit)
    return tuple(found)


async def among(
    scope: AccountScope, users: Collection[str], wanted: UserFilter = ALL
) -> frozenset[str]:
    """Return those of `users`, by id, who are looked at; whoever was deleted is not."""
    found: set[str] = set()
    async with scope.read() as (session, account_id):
        words = search.words_of(wanted.text)
        for chunk in batches(sorted(users)):
            statement = select(UserRow.id).where(
                UserRow.id.in_(chunk), *of_user(account_id, wanted, words)
            )
            found.update(await session.scalars(statement))
    return frozenset(found)


async def _place(
    session: AsyncSession, asked: UserQuery, user_id: str, order: UserOrder
) -> int | None:
    before = 0
    if order is not UserOrder.NAME:
        aged = asked.aged(order)
        since, sort_key, ident = aged.selected_columns
        own = (await session.execute(aged.where(ident == user_id))).one_or_none()
        if own is not None:
            earlier = since < own[0] if order is UserOrder.OLDEST else since > own[0]
            same = and_(since == own[0], tuple_(sort_key, ident) < tuple_(own[1], own[2]))
            return await count_of(session, aged.where(or_(earlier, same)))
        if not asked.may_rest(order):
            return None
        before = await count_of(session, aged)
    rest = asked.keys(without=order is not UserOrder.NAME)
    sort_key, ident = rest.selected_columns
    mine = (await session.execute(rest.where(ident == user_id).limit(1))).one_or_none()
    if mine is None:
        return None
    ahead = rest.where(tuple_(sort_key, ident) < tuple_(*mine))
    return before + await count_of(session, ahead)


async def _ids(
    session: AsyncSession, ordered: Select[*tuple[Any, ...]], offset: int, limit: int | None
) -> list[str]:
    if limit is not None:
        ordered = ordered.limit(limit)
    return list(await session.scalars(ordered.offset(offset)))
