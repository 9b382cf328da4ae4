"""What is red or waits in any account: one list of all that the caller may see, by age, account or connector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Select,
    SQLColumnExpression,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.search.accounts import known_accounts
from mission_control_tui.model.services.domain_terms import domains_over
from mission_control_tui.model.services.lights import shown_since, shows, views_of
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.account_rows import load_accounts
from mission_control_tui.model.store.scope import Reach
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.services import NEAR_FULL, AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.text.folding import fold
from mission_control_tui.model.views import Account, AssignmentView

LIGHTS = (Light.RED, Light.ORANGE)
FULL = "full"
"""The word for what has used nearly all of a limit."""
COUNTED = 10_000
"""More than these are not counted: there are "more than" so many."""

WORDS = 8
"""Words that are looked for; further ones are not."""


class AttentionOrder(StrEnum):
    """What comes first."""

    OLDEST = "oldest"
    NEWEST = "newest"
    ACCOUNT = "account"
    CONNECTOR = "connector"


def _ordered(
    order: AttentionOrder, since: SQLColumnExpression[datetime]
) -> tuple[ColumnExpressionArgument[Any], ...]:
    """Return what lines are ordered by; by account within the order of the accounts."""
    age = since.desc() if order is AttentionOrder.NEWEST else since
    connector = (AssignmentRow.connector,) * (order is AttentionOrder.CONNECTOR)
    return *connector, age, AssignmentRow.id


@dataclass(frozen=True, slots=True)
class AttentionLine:
    """A service that is red or orange, with the account that it is of."""

    account: Account
    service: AssignmentView

    @property
    def account_id(self) -> int:
        """The account's id."""
        return self.account.id


@dataclass(frozen=True, slots=True)
class AttentionPage:
    """Some of the lines, and how many there are, up to COUNTED; with `more` there are more than that."""

    lines: tuple[AttentionLine, ...]
    total: int
    more: bool


async def attention(
    scope: Reach,
    query: str = "",
    order: AttentionOrder = AttentionOrder.OLDEST,
    *,
    limit: int = 50,
    offset: int = 0,
) -> AttentionPage:
    """Return what is red or orange and has every word of `query`, each account's within the order by age.

    With the word "full" it is what has used nearly all of a limit instead. Another word is the light's, or part of an
    account's code, name, number or domain, of a connector, a service, or a UPN.
    """
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        over = await domains_over(session, within)
        lit = {str(light): shows(light, over) for light in LIGHTS}
        words = fold(query).split()[:WORDS]
        conditions = [
            lit[word] if word in lit else await _has(session, scope, catalogue, word)
            for word in words
            if word != FULL
        ]
        # Two conditions joined by "or" would have PostgreSQL read the rows themselves instead of the index alone.
        lights = or_(*lit.values()) if over else AssignmentRow.light.in_(LIGHTS)
        if FULL in words:
            lights = and_(NEAR_FULL, AssignmentRow.wish != Wish.ABSENT)
        found = select(AssignmentRow.id).where(
            within(AssignmentRow.account_id), lights, *conditions
        )
        counted = found.limit(COUNTED + 1).subquery()
        total = int(await session.scalar(select(func.count()).select_from(counted)) or 0)
        if order is AttentionOrder.ACCOUNT:
            found = within.by_code(select(AssignmentRow.id), AssignmentRow.account_id)
            found = found.where(lights, *conditions)
        page = found.order_by(*_ordered(order, shown_since(over))).limit(limit).offset(offset)
        ids = list(await session.scalars(page))
        lines = await _lines(session, catalogue, ids)
    return AttentionPage(lines, min(total, COUNTED), total > COUNTED)


async def _has(
    session: AsyncSession, scope: Reach, catalogue: Catalogue, word: str
) -> ColumnElement[bool]:
    accounts = list((await known_accounts(session)).ranks(scope.caller, word))
    services = [service.id for service in catalogue.services if word in fold(service.name)]
    users = select(UserRow.id).where(
        UserRow.id == AssignmentRow.user_id, UserRow.upn.icontains(word, autoescape=True)
    )
    return or_(
        AssignmentRow.account_id.in_(accounts),
        AssignmentRow.service_id.in_(services),
        AssignmentRow.service_id.contains(word, autoescape=True),
        AssignmentRow.connector.contains(word, autoescape=True),
        users.exists(),
    )


async def _lines(
    session: AsyncSession, catalogue: Catalogue, ids: Sequence[str]
) -> tuple[AttentionLine, ...]:
    statement: Select[AssignmentRow, str] = select(AssignmentRow, SUBJECT).where(
        AssignmentRow.id.in_(ids)
    )
    views = {view.id: view for view in await views_of(session, catalogue, statement)}
    accounts = await load_accounts(session, {view.account_id for view in views.values()})
    return tuple(AttentionLine(accounts[views[key].account_id], views[key]) for key in ids)
