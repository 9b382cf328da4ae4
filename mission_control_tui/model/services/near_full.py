"""Services that have used nearly all of a limit, as their back ends measured it last."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.services.lights import views_of
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.scope import Reach
from mission_control_tui.model.store.subject_names import SUBJECT
from mission_control_tui.model.store.tables.services import NEAR_FULL, AssignmentRow
from mission_control_tui.model.views import AssignmentView


async def near_full(
    scope: Reach, connector: str | None = None, *, limit: int = 50
) -> tuple[AssignmentView, ...]:
    """Return services, perhaps of one connector, that have used nearly all of a limit, the fullest first."""
    async with scope.reading() as (session, within):
        catalogue = (await in_force(session)).catalogue
        statement = (
            select(AssignmentRow, SUBJECT)
            .where(within(AssignmentRow.account_id), NEAR_FULL, AssignmentRow.wish != Wish.ABSENT)
            .order_by(AssignmentRow.fullness.desc(), AssignmentRow.id)
            .limit(limit)
        )
        if connector is not None:
            statement = statement.where(AssignmentRow.connector == connector)
        return tuple(await views_of(session, catalogue, statement))
