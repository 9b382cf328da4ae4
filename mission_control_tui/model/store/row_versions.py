"""What somebody else changed in a user or an account since the version that is being edited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.errors import StaleVersion
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction


async def require_version(tx: Transaction, row: UserRow, expected: int | None) -> None:
    """Raise StaleVersion, with each field as it was and is, when the user is past version `expected`."""
    if expected is not None and row.version != expected:
        raise await _stale(tx, row.upn, expected, AuditRow.user_id == row.id)


async def require_account_version(tx: Transaction, row: AccountRow, expected: int | None) -> None:
    """Raise as `require_version`, of an account."""
    if expected is not None and row.version != expected:
        of_account = (AuditRow.account_id == row.id) & (AuditRow.action == AuditAction.EDIT_ACCOUNT)
        raise await _stale(tx, f"Account {row.code}", expected, of_account)


async def require_object_version(
    tx: Transaction, row: ObjectRow, assignment_id: str, expected: int | None
) -> None:
    """Raise as `require_version`, of an object, whose changes the audit keeps under its service."""
    if expected is not None and row.version != expected:
        raise await _stale(tx, row.name, expected, AuditRow.assignment_id == assignment_id)


async def _stale(
    tx: Transaction, name: str, expected: int, condition: ColumnElement[bool]
) -> StaleVersion:
    rows = (
        await tx.session.scalars(
            select(AuditRow).where(condition, AuditRow.version > expected).order_by(AuditRow.id)
        )
    ).all()
    then: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for change in rows:
        for field in change.before.keys() | change.after.keys():
            then.setdefault(field, change.before.get(field))
            now[field] = change.after.get(field)
    who = ", ".join(dict.fromkeys(change.operator for change in rows)) or "somebody else"
    return StaleVersion(
        f"{name} was changed meanwhile by {who}.",
        theirs={
            field: (then[field], now[field]) for field in sorted(then) if then[field] != now[field]
        },
        hint="Look at what changed, then save again.",
    )
