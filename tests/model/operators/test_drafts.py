"""Drafts: private, replaced by newer ones of the same form, never with a password."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied, NotFound
from mission_control_tui.model.operators import drafts
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.views import Account

pytestmark = pytest.mark.any_database


async def test_a_draft_is_kept_replaced_and_forgotten(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    first = await drafts.save_draft(scope, "new-user", {"upn": "a"}, title="A")
    again = await drafts.save_draft(scope, "new-user", {"upn": "b"}, title="B")
    other = await drafts.save_draft(scope, "edit-user", {"title": "x"}, subject="f" * 32)
    assert first == again != other
    kept = await drafts.list_drafts(store, caller)
    assert [(one.id, one.kind, one.title) for one in kept] == [
        (other, "edit-user", ""),
        (first, "new-user", "B"),
    ]
    assert (await drafts.show_draft(store, caller, first)).content == {"upn": "b"}
    only = await drafts.list_drafts(store, caller, account=account.id, kind="new-user")
    assert [one.account_code for one in only] == [account.code]

    await drafts.discard_drafts_of(scope, "new-user")
    await drafts.discard_drafts_of(scope, "new-user")
    await drafts.discard_draft(store, caller, other)
    assert await drafts.list_drafts(store, caller) == ()


async def test_passwords_are_left_out_at_any_depth(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    content = {
        "password": "Kp7m-xR4w",
        "fields": {"confirm": "Kp7m-xR4w", "city": "Perth"},
        "rows": [{"secret": "Kp7m-xR4w", "n": 1}],
    }
    number = await drafts.save_draft(scope, "new-user", content)
    kept = await drafts.show_draft(store, caller, number)
    assert kept.content == {"fields": {"city": "Perth"}, "rows": [{"n": 1}]}


async def test_a_draft_is_its_operators_alone(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    number = await drafts.save_draft(scope, "new-user", {"upn": "a"})
    bob = replace(caller, operator="bob")
    assert await drafts.list_drafts(store, bob) == ()
    with pytest.raises(NotFound):
        await drafts.show_draft(store, bob, number)
    with pytest.raises(NotFound):
        await drafts.discard_draft(store, bob, number)
    await drafts.save_draft(AccountScope(store, bob, account.id), "new-user", {"upn": "b"})
    assert (await drafts.show_draft(store, caller, number)).content == {"upn": "a"}


async def test_drafts_stay_within_the_callers_accounts(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await drafts.save_draft(scope, "new-user", {"upn": "a"})
    nobody = replace(caller, accounts=frozenset())
    assert await drafts.list_drafts(store, nobody) == ()
    with pytest.raises((Denied, NotFound)):
        await drafts.save_draft(AccountScope(store, nobody, account.id), "new-user", {})


async def test_a_read_only_console_may_keep_a_draft(
    store: Store, caller: Caller, account: Account
) -> None:
    looking = replace(caller, may_write=False)
    await drafts.save_draft(AccountScope(store, looking, account.id), "new-user", {"upn": "a"})
    assert len(await drafts.list_drafts(store, looking)) == 1


async def test_only_the_newest_are_kept(
    store: Store, caller: Caller, scope: AccountScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "KEPT", 3)
    for number in range(5):
        await drafts.save_draft(scope, "edit-user", {}, subject=str(number))
    kept = await drafts.list_drafts(store, caller)
    assert [one.subject for one in kept] == ["4", "3", "2"]
