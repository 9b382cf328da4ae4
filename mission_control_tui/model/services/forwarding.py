"""Where mail that is sent on arrives in the end: whether it comes back to where it began."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Option, Service
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.services import AssignmentRow, SettingReferenceRow
from mission_control_tui.model.store.tables.users import UserRow

_FARTHEST = 50
"""Steps that are followed: a longer way ends somewhere, or is none that anybody made by hand."""


@dataclass(frozen=True, slots=True)
class ForwardingStep:
    """A mailbox on the way, and whether it keeps a copy of what it sends on."""

    upn: str
    keeps: bool


async def loop_of(
    session: AsyncSession, start: UserRow, service: Service, option: Option, target_id: str
) -> list[ForwardingStep]:
    """Return the way from `target_id` back to `start` by the option, empty where it does not come back."""
    way: list[ForwardingStep] = []
    following: str | None = target_id
    while following is not None and len(way) < _FARTHEST:
        if following == start.id:
            return [*way, ForwardingStep(start.upn, keeps=False)]
        rows = (
            await session.execute(
                select(
                    UserRow.upn,
                    AssignmentRow.settings,
                    SettingReferenceRow.value,
                    SettingReferenceRow.user_id,
                )
                .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
                .join(SettingReferenceRow, SettingReferenceRow.assignment_id == AssignmentRow.id)
                .where(
                    UserRow.id == following,
                    AssignmentRow.service_id == service.id,
                    AssignmentRow.wish != Wish.ABSENT,
                    SettingReferenceRow.option_id == option.id,
                    SettingReferenceRow.user_id.is_not(None),
                )
            )
        ).all()
        found = [row for row in rows if row.settings.get(option.id) == row.value]
        if not found:
            return []
        upn, settings, _value, following = found[0]
        keeps = bool(option.copy_option) and settings.get(option.copy_option) is not False
        way.append(ForwardingStep(upn, keeps))
    return []
