"""What an older program folded otherwise is folded anew, once: users and groups, by whoever comes along."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, insert, select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import renewal
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.index import term_rows
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.users import SearchTermRow, UserRow
from mission_control_tui.model.text.folding import FOLDING
from mission_control_tui.model.users import editing
from mission_control_tui.model.views import Account
from tests.model.helpers import create, named


async def test_an_old_index_is_made_anew_once_by_several_at_a_time(
    where: str,
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(renewal, "USERS_AT_ONCE", 2)
    made = [
        await create(store, caller, account, named(f"u{number}", display_name=f"Ła{number} Øst"))
        for number in range(7)
    ]
    await editing.add_alias(scope, made[0].id, "captain@acme.example")
    await deletion.delete_user(scope, made[1].id)
    async with store.write(caller) as tx:
        await tx.session.execute(delete(SearchTermRow))
        for user in made:
            rows = term_rows(account.id, user.id, "ła", user is made[1], ["ła", "øst"])
            await tx.session.execute(insert(SearchTermRow), rows)
        await tx.session.execute(update(UserRow).values(sort_key="ła"))
        await tx.session.execute(update(InstallationRow).values(folding=1))
    first, second = await Store.open(where), await Store.open(where)
    try:
        assert not first.folded_anew
        await asyncio.gather(renewal.renew(first), renewal.renew(second))
    finally:
        await first.close()
        await second.close()
    found = await find_anyone(store, caller, "ost la")
    assert [(user.upn[:2], user.in_bin) for user in found.users] == [
        *((f"u{number}", False) for number in (0, 2, 3, 4, 5, 6)),
        ("u1", True),
    ]
    assert [user.upn[:2] for user in (await find_anyone(store, caller, "capt")).users] == ["u0"]
    async with store.read() as session:
        installation = (await session.scalars(select(InstallationRow))).one()
    assert (installation.folding, installation.folded_to) == (FOLDING, "")
    again = await Store.open(where)
    assert again.folded_anew
    await again.close()


async def test_a_number_is_found_by_how_it_ends_whatever_else_begins_so(
    store: Store, caller: Caller, account: Account
) -> None:
    for name, phone, country in (
        ("abroad", "+1 412 345 6789", ""),
        ("mobile", "0412 345 678", "AU"),
        ("plain", "00 61 412 345 678", ""),
    ):
        await create(
            store,
            caller,
            account,
            named(name, display_name=name, mobile_phone=phone, country=country),
        )

    async def found(query: str) -> set[str]:
        return {user.display_name for user in (await find_anyone(store, caller, query)).users}

    assert await found("412345678") == {"abroad", "mobile", "plain"}
    assert await found("345678") == {"mobile", "plain"}
    assert await found("mob 5678") == {"mobile"}
    assert await found("٥٦٧٨") == {"mobile", "plain"}
