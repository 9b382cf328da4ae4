"""Lists of users: a page from anywhere in the order, what is found as one types, and counts of lights.

The order, the filters and the search are read from indexes alone; only the users of the page itself are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from mission_control_tui.model import search
from mission_control_tui.model.context import Caller
from mission_control_tui.model.database import Store
from mission_control_tui.model.lookups import account_row
from mission_control_tui.model.states import Light
from mission_control_tui.model.tables import AssignmentRow, SearchTermRow, UserRow
from mission_control_tui.model.views import LightCounts, UserLine

COUNT_LIMIT = 5_000
"""Matches of a search that are counted; beyond, there are just more."""

FEW = 2_000
"""Lights; up to so many are followed to their users, above them each user of the list is asked."""


@dataclass(frozen=True, slots=True)
class Page:
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
) -> Page:
    """The rows from `offset` on, by display name: of all users, or of those whom `query` finds (see `search`).

    `light` keeps those of whose services at least one shows it; `in_bin` lists the recycling bin instead.
    """
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        words = search.words_of(query)
        if words:
            found = await search.matches(session, account_id, words, in_bin=in_bin)
            found = found.where(
                *await _filters(
                    session, account_id, SearchTermRow.user_id, light, disabled, in_bin=in_bin
                )
            )
            ordered = found.order_by(SearchTermRow.sort_key, SearchTermRow.user_id)
        else:
            found = await _all(session, account_id, light, disabled, in_bin=in_bin)
            ordered = found.order_by(UserRow.sort_key, UserRow.id)
        keys = (await session.execute(ordered.limit(limit).offset(offset))).all()
        lines = await _lines(session, [key[1] for key in keys])
        ended = len(keys) < limit and (keys or not offset)
        if ended:
            return Page(lines, offset + len(keys))
        if not words:
            return Page(lines, await _count(session, found))
        counted = await _count(session, found.limit(COUNT_LIMIT + 1))
        if counted <= COUNT_LIMIT:
            return Page(lines, counted)
        return Page(lines, max(COUNT_LIMIT, offset + len(keys)), more=True)


async def _all(
    session: AsyncSession,
    account_id: int,
    light: Light | None,
    disabled: bool | None,
    *,
    in_bin: bool,
) -> Select[str, str]:
    """(sort key, id) of the account's users. What stands in the listing's index is all that this reads."""
    few = light is not None and await _few(session, account_id, light)
    statement = select(UserRow.sort_key, UserRow.id).where(
        # The sum keeps a planner without statistics from walking the list instead of following a few lights.
        (UserRow.account_id + 0 if few else UserRow.account_id) == account_id,
        UserRow.in_bin == _bool(in_bin),
    )
    if disabled is not None:
        statement = statement.where(UserRow.disabled == _bool(disabled))
    if light is not None:
        statement = statement.where(_lit(account_id, light, UserRow.id, few=few))
    return statement


async def _filters(
    session: AsyncSession,
    account_id: int,
    user_id: InstrumentedAttribute[str],
    light: Light | None,
    disabled: bool | None,
    *,
    in_bin: bool,
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if light is not None:
        few = await _few(session, account_id, light)
        conditions.append(_lit(account_id, light, user_id, few=few))
    if disabled is not None:
        off = select(UserRow.id).where(
            UserRow.account_id == account_id,
            UserRow.in_bin == _bool(in_bin),
            UserRow.disabled == true(),
        )
        conditions.append(user_id.in_(off) if disabled else user_id.not_in(off))
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
    return await _count(session, lit) <= FEW


async def _count(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> int:
    counted = await session.scalar(select(func.count()).select_from(statement.subquery()))
    return int(counted or 0)


async def _lines(session: AsyncSession, ids: Sequence[str]) -> tuple[UserLine, ...]:
    """The rows of a page in the order of `ids`."""
    if not ids:
        return ()
    lights: dict[str, list[tuple[str, Light]]] = {}
    for user_id, service_id, light in await session.execute(
        select(AssignmentRow.user_id, AssignmentRow.service_id, AssignmentRow.light)
        .where(AssignmentRow.user_id.in_(ids))
        .order_by(AssignmentRow.service_id, AssignmentRow.instance)
    ):
        lights.setdefault(str(user_id), []).append((service_id, Light(light)))
    rows = await session.execute(
        select(
            UserRow.id,
            UserRow.upn,
            UserRow.display_name,
            UserRow.username,
            UserRow.disabled,
            UserRow.locked,
        ).where(UserRow.id.in_(ids))
    )
    lines = {row.id: UserLine(*row, tuple(lights.get(row.id, ()))) for row in rows}
    return tuple(lines[user_id] for user_id in ids)


async def counts_by_light(store: Store, caller: Caller, account: int | str) -> LightCounts:
    """How many services of the account show each light."""
    async with store.read() as session:
        account_id = (await account_row(session, caller, account)).id
        rows = await session.execute(
            select(AssignmentRow.light, func.count())
            .where(AssignmentRow.account_id == account_id)
            .group_by(AssignmentRow.light)
        )
        return LightCounts(**{str(row[0]): int(row[1]) for row in rows})


def _bool(value: bool) -> ColumnElement[bool]:
    return true() if value else false()
