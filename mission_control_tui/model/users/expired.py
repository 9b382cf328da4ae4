"""Whose last day has passed: what a worker looks for every few minutes. `expiry` disables them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import String, case, cast, exists, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.dates import today_of
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.users import UserRow


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
        zones = await session.scalars(select(AccountRow.time_zone).distinct())
        today = {zone: today_of(zone, now) for zone in zones}
        if not today:
            return ()
        rows = await session.execute(
            select(UserRow.id, UserRow.account_id, UserRow.expires_on)
            .join(AccountRow, AccountRow.id == UserRow.account_id)
            .where(
                UserRow.expires_on < max(today.values()),
                # Whose day is not over there yet must not take the places of others.
                UserRow.expires_on < case(today, value=AccountRow.time_zone),
                UserRow.in_bin.is_(False),
                UserRow.disabled.is_(False),
                ~done,
            )
            .order_by(UserRow.expires_on, UserRow.id)
            .limit(limit)
        )
        return tuple(
            ExpiredUser(user_id, account_id, day)
            for user_id, account_id, day in rows
            if day is not None
        )
