"""What somebody else changed in a user since the version that is being edited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from mission_control_tui.model.errors import StaleVersion
from mission_control_tui.model.tables import AuditRow, UserRow
from mission_control_tui.model.transaction import Transaction


async def require_version(tx: Transaction, row: UserRow, expected: int | None) -> None:
    """Raise StaleVersion, with each field as it was and is, when the user is past version `expected`."""
    if expected is None or row.version == expected:
        return
    rows = (
        await tx.session.scalars(
            select(AuditRow)
            .where(AuditRow.user_id == row.id, AuditRow.version > expected)
            .order_by(AuditRow.id)
        )
    ).all()
    then: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for one in rows:
        for name in one.before.keys() | one.after.keys():
            then.setdefault(name, one.before.get(name))
            now[name] = one.after.get(name)
    who = ", ".join(dict.fromkeys(one.operator for one in rows)) or "somebody else"
    raise StaleVersion(
        f"{row.upn} was changed meanwhile by {who}.",
        theirs={name: (then[name], now[name]) for name in sorted(then) if then[name] != now[name]},
        hint="Look at what changed, then save again.",
    )
