"""Which users a filter means, as statements that the database reads from indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.search import index as search
from mission_control_tui.model.search.filters import UserFilter, UserOrder
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow
from mission_control_tui.model.store.user_rows import PURGED_SORT_KEY

Keys = Select[*tuple[Any, ...]]

FEW = 10_000
"""Services; up to so many are followed to their users, above them users are asked for their services."""

COUNT_LIMIT = 1_000
"""What is not quickly counted is counted up to here; beyond, there are just more."""

_TERM_USER = SearchTermRow.user_id

AGEING = frozenset({Light.RED, Light.ORANGE})
"""Lights whose age matters."""


@dataclass(frozen=True, slots=True)
class UserQuery:
    """A filter with the way it is best read."""

    account_id: int
    wanted: UserFilter
    words: Sequence[str]
    few: bool
    ranked: search.QueryWords | None

    @classmethod
    async def of(
        cls,
        session: AsyncSession,
        account_id: int,
        wanted: UserFilter,
        *,
        few_limit: int | None = None,
    ) -> UserQuery:
        words = search.words_of(wanted.text)
        limit = FEW if few_limit is None else few_limit
        few = wanted.of_services and await _few(session, account_id, wanted, limit)
        ranked = None
        if words and not few:
            ranked = await search.ranked(session, account_id, words, in_bin=wanted.in_bin)
        return cls(account_id, wanted, words, few, ranked)

    @property
    def bounded(self) -> bool:
        """Whether all that is found would be long to count."""
        return not self.few and (self.wanted.of_services or self.ranked is not None)

    def ordered(self, order: UserOrder) -> UserOrder:
        """Return the order, by name where nothing that is looked at has an age."""
        lights = self.wanted.lights
        return UserOrder.NAME if lights and not lights & AGEING else order

    def may_rest(self, order: UserOrder) -> bool:
        """Tell whether anybody can come after those who are put in order by age."""
        lights = self.wanted.lights
        return order is UserOrder.NAME or not lights or not lights <= AGEING

    def keys(self, *, without: bool = False, intersect: bool | None = None) -> Keys:
        """Return (sort key, id) of all who are looked at; `without` leaves out those that have an age.

        See `QueryWords.matches` for `intersect`.
        """
        if self.ranked is not None:
            statement, ident = self.matches(self.ranked, intersect).distinct(), _TERM_USER
        else:
            # What stands in the listing's index is all that this reads of users, unless `few`.
            statement, ident = select(UserRow.sort_key, UserRow.id), UserRow.id
            statement = statement.where(
                # The sum keeps a planner without statistics from walking the list instead of following a few.
                (UserRow.account_id + 0 if self.few else UserRow.account_id) == self.account_id,
                *of_row(self.wanted),
                *self._had(ident),
                *(search.begins(UserRow.id, word) for word in self.words),
            )
        if without:
            statement = statement.where(~has(self.account_id, self._ageing(), ident).exists())
        return statement

    def matches(self, words: search.QueryWords, intersect: bool | None = None) -> Keys:
        """Return (sort key, id) of those whom the ranked words find, some of them several times."""
        found = words.matches(
            self.account_id, in_bin=self.wanted.in_bin, intersect=intersect
        ).where(*self._had(_TERM_USER))
        further = _unlisted(self.wanted)
        if not further:
            return found
        return found.where(select(UserRow.id).where(UserRow.id == _TERM_USER, *further).exists())

    def _had(self, ident: Any) -> list[ColumnElement[bool]]:
        if not self.wanted.of_services:
            return []
        if self.few:
            owners = select(AssignmentRow.user_id).where(
                AssignmentRow.account_id == self.account_id,
                AssignmentRow.user_id.is_not(None),
                *having(self.wanted),
            )
            return [ident.in_(owners)]
        return [has(self.account_id, self.wanted, ident).exists()]

    def _ageing(self) -> UserFilter:
        """Return what of a user's services gives an age: of those that are looked at, the red and orange ones."""
        return replace(self.wanted, lights=(self.wanted.lights or AGEING) & AGEING)

    def aged(self, order: UserOrder) -> Keys:
        """Return (age, sort key, id) of those who are looked at and have something red or orange."""
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
            .where(*of_user(self.account_id, self.wanted, self.words))
        )

    def by_age(self, aged: Keys, order: UserOrder) -> Keys:
        """Return (id) in order of ages."""
        since, sort_key, ident = aged.selected_columns
        turned = since if order is UserOrder.OLDEST else since.desc()
        return aged.with_only_columns(ident).order_by(turned, sort_key, ident)


def of_user(account_id: int, wanted: UserFilter, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the filter as conditions on a user who is known already."""
    conditions: list[ColumnElement[bool]] = [
        UserRow.account_id + 0 == account_id,
        *of_row(wanted),
        *(search.begins(UserRow.id, word) for word in words),
    ]
    if wanted.of_services:
        conditions.append(has(account_id, wanted, UserRow.id).exists())
    return conditions


def of_row(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return the filter's conditions on what the user's own row says."""
    conditions: list[ColumnElement[bool]] = [UserRow.in_bin == _bool(wanted.in_bin)]
    if wanted.in_bin:
        conditions.append(UserRow.sort_key < PURGED_SORT_KEY)
    return conditions + _unlisted(wanted)


def _unlisted(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return the filter's conditions on what search terms do not tell of a user."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.disabled is not None:
        conditions.append(UserRow.disabled == _bool(wanted.disabled))
    if wanted.domain:
        conditions.append(UserRow.upn.endswith(f"@{wanted.domain}", autoescape=True))
    return conditions


def having(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return the filter as conditions on a service."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.lights:
        conditions.append(AssignmentRow.light.in_(sorted(wanted.lights)))
    named = [AssignmentRow.service_id == service for service in sorted(wanted.services)] + [
        and_(AssignmentRow.service_id == service, AssignmentRow.level_id == level)
        if service
        else AssignmentRow.level_id == level
        for service, level in sorted(wanted.levels)
    ]
    if named:
        conditions.append(or_(*named))
        if not wanted.lights:
            conditions.append(AssignmentRow.wish != Wish.ABSENT)
    if wanted.drift:
        conditions.append(AssignmentRow.drift.is_(True))
    return conditions


def has(account_id: int, wanted: UserFilter, ident: Any) -> Keys:
    """Return the services of one user that the filter means."""
    return select(AssignmentRow.user_id).where(
        # The sum keeps a planner without statistics from going through all services of a level for each user.
        AssignmentRow.account_id + 0 == account_id,
        AssignmentRow.user_id == ident,
        *having(wanted),
    )


async def _few(session: AsyncSession, account_id: int, wanted: UserFilter, limit: int) -> bool:
    found = (
        select(AssignmentRow.light)
        .where(AssignmentRow.account_id == account_id, *having(wanted))
        .limit(limit + 1)
    )
    return await count_of(session, found) <= limit


def by_name(keys: Keys) -> Keys:
    """Return (id) in order of names."""
    inner = keys.subquery("found")
    sort_key, ident = inner.c
    return select(ident).order_by(sort_key, ident)


async def count_of(session: AsyncSession, statement: Keys) -> int:
    """Return how many rows the statement has."""
    return int(await session.scalar(select(search.counted(statement))) or 0)


def _bool(value: bool) -> ColumnElement[bool]:
    return true() if value else false()
