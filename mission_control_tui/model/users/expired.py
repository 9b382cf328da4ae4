"""Whose last day has passed: what a worker looks for every few minutes. `expiry` disables them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import String, cast, exists, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.dates import zone_of
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
