"""Settings that were stored before their values were looked at, and break a rule: told until somebody settles them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.command_words import command_line
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow, UnsettledSettingRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.views import UnsettledSetting

_WHY = {
    "taken": "somebody else has it",
    "not own": "it is in no domain of the account",
    "nobody": "nobody here is called so",
}


async def unsettled_settings(
    session: AsyncSession,
    *,
    user_id: str | None = None,
    accounts: Collection[int] | None = None,
    limit: int = 100,
) -> tuple[UnsettledSetting, ...]:
    """Return what has to be settled, of one user or of these accounts (None for all), by account and user."""
    statement = (
        select(
            UnsettledSettingRow,
            AssignmentRow,
            func.coalesce(UserRow.upn, ObjectRow.address),
            AccountRow.code,
        )
        .join(AssignmentRow, AssignmentRow.id == UnsettledSettingRow.assignment_id)
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .join(AccountRow, AccountRow.id == UnsettledSettingRow.account_id)
        .where(AssignmentRow.wish != Wish.ABSENT)
        .order_by(
            AccountRow.code,
            func.coalesce(UserRow.sort_key, ObjectRow.sort_key),
            UnsettledSettingRow.id,
        )
        .limit(limit)
    )
    if user_id is not None:
        statement = statement.where(AssignmentRow.user_id == user_id)
    if accounts is not None:
        statement = statement.where(UnsettledSettingRow.account_id.in_(accounts))
    return tuple(
        UnsettledSetting(
            code,
            upn,
            row.service_id,
            found.option_id,
            found.value,
            _WHY.get(found.reason, found.reason),
            command_line("--account", code, *_settling(row, upn), "--set", f"{found.option_id}="),
        )
        for found, row, upn, code in await session.execute(statement)
    )


def _settling(row: AssignmentRow, name: str) -> tuple[str, ...]:
    """Return the command that states settings of the service, without them."""
    if row.object_id is not None:
        return "objects", "edit", name
    instance = ("--instance", row.instance) if row.instance else ()
    return "provision", name, row.service_id, *instance, "--level", row.level_id


async def unsettled_count(session: AsyncSession, accounts: Collection[int] | None) -> int:
    """Return how many values have to be settled in these accounts, or in all."""
    statement = (
        select(func.count())
        .select_from(UnsettledSettingRow)
        .join(AssignmentRow, AssignmentRow.id == UnsettledSettingRow.assignment_id)
        .where(AssignmentRow.wish != Wish.ABSENT)
    )
    if accounts is not None:
        statement = statement.where(UnsettledSettingRow.account_id.in_(accounts))
    return int(await session.scalar(statement) or 0)
