"""The statements of one month of many accounts, some accounts at a time: each costs as much as it would alone."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select

from mission_control_tui.model.billing.statements import Statement, statement
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow


async def statements_after(
    store: Store,
    caller: Caller,
    period: str | None = None,
    *,
    after: str = "",
    limit: int = 50,
) -> tuple[tuple[Statement, ...], str]:
    """Return the month's statements of the caller's next accounts by code, and the last code where there are more.

    Accounts that were made later than that month are left out.
    """
    async with store.read() as session:
        accounts = select(AccountRow.id, AccountRow.code).where(AccountRow.code > after)
        if caller.accounts is not None:
            accounts = accounts.where(AccountRow.id.in_(caller.accounts))
        rows = (await session.execute(accounts.order_by(AccountRow.code).limit(limit + 1))).all()
    found = []
    for row in rows[:limit]:
        with suppress(NotFound):
            found.append(await statement(AccountScope(store, caller, row.id), period))
    return tuple(found), rows[limit - 1].code if len(rows) > limit else ""
