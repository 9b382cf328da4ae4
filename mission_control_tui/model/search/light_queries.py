"""Which users a sight means, as statements that the database reads from indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.filters import UserFilter, UserOrder
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow

Keys = Select[*tuple[Any, ...]]

FEW = 10_000
"""Services; up to so many are followed to their users, above them users are asked for their services."""

AGEING = (Light.RED, Light.ORANGE)
"""Lights whose age matters."""


@dataclass(frozen=True, slots=True)
class LightQuery:
    """A sight with the way it is best read."""

    account_id: int
    sight: UserFilter
    words: Sequence[str]
    few: bool
    ranked: search.QueryWords | None

    @classmethod
    async def of(cls, session: AsyncSession, account_id: int, sight: UserFilter) -> LightQuery:
        words = search.words_of(sight.text)
        few = sight.of_services and await _few(session, account_id, sight)
        ranked = None
        if words and not few:
            ranked = await search.ranked(session, account_id, words, in_bin=False)
        return cls(account_id, sight, words, few, ranked)

    @property
    def bounded(self) -> bool:
        """Whether all that is found would be long to count."""
        return not self.few and (self.sight.of_services or self.ranked is not None)

    def ordered(self, order: UserOrder) -> UserOrder:
        """The order, by name where nothing that is looked at has an age."""
        lights = self.sight.lights
        return UserOrder.NAME if lights and not lights & set(AGEING) else order

    def may_rest(self, order: UserOrder) -> bool:
        """Whether anybody can come after those who are put in order by age."""
        return (
            order is UserOrder.NAME or not self.sight.lights or not self.sight.lights <= set(AGEING)
        )

    def keys(self, *, without: bool = False) -> Keys:
        """(sort key, id) of all who are looked at; `without` leaves out those that have an age."""
        if self.ranked is not None:
            statement = self.ranked.matches(self.account_id, in_bin=False).where(
                *self._had(SearchTermRow.user_id)
            )
            ident: Any = SearchTermRow.user_id
            if self.sight.disabled is not None:
                user = select(UserRow.id).where(
                    UserRow.id == ident, UserRow.disabled == _bool(self.sight.disabled)
                )
                statement = statement.where(user.exists())
            statement = statement.distinct()
        else:
            ident = UserRow.id
            statement = select(UserRow.sort_key, UserRow.id).where(
                # The sum keeps a planner without statistics from walking the list instead of following a few.
                (UserRow.account_id + 0 if self.few else UserRow.account_id) == self.account_id,
                UserRow.in_bin == false(),
                *self._had(ident),
                *(search.begins(UserRow.id, word) for word in self.words),
            )
            if self.sight.disabled is not None:
                statement = statement.where(UserRow.disabled == _bool(self.sight.disabled))
        if without:
            statement = statement.where(~has(self.account_id, self._ageing(), ident).exists())
        return statement

    def _had(self, ident: Any) -> list[ColumnElement[bool]]:
        if not self.sight.of_services:
            return []
        if self.few:
            owners = select(AssignmentRow.user_id).where(
                AssignmentRow.account_id == self.account_id,
                AssignmentRow.user_id.is_not(None),
                *having(self.sight),
            )
            return [ident.in_(owners)]
        return [has(self.account_id, self.sight, ident).exists()]

    def _ageing(self) -> UserFilter:
        """What of a user's services gives an age: of those that are looked at, the red and orange ones."""
        lights = self.sight.lights & set(AGEING) if self.sight.lights else frozenset(AGEING)
        return UserFilter(
            lights=lights,
            services=self.sight.services,
            levels=self.sight.levels,
            drift=self.sight.drift,
        )

    def aged(self, order: UserOrder) -> Keys:
        """(age, sort key, id) of those who are looked at and have something red or orange."""
        since = (func.min if order is UserOrder.OLDEST else func.max)(AssignmentRow.since)
        ages = (
            select(AssignmentRow.user_id, since.label("since"))
            .where(
                AssignmentRow.account_id == self.account_id,
                AssignmentRow.user_id.is_not(None),
                *having(self._ageing()),
            )
            .group_by(AssignmentRow.user_id)
            .subquery("ages")
        )
        return (
            select(ages.c.since, UserRow.sort_key, UserRow.id)
            .join(UserRow, UserRow.id == ages.c.user_id)
            .where(*of_user(self.account_id, self.sight, self.words))
        )

    def by_age(self, aged: Keys, order: UserOrder) -> Keys:
        """(id) in order of ages."""
        since, sort_key, ident = aged.selected_columns
        turned = since if order is UserOrder.OLDEST else since.desc()
        return aged.with_only_columns(ident).order_by(turned, sort_key, ident)


def of_user(account_id: int, sight: UserFilter, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The sight as conditions on a user who is known already."""
    conditions: list[ColumnElement[bool]] = [
        UserRow.account_id + 0 == account_id,
        UserRow.in_bin == false(),
        *(search.begins(UserRow.id, word) for word in words),
    ]
    if sight.disabled is not None:
        conditions.append(UserRow.disabled == _bool(sight.disabled))
    if sight.of_services:
        conditions.append(has(account_id, sight, UserRow.id).exists())
    return conditions


def having(sight: UserFilter) -> list[ColumnElement[bool]]:
    """The sight as conditions on a service."""
    conditions: list[ColumnElement[bool]] = []
    if sight.lights:
        conditions.append(AssignmentRow.light.in_(sorted(sight.lights)))
    named = [AssignmentRow.service_id == service for service in sorted(sight.services)] + [
        and_(AssignmentRow.service_id == service, AssignmentRow.level_id == level)
        for service, level in sorted(sight.levels)
    ]
    if named:
        conditions.append(or_(*named))
        if not sight.lights:
            conditions.append(AssignmentRow.wish != Wish.ABSENT)
    if sight.drift:
        conditions.append(AssignmentRow.drift.is_(True))
    return conditions


def has(account_id: int, sight: UserFilter, ident: Any) -> Keys:
    """The services of one user that the sight means."""
    return select(AssignmentRow.user_id).where(
        # The sum keeps a planner without statistics from going through all services of a level for each user.
        AssignmentRow.account_id + 0 == account_id,
        AssignmentRow.user_id == ident,
        *having(sight),
    )


async def _few(session: AsyncSession, account_id: int, sight: UserFilter) -> bool:
    found = (
        select(AssignmentRow.light)
        .where(AssignmentRow.account_id == account_id, *having(sight))
        .limit(FEW + 1)
    )
    return await count_of(session, found) <= FEW


def by_name(keys: Keys) -> Keys:
    """(id) in order of names."""
    inner = keys.subquery("found")
    sort_key, ident = inner.c
    return select(ident).order_by(sort_key, ident)


async def count_of(session: AsyncSession, statement: Keys) -> int:
    """How many rows the statement has."""
    counted = select(func.count()).select_from(statement.subquery())
    return int(await session.scalar(counted) or 0)


def _bool(value: bool) -> ColumnElement[bool]:
    return true() if value else false()
