"""What a restored database is told before anybody works with it: its new epoch, and that somebody restored it.

Statements as text: they are carried out within the restore itself, whatever schema the backup has.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller

WHY = "The database was restored from a backup of {made_at}."


def statements(
    dialect: str, caller: Caller, epoch: int, restored_epoch: int, made_at: str
) -> tuple[str, ...]:
    """Return what raises the epoch to `epoch` in the restored database, and notes it in every account's audit."""
    now = datetime.now(UTC)
    is_sqlite = dialect == "sqlite"
    at = _text(now.replace(tzinfo=None) if is_sqlite else now)
    json_type = "" if is_sqlite else "::jsonb"
    before = _text(json.dumps({"epoch": restored_epoch})) + json_type
    after = _text(json.dumps({"epoch": epoch, "reason": WHY.format(made_at=made_at)})) + json_type
    who = [caller.operator, caller.source, caller.ticket, AuditAction.RAISE_EPOCH.stored()]
    words = ", ".join(map(_text, [*who, "installation", caller.session]))
    moment = at if is_sqlite else f"{at}::timestamptz"
    columns = 'account_id, operator, source, ticket, action, target, session, at, "before", "after"'
    told = f"SELECT id, {words}, {moment}, {before}, {after} FROM accounts"  # noqa: S608 - quoted below
    return (
        f"UPDATE installation SET epoch = {epoch:d}, clock_trusted = {time.time():f}",  # noqa: S608 - numbers
        f"INSERT INTO audit ({columns}) {told}",
    )


def _text(value: object) -> str:
    return "'" + str(value).replace("\0", "").replace("'", "''") + "'"
