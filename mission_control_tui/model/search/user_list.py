"""Lists of users: a page from anywhere in the order, what is found as one types, and counts of lights.

The order, the filters and the search are read from indexes alone; only the users of the page itself are fetched, with
their lights and the total, in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.search import index as search
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow
from mission_control_tui.model.store.user_rows import PURGED_SORT_KEY
from mission_control_tui.model.views import UserLine

COUNT_LIMIT = 1_000
"""What a search or a filter by light finds is counted up to here; beyond, there are just more."""

FEW = 2_000
"""Lights; up to so many are followed to their users, above them users are asked for their lights."""

NEAR = 500
"""Up to this place in what is found, the first terms in order are taken before they are reduced to users."""

_TERMS_PER_USER = 2
"""Terms of one user that begin alike: more of them cost a second look."""


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some rows of a list. `total` is how many there are in all; with `more`, at least so many."""

    rows: tuple[UserLine, ...]
    total: int
    more: bool = False


async def page(
    store: Store,
    caller: Caller,
    account: int | str,
    *,
    query: str = "",
    light: Light | None = None,
    disabled: bool | None = None,
    in_bin: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> UserPage:
    """The rows from `offset` on, by display name: of all users, or of those whom `query` finds (see `search`).

    `light` keeps those of whose services at least one shows it; `in_bin` lists the recycling bin instead.
    """
    offset = max(0, offset)
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        words = search.words_of(query)
        few = light is not None and await _few(session, account_id, light)
        if not words or few:
            found = _listed(account_id, words, light, disabled, in_bin=in_bin, few=few)
            bounded = light is not None and not few
            keys = exact = _counted(found, found, offset, limit, narrow=few, bounded=bounded)
        else:
            ranked = await search.ranked(session, account_id, words, in_bin=in_bin)
            filters = _filters(account_id, light, disabled)
            every = ranked.matches(account_id, in_bin=in_bin).where(*filters)
            # Counted one by one, for that can end early.
            one_by_one = ranked.matches(account_id, in_bin=in_bin, intersect=False)
            found = one_by_one.where(*filters).distinct()
            bounded = not ranked.rare
            keys = exact = _counted(
                every.distinct(), found, offset, limit, narrow=ranked.rare, bounded=bounded
            )
            if bounded and offset + limit <= NEAR:
                first = _first(every, offset + limit)
                keys = _counted(first, found, offset, limit, narrow=False, bounded=True)
        lines, counted = await _read(session, keys)
        if exact is not keys and _is_short(lines, counted, offset, limit):
            lines, counted = await _read(session, exact)
        if counted is None:
            past_the_end = await session.scalar(select(_count(found))) if offset else 0
            return UserPage((), int(past_the_end or 0))
        if bounded and counted > COUNT_LIMIT:
            return UserPage(lines, max(COUNT_LIMIT, offset + len(lines)), more=len(lines) == limit)
        return UserPage(lines, counted)


async def place(
    store: Store,
    caller: Caller,
    account: int | str,
    user_id: str,
    *,
    query: str = "",
    light: Light | None = None,
    disabled: bool | None = None,
    in_bin: bool = False,
) -> int | None:
    """At which place in such a list (see `page`) this user stands now, 0 the first; None where it is not in it."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        words = search.words_of(query)
        few = light is not None and await _few(session, account_id, light)
        if not words or few:
            found = _listed(account_id, words, light, disabled, in_bin=in_bin, few=few)
        else:
            ranked = await search.ranked(session, account_id, words, in_bin=in_bin)
            matches = ranked.matches(account_id, in_bin=in_bin)
            found = matches.where(*_filters(account_id, light, disabled)).distinct()
        sort_key, ident = found.selected_columns
        own = (await session.execute(found.where(ident == user_id).limit(1))).one_or_none()
        if own is None:
            return None
        before = found.where(tuple_(sort_key, ident) < tuple_(*own))
        return int(await session.scalar(select(_count(before))) or 0)


def _is_short(lines: Sequence[UserLine], counted: int | None, offset: int, limit: int) -> bool:
    """Whether rows are missing that the count says, or may say, are there."""
    if counted is None:
        return offset > 0
    return len(lines) < (limit if counted > COUNT_LIMIT else min(limit, counted - offset))


def _listed(
    account_id: int,
    words: Sequence[str],
    light: Light | None,
    disabled: bool | None,
    *,
    in_bin: bool,
    few: bool,
) -> Select[str, str]:
    """(sort key, id) of users. What stands in the listing's index is all that this reads of them, unless `few`."""
    statement = select(UserRow.sort_key, UserRow.id).where(
        # The sum keeps a planner without statistics from walking the list instead of following a few lights.
        (UserRow.account_id + 0 if few else UserRow.account_id) == account_id,
        UserRow.in_bin == _bool(in_bin),
    )
    if in_bin:
        statement = statement.where(UserRow.sort_key < PURGED_SORT_KEY)
    if disabled is not None:
        statement = statement.where(UserRow.disabled == _bool(disabled))
    if light is not None:
        statement = statement.where(_lit(account_id, light, UserRow.id, few=few))
    return statement.where(*(search.begins(UserRow.id, word) for word in words))


def _filters(
    account_id: int, light: Light | None, disabled: bool | None
) -> list[ColumnElement[bool]]:
    """Conditions on who was found by words."""
    conditions: list[ColumnElement[bool]] = []
    if light is not None:
        conditions.append(_lit(account_id, light, SearchTermRow.user_id, few=False))
    if disabled is not None:
        user = select(UserRow.id).where(
            UserRow.id == SearchTermRow.user_id, UserRow.disabled == _bool(disabled)
        )
        conditions.append(user.exists())
    return conditions


def _lit(
    account_id: int, light: Light, user_id: InstrumentedAttribute[str], *, few: bool
) -> ColumnElement[bool]:
    lit = select(AssignmentRow.user_id).where(
        AssignmentRow.account_id == account_id, AssignmentRow.light == light
    )
    if few:
        return user_id.in_(lit.where(AssignmentRow.user_id.is_not(None)))
    return lit.where(AssignmentRow.user_id == user_id).exists()


async def _few(session: AsyncSession, account_id: int, light: Light) -> bool:
    lit = (
        select(AssignmentRow.light)
        .where(AssignmentRow.account_id == account_id, AssignmentRow.light == light)
        .limit(FEW + 1)
    )
    return int(await session.scalar(select(_count(lit))) or 0) <= FEW


def _first(matches: Select[str, str], wanted: int) -> Select[str, str]:
    """The first of `matches` in order, each user once: cheaper than to reduce all to users, but may come up short."""
    top = _ordered(matches).limit(_TERMS_PER_USER * wanted).subquery()
    return select(top.c.sort_key, top.c.user_id).distinct()


def _counted(
    wanted: Select[str, str],
    found: Select[str, str],
    offset: int,
    limit: int,
    *,
    narrow: bool,
    bounded: bool,
) -> Select[str, str, int]:
    """A page of `wanted` in order, with how many are `found`: a `narrow` search is gone through once for both."""
    if narrow:
        inner = wanted.subquery()
        keys = select(*inner.c, func.count().over().label("total"))
        return keys.order_by(*inner.c).limit(limit).offset(offset)
    total = _count(found.limit(COUNT_LIMIT + 1) if bounded else found)
    keys = _ordered(wanted).add_columns(total.label("total"))
    return keys.limit(limit).offset(offset)


def _ordered(statement: Select[str, str]) -> Select[str, str]:
    sort_key, user_id = statement.selected_columns
    return statement.order_by(sort_key, user_id)


def _count(statement: Select[*tuple[Any, ...]]) -> ColumnElement[int]:
    return select(func.count()).select_from(statement.subquery()).scalar_subquery()


async def _read(
    session: AsyncSession, keys: Select[str, str, int]
) -> tuple[tuple[UserLine, ...], int | None]:
    """The rows of a page, and the total, which is None when the page has no rows."""
    wanted = keys.subquery("page")
    sort_key, user_id, total = wanted.c
    rows = await session.execute(
        select(
            UserRow.id,
            UserRow.upn,
            UserRow.display_name,
            UserRow.username,
            UserRow.disabled,
            UserRow.locked,
            AssignmentRow.service_id,
            AssignmentRow.light,
            total.label("total"),
        )
        .select_from(wanted)
        .join(UserRow, UserRow.id == user_id)
        .outerjoin(AssignmentRow, AssignmentRow.user_id == user_id)
        .order_by(sort_key, user_id, AssignmentRow.service_id, AssignmentRow.instance)
    )
    found = rows.all()
    lights: dict[str, list[tuple[str, Light]]] = {}
    for row in found:
        of_user = lights.setdefault(row.id, [])
        if row.service_id is not None:
            of_user.append((row.service_id, Light(row.light)))
    lines = {
        row.id: UserLine(
            id=row.id,
            upn=row.upn,
            display_name=row.display_name,
            username=row.username,
            disabled=row.disabled,
            locked=row.locked,
            lights=tuple(lights[row.id]),
        )
        for row in found
    }
    return tuple(lines.values()), int(found[0].total) if found else None


def _bool(value: bool) -> ColumnElement[bool]:
    return true() if value else false()
