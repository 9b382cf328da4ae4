"""The installation's epoch: what tells the wishes of a restored database from those that were made after its backup.

A restored database counts generations again that back ends have seen already. Everything that it sends is of a higher
epoch, so that a back end takes it for newer, and refuses whoever still works with what was there before.
"""

from __future__ import annotations

from sqlalchemy import insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.transaction import Transaction

_EPOCH = select(InstallationRow.epoch)


async def present(session: AsyncSession) -> int:
    """Return the epoch that this database counts in."""
    return int(await session.scalar(_EPOCH) or 1)


async def locked(session: AsyncSession) -> InstallationRow:
    """Return the installation's row, locked until the transaction ends."""
    statement = select(InstallationRow).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one()


async def raise_above(tx: Transaction, epoch: int, why: str) -> int:
    """Go on in an epoch above this one and above every one that is known; returns it. All accounts' audits say so."""
    row = await locked(tx.session)
    before = row.epoch
    row.epoch = max(epoch, row.epoch, row.epoch_met) + 1
    await tx.session.flush()
    await audit_everywhere(
        tx, AuditAction.RAISE_EPOCH, {"epoch": before}, {"epoch": row.epoch, "reason": why}
    )
    return row.epoch


async def audit_everywhere(
    tx: Transaction, action: AuditAction, before: dict[str, object], after: dict[str, object]
) -> None:
    """Note in every account's audit what concerns the whole installation."""
    caller = tx.caller
    values = {
        "at": tx.now,
        "operator": caller.operator,
        "source": caller.source,
        "ticket": caller.ticket,
        "action": action.stored(),
        "target": "installation",
        "before": before,
        "after": after,
        "session": caller.session,
    }
    columns = AuditRow.__table__.c
    rows = select(
        AccountRow.id, *(literal(value, columns[name].type) for name, value in values.items())
    )
    await tx.session.execute(insert(AuditRow).from_select(["account_id", *values], rows))
