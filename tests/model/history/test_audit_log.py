"""The audit: everything that was done is in it, it can be searched, and the database lets nobody change it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied, NotFound
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.installation import sample_account
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.recycle_bin.deletion import delete_user
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.editing import edit_user
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import PASSWORD, ada, create, named

pytestmark = pytest.mark.any_database

REFUSED = "append-only"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET operator = 'nobody'",
        "UPDATE audit SET ticket = '' WHERE id = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ],
)
async def test_the_database_refuses_to_change_or_delete_a_row(
    store: Store, caller: Caller, account: Account, scope: AccountScope, statement: str
) -> None:
    await buy(scope, "email", level="popx")
    before = await audit_log.entries(scope)
    assert before
    with pytest.raises(DBAPIError, match=REFUSED):
        async with store.write(caller, account.id) as tx:
            await tx.session.execute(text(statement))
    assert await audit_log.entries(scope) == before


async def test_only_rows_of_a_sample_account_can_go(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx")
    made = (await sample_account.reset_sample(store, caller)).result.account
    async with store.write(caller) as tx:
        await tx.session.execute(
            text("DELETE FROM audit WHERE account_id = :account"), {"account": made.id}
        )
    assert await audit_log.entries(AccountScope(store, caller, made.id)) == ()
    with pytest.raises(DBAPIError, match=REFUSED):
        async with store.write(caller) as tx:
            await tx.session.execute(text("UPDATE audit SET ticket = 'x'"))


async def test_entries_are_found_by_everything_that_is_known(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    otto = replace(caller, operator="otto", ticket="T-2", source="console")
    await buy(scope, "email", level="popx", quantity=5)
    user = await create(store, caller, account, ada())
    other = await create(store, otto, account, named("bob"))
    given = await provision(
        AccountScope(store, otto, account.id), user.id, [ActionParams("managed-exchange", "popx")]
    )

    async def actions(**filters: object) -> list[str]:
        found = await audit_log.entries(scope, **filters)  # type: ignore[arg-type]
        return [entry.action for entry in found]

    every = await audit_log.entries(scope)
    assert [entry.id for entry in every] == sorted((entry.id for entry in every), reverse=True)
    assert await actions(ticket="T-2") == ["provision managed-exchange", "create user"]
    assert await actions(operator="otto") == await actions(ticket="T-2")
    assert await actions(user="ADA.lovelace@acme.example") == [
        "provision managed-exchange",
        "create user",
    ]
    assert await actions(user=other.id) == ["create user"]
    assert await actions(action="provision") == ["provision managed-exchange"]
    assert await actions(action="%") == []
    assert await actions(request=given.result[0].request_id) == ["provision managed-exchange"]
    first, last = every[-1], every[0]
    assert await actions(since=last.at + timedelta(seconds=1)) == []
    assert len(await actions(since=first.at)) == len(every)
    assert last.action not in await actions(until=last.at)
    pages: list[int] = []
    before: int | None = None
    while page := await audit_log.entries(scope, limit=2, before_id=before):
        pages += [entry.id for entry in page]
        before = page[-1].id
    assert pages == [entry.id for entry in every]
    newest = await audit_log.entries(scope, limit=1)
    assert (newest[0].operator, newest[0].source) == ("otto", "console")
    assert newest[0].after["level"] == "popx"


async def test_what_changed_is_told_before_and_after(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    user = await create(store, caller, account, ada())
    changes = {"title": "Countess", "upn": "countess@acme.example"}
    await edit_user(scope, user.id, changes)
    for name in ("countess@acme.example", "ada.lovelace@acme.example", user.id):
        newest = (await audit_log.entries(scope, user=name))[0]
        assert newest.before["upn"] == "ada.lovelace@acme.example"
        assert newest.after["title"] == "Countess"
    await delete_user(scope, user.id)
    assert await audit_log.entries(scope, user=user.id)


async def test_an_account_is_seen_only_by_those_who_may(
    store: Store, caller: Caller, account: Account
) -> None:
    other = await create_account(store, caller, name="Other", code="other")
    some = replace(caller, accounts=frozenset({other.result.id}))
    with pytest.raises(Denied):
        await audit_log.entries(AccountScope(store, some, account.id))
    assert {
        entry.action for entry in await audit_log.entries(AccountScope(store, some, "other"))
    } == {"create account"}
    with pytest.raises(NotFound):
        await audit_log.entries(
            AccountScope(store, caller, "other"), user="ada.lovelace@acme.example"
        )


async def test_a_dry_run_is_in_no_audit(scope: AccountScope) -> None:
    await buy(scope, "email", level="popx", dry_run=True)
    assert await audit_log.entries(scope) == ()


async def test_no_password_is_in_the_audit(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "databases", level="small")
    user = await create(store, caller, account)
    wanted = [ActionParams("databases", "small", instance="main")]
    given = await provision(scope, user.id, wanted)
    generated = given.result[0].password
    assert generated
    shown = repr(await audit_log.entries(scope)) + repr(given)
    assert PASSWORD not in shown
    assert generated not in shown
