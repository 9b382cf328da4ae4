"""Users whose last day has passed in their account's time zone: disabled by the worker, once for each such date.

An operator who enables somebody again without another date has decided so, and the date is not acted upon again.
"""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.expired import ExpiredUser


@retries_on_conflict
async def disable(store: Store, user: ExpiredUser) -> bool:
    """Disable an expired user as the worker, with the fan-out of any disable; False when it changed meanwhile."""
    async with store.write(WORKER, user.account_id) as tx:
        tx.priority = Priority.BULK
        row = (
            await tx.session.scalars(
                select(UserRow).where(UserRow.id == user.user_id).with_for_update()
            )
        ).one()
        if row.in_bin or row.disabled or row.expires_on != user.expires_on:
            return False
        await apply_changes(
            tx,
            row,
            {"disabled": True},
            action=AuditAction.EXPIRE_USER,
            noted={"expires_on": user.expires_on.isoformat()},
        )
        return True
