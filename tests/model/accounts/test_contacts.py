"""Contacts: checked as they are saved, one role at a time, never over what somebody else saved meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mission_control_tui.model.accounts.contacts import (
    Contact,
    ContactRole,
    clear_contact,
    list_contacts,
    set_contact,
    set_contacts,
)
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Denied, InvalidInput, StaleVersion
from mission_control_tui.model.history import audit_log
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.views import Account

pytestmark = pytest.mark.any_database

PRIMARY, SECONDARY = ContactRole.PRIMARY, ContactRole.SECONDARY
RITA = Contact(PRIMARY, "Rita", "rita@acme.example", "+61 2 9374 4000")


async def test_one_role_is_set_changed_and_cleared_and_the_others_stay(scope: AccountScope) -> None:
    await set_contacts(scope, [RITA])
    await set_contact(scope, SECONDARY, name="Zoe")
    await set_contact(scope, PRIMARY, phone="")
    assert await list_contacts(scope) == (
        replace(RITA, phone=""),
        Contact(SECONDARY, "Zoe"),
    )
    tried = await clear_contact(scope, PRIMARY, dry_run=True)
    assert not tried.applied
    await clear_contact(scope, PRIMARY)
    assert await list_contacts(scope) == (Contact(SECONDARY, "Zoe"),)
    again = await clear_contact(scope, PRIMARY)
    assert not again.plan.changes_anything
    entries = await audit_log.entries(scope, action="set contacts")
    assert len(entries) == 4


async def test_a_save_over_somebody_elses_is_refused_with_the_difference(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await set_contacts(scope, [RITA])
    other = replace(caller, operator="ben")
    await set_contact(AccountScope(store, other, account.id), PRIMARY, name="Rita F.")
    await set_contact(AccountScope(store, other, account.id), SECONDARY, name="Zoe")
    mine = [replace(RITA, email="")]
    with pytest.raises(StaleVersion, match="by ben") as stale:
        await set_contacts(scope, mine, expected=[RITA])
    assert stale.value.theirs == {
        "primary name": ("Rita", "Rita F."),
        "secondary name": ("", "Zoe"),
    }
    present = await list_contacts(scope)
    assert present[0].name == "Rita F."
    same = await set_contacts(scope, present, expected=[RITA])
    assert not same.plan.changes_anything
    await set_contacts(scope, mine, expected=present)
    assert await list_contacts(scope) == tuple(mine)


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("12", "too few digits"),
        ("+61 2 9374 40", "is not a valid number"),
        ("+999 1234567", "is not a telephone number"),
        ("+61\x1b[2J 2 9374 4000", "none of them invisible"),
    ],
)
async def test_a_telephone_that_cannot_be_called_is_refused(
    scope: AccountScope, phone: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await set_contact(scope, PRIMARY, name="Rita", phone=phone)
    (problem,) = refused.value.problems
    assert problem.where == "contact 1 phone"
    assert said in problem.what


async def test_who_may_only_look_cannot_save(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(Denied):
        await set_contacts(
            AccountScope(store, replace(caller, may_write=False), account.id), [RITA]
        )
