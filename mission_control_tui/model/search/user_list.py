"""Lists of users: a page from anywhere in the order, and what is found as one types.

The order, the filters and the search are read from indexes alone; only the users of the page itself are fetched, with
their lights and the total, in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.search.filters import ALL, UserFilter
from mission_control_tui.model.search.index import counted
from mission_control_tui.model.search.user_queries import (
    COUNT_LIMIT,
    Keys,
    UserQuery,
    count_of,
)
from mission_control_tui.model.states import Light, furthest
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow, is_shown
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import UserLine, view_of

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
    scope: AccountScope, wanted: UserFilter = ALL, *, offset: int = 0, limit: int = 50
) -> UserPage:
    """Return the rows from `offset` on, by display name."""
    offset = max(0, offset)
    async with scope.read() as (session, account_id):
        query = await UserQuery.of(session, account_id, wanted, few_limit=FEW)
        rare = query.ranked is not None and query.ranked.rare
        bounded = query.bounded and not rare
        # Counted one by one, for that can end early.
        found = query.keys(intersect=False)
        every = found if query.ranked is None else query.keys()
        keys = exact = _counted(
            every, found, offset, limit, narrow=query.few or rare, bounded=bounded
        )
        if query.ranked is not None and bounded and offset + limit <= NEAR:
            first = _first(query.matches(query.ranked), offset + limit)
            keys = _counted(first, found, offset, limit, narrow=False, bounded=True)
        lines, total = await _read(session, keys)
        if exact is not keys and _is_short(lines, total, offset, limit):
            lines, total = await _read(session, exact)
        if total is None:
            return UserPage((), await count_of(session, found) if offset else 0)
        if bounded and total > COUNT_LIMIT:
            return UserPage(lines, max(COUNT_LIMIT, offset + len(lines)), more=len(lines) == limit)
        return UserPage(lines, total)


def _is_short(lines: Sequence[UserLine], counted: int | None, offset: int, limit: int) -> bool:
    """Tell whether rows are missing that the count says, or may say, are there."""
    if counted is None:
        return offset > 0
    return len(lines) < (limit if counted > COUNT_LIMIT else min(limit, counted - offset))


def _first(matches: Keys, wanted: int) -> Keys:
    """Return the first of `matches` in order, each user once: cheaper than reducing all, but it may come up short."""
    top = _ordered(matches).limit(_TERMS_PER_USER * wanted).subquery()
    return select(top.c.sort_key, top.c.user_id).distinct()


def _counted(
    wanted: Keys,
    found: Keys,
    offset: int,
    limit: int,
    *,
    narrow: bool,
    bounded: bool,
) -> Keys:
    """Return a page of `wanted` in order, with how many are `found`: a `narrow` search is read once for both."""
    if narrow:
        inner = wanted.subquery()
        keys = select(*inner.c, func.count().over().label("total"))
        return keys.order_by(*inner.c).limit(limit).offset(offset)
    total = counted(found.limit(COUNT_LIMIT + 1) if bounded else found)
    keys = _ordered(wanted).add_columns(total.label("total"))
    return keys.limit(limit).offset(offset)


def _ordered(statement: Keys) -> Keys:
    sort_key, user_id = statement.selected_columns
    return statement.order_by(sort_key, user_id)


async def _read(session: AsyncSession, keys: Keys) -> tuple[tuple[UserLine, ...], int | None]:
    """Return the rows of a page, and the total, which is None when the page has no rows."""
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
            AssignmentRow.word,
            total.label("total"),
        )
        .select_from(wanted)
        .join(UserRow, UserRow.id == user_id)
        .outerjoin(AssignmentRow, (AssignmentRow.user_id == user_id) & is_shown())
        .order_by(sort_key, user_id, AssignmentRow.service_id, AssignmentRow.instance)
    )
    found = rows.all()
    lights: dict[str, list[tuple[str, Light]]] = {}
    words: dict[str, list[str]] = {}
    for row in found:
        of_user = lights.setdefault(row.id, [])
        if row.service_id is not None:
            of_user.append((row.service_id, Light(row.light)))
            words.setdefault(row.id, []).append(row.word)
    lines = {
        row.id: view_of(
            UserLine, row, lights=tuple(lights[row.id]), orange=furthest(words.get(row.id, ()))
        )
        for row in found
    }
    return tuple(lines.values()), int(found[0].total) if found else None
