"""Users whose last day has passed in their account's time zone: disabled by the worker, once for each such date.

An operator who enables somebody again without another date has decided so, and the date is not acted upon again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import String, cast, exists, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.dates import zone_of
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.editing import apply_changes


@dataclass(frozen=True, slots=True)
class ExpiredUser:
    """A user who is enabled although the last day has passed."""

    user_id: str
    account_id: int
    expires_on: date


async def expired(store: Store, limit: int = 500) -> tuple[ExpiredUser, ...]:
    """Return users to disable now, by the database's clock and each account's time zone."""
    done = exists().where(
        AuditRow.user_id == UserRow.id,
        AuditRow.action == AuditAction.EXPIRE_USER,
        AuditRow.after["expires_on"].as_string() == cast(UserRow.expires_on, String),
    )
    async with store.read() as session:
        now = datetime.fromtimestamp(await clock(session), UTC)
        rows = await session.execute(
            select(UserRow.id, UserRow.account_id, UserRow.expires_on, AccountRow.time_zone)
            .join(AccountRow, AccountRow.id == UserRow.account_id)
            .where(
                # No zone is more than a day ahead of UTC.
                UserRow.expires_on < now.date() + timedelta(days=1),
                UserRow.in_bin.is_(False),
                UserRow.disabled.is_(False),
                ~done,
            )
            .order_by(UserRow.expires_on, UserRow.id)
            .limit(limit)
        )
        return tuple(
            ExpiredUser(user_id, account_id, day)
            for user_id, account_id, day, zone in rows
            if day is not None and day < now.astimezone(zone_of(zone)).date()
        )


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
