"""What wants an operator's eye: the operator's own services on their way or in error, and the newest light of a colour.

Both questions are asked while somebody works, so both start from the lights that are not green, never from all users.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import and_, func, or_, select

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.services.domain_terms import domains_over
from mission_control_tui.model.services.lights import shown_since, shows, views_of
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.scope import AccountScope, Within
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.views import AssignmentView

FOLLOWED = 500
"""Lights of a colour that are followed to who asked for them; beyond, there are at least so many to look at."""

Place: TypeAlias = tuple[datetime, str]
"""Since when a light shows, and the id of its service instance: an order that no two of them share."""


@dataclass(frozen=True, slots=True)
class OwnLights:
    """How many services that the caller asked for last are orange and red; `waiting`: whether anybody's is orange.

    `all_red` are those of anybody. With `more`, only FOLLOWED lights of a colour were looked at: there are at least so
    many.
    """

    orange: int
    red: int
    waiting: bool
    more: bool = False
    all_red: int = 0


async def mine(scope: AccountScope) -> OwnLights:
    """Return the caller's own lights: services of which the newest request is the operator's."""
    async with scope.read() as (session, account_id):
        over = await domains_over(session, Within(account_id))
        counts: dict[Light, int] = {}
        looked_at: dict[Light, int] = {}
        for light in (Light.ORANGE, Light.RED):
            lit = (
                select(AssignmentRow.id)
                .where(AssignmentRow.account_id == account_id, shows(light, over))
                .limit(FOLLOWED + 1)
                .subquery()
            )
            newest = (
                select(RequestRow.operator)
                .where(RequestRow.assignment_id == lit.c.id)
                .order_by(RequestRow.id.desc())
                .limit(1)
                .correlate(lit)
                .scalar_subquery()
            )
            own = func.count().filter(newest == scope.caller.operator)
            row = (await session.execute(select(func.count(), own).select_from(lit))).one()
            looked_at[light], counts[light] = int(row[0]), int(row[1])
        return OwnLights(
            counts[Light.ORANGE],
            counts[Light.RED],
            waiting=looked_at[Light.ORANGE] > 0,
            more=max(looked_at.values()) > FOLLOWED,
            all_red=min(looked_at[Light.RED], FOLLOWED),
        )


async def newest(
    scope: AccountScope, light: Light, *, before: Place | None = None
) -> AssignmentView | None:
    """Return the service that shows `light` since the latest moment; `before` a place, the next older one."""
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        over = await domains_over(session, Within(account_id))
        shown = shown_since(over)
        statement = (
            select(AssignmentRow, SUBJECT)
            .where(AssignmentRow.account_id == account_id, shows(light, over))
            .order_by(shown.desc(), AssignmentRow.id.desc())
            .limit(1)
        )
        if before is not None:
            since, ident = before
            statement = statement.where(
                or_(
                    shown < since,
                    and_(shown == since, AssignmentRow.id < ident),
                )
            )
        return next(iter(await views_of(session, catalogue, statement)), None)
