"""One statement for any number of values, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.any_of import any_of
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import AccountRow

CODES = ["acme", "beta", "delta", "gamma"]
BY_ID = select(AccountRow.code).where(any_of(AccountRow.id, "ids")).order_by(AccountRow.code)
BY_CODE = select(AccountRow.code).where(any_of(AccountRow.code, "ids")).order_by(AccountRow.code)


async def test_as_many_values_as_there_are(store: Store, caller: Caller) -> None:
    for code in CODES:
        await create_account(store, caller, name=code, code=code)
    async with store.read() as session:
        numbers = dict((await session.execute(select(AccountRow.code, AccountRow.id))).all())
        for count in range(len(CODES) + 1):
            wanted = sorted(CODES[:count])
            ids = [numbers[code] for code in wanted]
            assert (await session.scalars(BY_ID, {"ids": ids})).all() == wanted
            assert (await session.scalars(BY_CODE, {"ids": {*wanted, "it's \"}"}})).all() == wanted


async def test_it_is_the_same_statement(store: Store) -> None:
    """Each connection prepares it once: nothing of it is written anew for a number of values."""
    assert "POSTCOMPILE" not in str(BY_ID.compile(dialect=store.engine.dialect))
